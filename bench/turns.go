package bench

import (
	"context"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/bench/voice"
)

const (
	// relaySlice is how long the relay is measured at a time, and baselineSlice
	// the baseline between: short enough that both see the same machine, long
	// enough that starting and stopping does not count. A relay sends nothing of
	// its own into silences shorter than its keep-alive of 5 s.
	relaySlice    = 6 * time.Second
	baselineSlice = 3 * time.Second
)

// A turn is a piece of the measurement during which one side talks.
type turn struct {
	relay   bool
	packets int
}

// turns divides the time: the baseline before, between and after slices of the
// relay. Without a baseline, and where a freeze must not be cut in two, the relay
// is measured in one piece.
func (o Options) turns() []turn {
	total := o.packets()
	slices := 1
	if o.Baseline && o.Freeze == 0 {
		slices = max(1, int((o.Duration+relaySlice/2)/relaySlice))
	}
	each := total / slices / voice.Align * voice.Align
	baseline := turn{packets: alignedPackets(min(baselineSlice, o.Duration))}
	var turns []turn
	for i := range slices {
		if o.Baseline {
			turns = append(turns, baseline)
		}
		packets := each
		if i == slices-1 {
			packets = total - each*(slices-1)
		}
		turns = append(turns, turn{relay: true, packets: packets})
	}
	if o.Baseline {
		turns = append(turns, baseline)
	}
	return turns
}

// baselinePackets is how many packets the baseline's turns have together.
func (o Options) baselinePackets() (n int) {
	for _, t := range o.turns() {
		if !t.relay {
			n += t.packets
		}
	}
	return n
}

// takeTurns measures.
func (r *run) takeTurns(ctx context.Context) error {
	turns := r.o.turns()
	total := 0
	for _, t := range turns {
		total += t.packets
	}
	r.began = time.Now()
	done := r.reportProgress(ctx, time.Duration(total)*voice.Every)
	defer done()
	profiled := false
	for _, t := range turns {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !t.relay {
			if err := r.baseline.measure(ctx, r.began, t.packets); err != nil {
				return err
			}
			continue
		}
		if !profiled {
			r.profile(ctx, time.Duration(t.packets)*voice.Every)
			profiled = true
		}
		if err := r.relayTurn(ctx, t.packets); err != nil {
			return err
		}
	}
	return nil
}

// relayTurn measures the relay, and what is measured at the same time.
func (r *run) relayTurn(ctx context.Context, packets int) error {
	if r.direct != nil && len(r.relay.slices) == 0 {
		r.direct.grid.Begin(r.voice.Next())
	}
	var freezing sync.WaitGroup
	if r.frozen != nil {
		length := time.Duration(packets) * voice.Every
		freezing.Go(func() { r.freeze(ctx, length) })
	}
	err := r.relay.measure(ctx, r.began, packets)
	freezing.Wait()
	if r.direct != nil {
		r.direct.grid.End(r.voice.Next())
	}
	return err
}

// reportProgress tells every second how much is done, until the function that it
// returns is called.
func (r *run) reportProgress(ctx context.Context, total time.Duration) (done func()) {
	ctx, stop := context.WithCancel(ctx)
	var ticking sync.WaitGroup
	ticking.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			elapsed := min(time.Since(r.began), total)
			r.o.Progress("measuring", int(elapsed/time.Second), int(total/time.Second))
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { stop(); ticking.Wait() }
}
