package storm

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	benchcrowd "github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/bench/process"
	"github.com/stentor-audio/stentor/bench/tally"
	"github.com/stentor-audio/stentor/bench/voice"
	"github.com/stentor-audio/stentor/protocol"
)

const (
	turns    = 3 // of the costs of a join and of a handshake
	turnFor  = 4 * time.Second
	turnRate = 300 // newcomers a second, where it is about costs
	turnMost = 10 * turnRate
	crush    = 32
	crushFor = 8 * time.Second  // until the relay has found its pace
	quietFor = 12 * time.Second // nobody comes; in half of it a single moment would decide
	calmFor  = 6 * time.Second
	share    = 0.8 // of the capacity, for the calm

	// peopleFor is for how many seconds of the capacity people come who wait; the
	// rest of the newcomers only look in.
	peopleFor = 20

	// stay is how long somebody listens who has come in. Longer, and the storm would
	// be one of many listeners as well.
	stay = 2 * time.Second

	slots   = 3                                    // Opus packets a datagram
	tooLate = 200*time.Millisecond - 3*voice.Every // for the frame that is due first
)

// A run is one storm.
type run struct {
	o        Options
	result   *Result
	all      []int // processors
	machines machines

	*venue    // where the storm is
	newcomers *process.Child
	crowd     *benchcrowd.Crowd
	grid      atomic.Pointer[tally.Grid] // of the phase
	before    *tally.Grid                // of the calm
}

// Run measures a storm. If something was measured although it ended early, it
// returns both.
func Run(ctx context.Context, o Options) (*Result, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &run{o: o, result: &Result{}, all: ourProcessors()}
	r.machines = shareOut(r.all)
	if len(r.all) > 1 {
		r.result.Processors = len(r.machines.relay)
	}
	defer r.close()
	err = r.measure(ctx)
	if ctx.Err() != nil {
		err = ErrInterrupted
	}
	if err != nil {
		r.result.Partial = true
		if r.result.Capacity == 0 {
			return nil, err
		}
	}
	return r.result, err
}

// measure goes through the phases.
func (r *run) measure(ctx context.Context) error {
	for _, phase := range []func(context.Context) error{r.start, r.costs, r.open, r.fill, r.capacity, r.calm, r.storm} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	return nil
}

// start starts the newcomers' process, and goes where the relay is not.
func (r *run) start(ctx context.Context) (err error) {
	r.o.Progress("starting", 0, 1)
	if err := allStayOn(r.machines.others); err != nil {
		return err
	}
	r.newcomers, err = process.Start(ctx, process.Options{Path: r.o.Executable,
		Args: []string{"bench", "storm-newcomers"}, Thread: lowerPriority})
	return err
}

// open opens the relay that the storm comes to.
func (r *run) open(ctx context.Context) (err error) {
	r.venue, err = open(ctx, r.o.Executable, r.machines.relay, r.o.JoinRate)
	return err
}

// tell gives the newcomers an order and waits for their account.
func (r *run) tell(ctx context.Context, o order) (*account, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	if err := r.newcomers.Command(string(b)); err != nil {
		return nil, err
	}
	var over <-chan struct{}
	if r.venue != nil {
		over = r.relay.Done()
	}
	select {
	case line, ok := <-r.newcomers.Lines():
		if !ok {
			<-r.newcomers.Done()
			return nil, r.newcomers.Err()
		}
		var a account
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			return nil, fmt.Errorf("newcomers: %w", err)
		}
		return &a, nil
	case <-over:
		return nil, r.relay.Err()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// costs measures in turns what a handshake costs quic-go alone, and a join a relay
// that lets in whoever comes, at the same rate: one at which a processor that is woken
// finds the next already waiting, as it is when very many come. What the relay
// uses when nobody comes is taken off.
func (r *run) costs(ctx context.Context) error {
	v, err := open(ctx, r.o.Executable, r.machines.relay, turnMost)
	if err != nil {
		return err
	}
	defer v.close()
	bare, err := process.Start(ctx, process.Options{Path: r.o.Executable,
		Args:   []string{"bench", "bare-server", "--packet", "20ms", "--bytes", "80"},
		Thread: func() error { return stayOn(r.machines.relay) }})
	if err != nil {
		return err
	}
	defer func() { _ = bare.Stop() }()
	bareMeter, err := process.Open(bare.PID())
	if err != nil {
		return err
	}
	_, bareAddress, _ := strings.Cut(bare.Ready(), " ")
	idle, err := cpu(v.meter, func() (int, error) { return 1, wait(ctx, turnFor) })
	if err != nil {
		return err
	}
	profile := v.profile(ctx, r.o.Profile, turns*2*turnFor)
	var joins, shakes, ratios []float64
	for i := range turns {
		r.o.Progress("what a join costs", i, turns)
		shake, err := r.cost(ctx, bareMeter, order{Address: bareAddress}, 0)
		if err != nil {
			return err
		}
		join, err := r.cost(ctx, v.meter, order{Address: v.address, Broadcast: v.voice.Path()}, idle)
		if err != nil {
			return err
		}
		// A machine is not always equally fast: what is compared came one after the other.
		shakes, joins, ratios = append(shakes, shake), append(joins, join), append(ratios, join/shake)
	}
	r.result.CPUPerJoin, r.result.CPUPerHandshake = tally.Median(joins), tally.Median(shakes)
	r.result.Ratio = tally.Median(ratios)
	return <-profile
}

// cost is what each of a turn's newcomers costs a process that uses idle in the same
// time without them, in milliseconds.
func (r *run) cost(ctx context.Context, m *process.Meter, o order, idle float64) (float64, error) {
	o.Seconds, o.Rate = turnFor.Seconds(), turnRate
	began := time.Now()
	n := 0
	each, err := cpu(m, func() (int, error) {
		a, err := r.tell(ctx, o)
		if err != nil {
			return 0, err
		}
		if n = a.Admitted; n == 0 {
			return 0, fmt.Errorf("nobody could join: %s", a.Error)
		}
		return n, wait(ctx, 200*time.Millisecond) // the last connections close
	})
	return each - idle*time.Since(began).Seconds()/turnFor.Seconds()/float64(n), err
}

// cpu is how many milliseconds a process used for each of what do counts.
func cpu(m *process.Meter, do func() (int, error)) (float64, error) {
	before, err := m.Read()
	if err != nil {
		return 0, err
	}
	n, err := do()
	if err != nil {
		return 0, err
	}
	after, err := m.Read()
	if err != nil {
		return 0, err
	}
	return float64(after.CPU-before.CPU) / float64(time.Millisecond) / float64(n), nil
}

// fill lets the listeners in who are established.
func (r *run) fill(ctx context.Context) (err error) {
	r.grid.Store(r.newGrid(quietFor))
	r.crowd, err = benchcrowd.Join(ctx, benchcrowd.Options{
		Address: r.address, Broadcast: r.voice.Path(), Track: protocol.Track60,
		Listeners: r.o.Listeners, Rate: 50,
		Arrived: func(listener int, d protocol.Datagram, at time.Time) {
			r.grid.Load().Record(listener, d.Sequence, at.Sub(r.voice.Sent(d.Sequence*slots+slots-1)))
		},
		Joined: func(n int) { r.o.Progress("listeners joining", n, r.o.Listeners) },
	})
	return err
}

// newGrid is for the listeners and a time.
func (r *run) newGrid(span time.Duration) *tally.Grid {
	return tally.New(r.o.Listeners, int((span+5*time.Second)/voice.Every/slots))
}

// capacity measures how many the relay takes when as many come as it takes.
func (r *run) capacity(ctx context.Context) error {
	r.o.Progress("how many can join", 0, 1)
	a, err := r.tell(ctx, order{Address: r.address, Broadcast: r.voice.Path(), Seconds: crushFor.Seconds(), Together: crush, Stay: stay.Seconds()})
	if err != nil {
		return err
	}
	last, n := 0, 0
	for i := len(a.PerSecond) - 4; i < len(a.PerSecond)-1; i++ {
		if i >= 0 {
			last, n = last+a.PerSecond[i].Admitted, n+1
		}
	}
	if last == 0 {
		return fmt.Errorf("nobody could join: %d came, %d were told to wait: %s", a.Attempts, a.Refused, a.Error)
	}
	r.result.Capacity = float64(last) / float64(n)
	return wait(ctx, 2*time.Second)
}

// calm has fewer come than the relay takes, with an eye on those who are in.
func (r *run) calm(ctx context.Context) error {
	r.o.Progress("before the storm", 0, 1)
	r.before = r.grid.Load()
	r.before.Begin(r.voice.Next() / slots)
	quiet, over := context.WithTimeout(ctx, quietFor)
	r.result.Established.OwnBefore = quantiles(own(quiet))
	over()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r.before.End(r.voice.Next()/slots - 1)
	a, err := r.tell(ctx, order{Address: r.address, Broadcast: r.voice.Path(), Seconds: calmFor.Seconds(),
		Rate: share * r.result.Capacity, Stay: stay.Seconds(), People: 1 << 20, After: 10, Lobby: r.lobby})
	if err != nil {
		return err
	}
	r.result.Calm.Joins, r.result.Calm.Deferred = a.Attempts, a.Deferred
	r.result.Calm.Join, r.result.Calm.FirstAudio = a.Join, a.Audio
	return wait(ctx, 2*time.Second)
}

// storm is the storm.
func (r *run) storm(ctx context.Context) error {
	before, err := r.meter.Read()
	if err != nil {
		return err
	}
	r.result.RSSBefore = before.RSS
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	grid := r.newGrid(r.o.Duration)
	r.grid.Store(grid)
	grid.Begin(r.voice.Next() / slots)
	var watching sync.WaitGroup
	raging, over := context.WithTimeout(ctx, r.o.Duration)
	defer over()
	watching.Go(func() { r.speakers(raging) })
	watching.Go(func() { r.sample(ctx, time.Now()) })
	watching.Go(func() { r.result.Established.OwnDuring = quantiles(own(raging)) })
	watching.Go(func() {
		for i := 0; raging.Err() == nil; i++ {
			r.o.Progress("storm", i, int(r.o.Duration.Seconds()))
			_ = wait(raging, time.Second)
		}
		grid.End(r.voice.Next()/slots - 1) // the one that is under way may yet come
		if ctx.Err() == nil {
			r.o.Progress("those who wait", 0, 1)
		}
	})
	a, err := r.tell(ctx, order{Address: r.address, Broadcast: r.voice.Path(), Seconds: r.o.Duration.Seconds(),
		Rate: r.o.Factor * r.result.Capacity, Stay: stay.Seconds(), People: int(peopleFor * r.result.Capacity), After: r.o.After.Seconds(), Lobby: r.lobby})
	stop()
	watching.Wait()
	if err != nil {
		return err
	}
	r.take(a)
	return nil
}

// take makes a result of what the newcomers and those who were in say.
func (r *run) take(a *account) {
	res := r.result
	came := 0
	for i, s := range a.PerSecond {
		if float64(i) < a.Storm {
			came += s.Attempts
		}
	}
	res.Offered, res.StormS = float64(came)/a.Storm, a.Storm
	res.Joins, res.Admitted, res.Deferred, res.Silent, res.Failed = a.Attempts, a.Admitted, a.Deferred, a.Silent, a.Failed
	res.People, res.LeftOut, res.LastInS = int(peopleFor*res.Capacity), a.LeftOut, a.LastInS
	res.Join, res.FirstAudio = a.Join, a.Audio
	res.Wait = a.Wait
	res.seconds = a.PerSecond

	e := &res.Established
	e.Listeners = r.o.Listeners
	e.Gone = r.o.Listeners - r.crowd.Present()
	r.crowd.Close() // nothing arrives any more
	r.crowd = nil
	e.Before = quantiles(r.before.Delays(0, r.before.Groups()))
	grid := r.grid.Load()
	groups := grid.Groups()
	e.Expected = uint64(grid.Expected(0, groups))
	e.Lost = e.Expected - uint64(grid.Filled(0, groups))
	delays := grid.Delays(0, groups)
	e.During = quantiles(delays)
	for _, d := range delays {
		if time.Duration(d)*time.Microsecond > tooLate {
			e.Late++
		}
	}
	perSecond := int(time.Second / voice.Every / slots)
	for at := 0; at < groups; at += perSecond {
		e.Seconds = append(e.Seconds, quantiles(grid.Delays(at, at+perSecond)))
	}
}

// sample looks at the relay every half second.
func (r *run) sample(ctx context.Context, began time.Time) {
	last, err := r.meter.Read()
	at := time.Now()
	for err == nil && wait(ctx, 500*time.Millisecond) == nil {
		var u process.Usage
		if u, err = r.meter.Read(); err != nil {
			return
		}
		now := time.Now()
		r.result.samples = append(r.result.samples, sample{
			at:         now.Sub(began).Seconds(),
			cpuPercent: 100 * (u.CPU - last.CPU).Seconds() / now.Sub(at).Seconds(),
			rss:        u.RSS,
		})
		r.result.RSSMost = max(r.result.RSSMost, u.RSS)
		last, at = u, now
	}
}

// close ends everything.
func (r *run) close() {
	if r.newcomers != nil {
		_ = r.newcomers.Stop()
	}
	if r.crowd != nil {
		r.crowd.Close()
	}
	if r.venue != nil {
		r.venue.close()
	}
	_ = allStayOn(r.all)
}

// wait waits, or says why there is no use in it.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
