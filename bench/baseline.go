package bench

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/bench/internal/bare"
	"github.com/stentor-audio/stentor/bench/process"
	"github.com/stentor-audio/stentor/bench/tally"
	"github.com/stentor-audio/stentor/protocol"
)

// prepareBaseline starts the plain loop and its listeners, as many as the relay
// has, on the same transport, with datagrams of the same size as often.
func (r *run) prepareBaseline(ctx context.Context) (err error) {
	r.bare, err = process.Start(ctx, process.Options{
		Path: r.o.Executable,
		Args: []string{"bench", "bare-server", "--packet", r.o.Packet.String(), "--bytes", strconv.Itoa(r.o.payload())},
	})
	if err != nil {
		return err
	}
	r.watch(ctx, r.bare.Done(), r.bare.Err)
	var address string
	if _, err := fmt.Sscanf(r.bare.Ready(), "bare %s", &address); err != nil {
		return fmt.Errorf("its ready line has no address: %q", r.bare.Ready())
	}
	r.baseline = &side{
		slots: r.o.slots(),
		grid:  tally.New(r.o.Listeners, r.o.baselinePackets()/r.o.slots()),
		fail:  r.stop,
		say:   func(ctx context.Context, n int) (uint64, []time.Duration, error) { return r.sayBare(ctx, n) },
	}
	if r.baseline.meter, err = process.Open(r.bare.PID()); err != nil {
		return err
	}
	return r.join(ctx, r.baseline, "baseline's listeners joining", crowd.Options{
		Address:   address,
		Transport: r.o.Transport,
		Track:     tracks[r.o.Packet], // the loop does not ask
		Listeners: r.o.Listeners,
		Rate:      r.o.Rate,
		Arrived: r.baseline.arrived(func(d protocol.Datagram) time.Time {
			return time.UnixMicro(int64(d.Timestamp))
		}),
	})
}

// payload is how many bytes a datagram to a listener carries behind its header.
func (o Options) payload() int {
	if o.slots() == 1 {
		return len(protocol.AppendLegacy(nil, uint64(time.Now().UnixMicro()), make([]byte, o.Bytes)))
	}
	packets := make([][]byte, o.slots())
	for i := range packets {
		packets[i] = make([]byte, o.Bytes)
	}
	return len(protocol.AppendBundle(nil, packets))
}

// stopWithin is how long the loop may take to say that it has stopped.
const stopWithin = 5 * time.Second

// sayBare lets the loop send n datagrams to everyone.
func (r *run) sayBare(ctx context.Context, n int) (next uint64, _ []time.Duration, err error) {
	if err := r.bare.Command(fmt.Sprintf("talk %d", n)); err != nil {
		return 0, nil, err
	}
	stopped := ctx.Done()
	var patience <-chan time.Time
	for {
		select {
		case line, ok := <-r.bare.Lines():
			if !ok {
				<-r.bare.Done()
				return 0, nil, r.bare.Err()
			}
			if _, err := fmt.Sscanf(line, "done %d", &next); err == nil {
				return next, nil, nil
			}
		case <-stopped:
			stopped = nil
			if err := r.bare.Command("stop"); err != nil {
				return 0, nil, err
			}
			patience = time.After(stopWithin)
		case <-patience:
			return 0, nil, fmt.Errorf("the loop does not stop: %w", process.ErrNotReady)
		}
	}
}

// ServeBare is the process of the baseline; see package bare.
func ServeBare(ctx context.Context, every time.Duration, bytes int, in io.Reader, out io.Writer) error {
	return bare.Serve(ctx, bare.Options{Every: every, Bytes: bytes}, in, out)
}
