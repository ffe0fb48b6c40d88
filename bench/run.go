package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/bench/process"
	"github.com/stentor-audio/stentor/bench/tally"
	"github.com/stentor-audio/stentor/bench/voice"
	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
)

// A run is one measurement: a relay and what speaks and listens there, and what
// it is compared with.
type run struct {
	o     Options
	began time.Time // of the first slice

	target  *target
	session *client.Session // of the voice
	voice   *voice.Voice
	relay   *side

	baseline *side          // nil: not measured
	bare     *process.Child // of the baseline

	direct *side // nil: not measured
	server *directServer

	frozen *frozen // nil: nobody freezes

	stop  context.CancelCauseFunc
	tasks sync.WaitGroup
}

// measure starts everything, measures, and ends everything that it started. If
// there is something to report although it ended early, it returns both the run
// and why it ended.
func measure(ctx context.Context, o Options, direct bool) (*run, error) {
	r := &run{o: o}
	caller := ctx
	ctx, r.stop = context.WithCancelCause(ctx)
	err := r.prepare(ctx, direct)
	if err == nil {
		err = r.takeTurns(ctx)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx) // whatever failed, failed of it
	}
	if caller.Err() != nil {
		err = ErrInterrupted
	}
	r.close()
	if r.relay == nil || len(r.relay.slices) == 0 {
		return nil, err
	}
	return r, err
}

// prepare brings up one side after the other, so that each joins an idle machine.
func (r *run) prepare(ctx context.Context, direct bool) error {
	if err := r.prepareRelay(ctx); err != nil {
		return err
	}
	if direct {
		if err := r.prepareDirect(ctx); err != nil {
			return fmt.Errorf("direct: %w", err)
		}
	}
	if r.o.Freeze > 0 {
		if err := r.prepareFrozen(ctx); err != nil {
			return fmt.Errorf("frozen listener: %w", err)
		}
	}
	if r.o.Baseline {
		if err := r.prepareBaseline(ctx); err != nil {
			return fmt.Errorf("baseline: %w", err)
		}
	}
	return r.settle(ctx)
}

// prepareRelay starts the relay, the voice and the listeners.
func (r *run) prepareRelay(ctx context.Context) (err error) {
	r.o.Progress("starting the relay", 0, 1)
	if r.target, err = openTarget(ctx, r.o); err != nil {
		return err
	}
	r.watch(ctx, r.target.died(), func() error { return r.target.child.Err() })

	hop := client.NewHopID()
	name := fmt.Sprintf("voice-%08x", rand.Uint32()) // two benches may measure one relay
	path, err := protocol.ParsePath(r.o.Room + "/" + name)
	if err != nil {
		return fmt.Errorf("%w: room: %w", ErrOptions, err)
	}
	if r.voice, err = voice.New(path, hop, r.o.Bytes); err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	r.session, err = client.Dial(ctx, r.target.url.String(), client.Options{
		Token: r.o.Token, Role: protocol.RolePublisher, HopID: hop, Publisher: r.voice,
	})
	if err != nil {
		return fmt.Errorf("voice: %w", err)
	}
	r.watch(ctx, r.session.Done(), func() error { return fmt.Errorf("the voice's session ended: %w", r.session.Err()) })

	r.relay = &side{
		slots:   r.o.slots(),
		bundles: r.o.slots() > 1,
		meter:   r.target.meter,
		grid:    tally.New(r.o.Listeners, r.o.packets()/r.o.slots()),
		fail:    r.stop,
		say: func(ctx context.Context, groups int) (uint64, []time.Duration, error) {
			late := r.voice.Talk(ctx, groups*r.o.slots())
			return r.voice.Next() / uint64(r.o.slots()), late, nil
		},
	}
	return r.join(ctx, r.relay, "listeners joining", r.listening())
}

// listening is how the relay's listeners connect.
func (r *run) listening() crowd.Options {
	last := uint64(r.o.slots() - 1)
	return crowd.Options{
		Address:   r.target.address(),
		Path:      r.target.path(),
		TLS:       r.target.tls(),
		Transport: r.o.Transport,
		Broadcast: r.voice.Path(),
		Track:     tracks[r.o.Packet],
		Listeners: r.o.Listeners,
		Rate:      r.o.Rate,
		Arrived: r.relay.arrived(func(d protocol.Datagram) time.Time {
			return r.voice.Sent(d.Sequence*uint64(r.o.slots()) + last)
		}),
	}
}

const (
	// warmUp is how long a side talks before the memory without listeners is
	// read: a program grows a little with the first things it does.
	warmUp = time.Second
	// settling is how long each side talks to all of its listeners before it is
	// measured: connections learn their round trips, and the garbage of the
	// handshakes is collected.
	settling = 1500 * time.Millisecond
	// endless is more groups than any run has.
	endless = 1 << 40
)

// join lets a side's listeners in while it talks.
func (r *run) join(ctx context.Context, s *side, step string, o crowd.Options) (err error) {
	talking, hush := context.WithCancel(ctx)
	talked := make(chan error, 1)
	go func() {
		_, err := s.talk(talking, endless)
		talked <- err
	}()
	defer func() {
		hush()
		err = errors.Join(err, <-talked)
	}()
	if err := wait(ctx, warmUp); err != nil {
		return err
	}
	if s.before, err = s.read(); err != nil {
		return err
	}
	o.Joined = func(n int) { r.o.Progress(step, n, o.Listeners) }
	if s.crowd, err = crowd.Join(ctx, o); err != nil {
		return err
	}
	r.watch(ctx, s.crowd.Gone(), func() error { return fmt.Errorf("every listener was sent away: %w", s.crowd.Err()) })
	return nil
}

// settle lets each side talk for a while.
func (r *run) settle(ctx context.Context) error {
	r.o.Progress("settling", 0, 1)
	for _, s := range []*side{r.baseline, r.relay} {
		if s == nil {
			continue
		}
		if _, err := s.talk(ctx, alignedPackets(settling)/s.slots); err != nil {
			return err
		}
	}
	return nil
}

// watch ends the measurement when done is closed.
func (r *run) watch(ctx context.Context, done <-chan struct{}, why func() error) {
	if done == nil {
		return
	}
	r.tasks.Go(func() {
		select {
		case <-done:
			r.stop(why())
		case <-ctx.Done():
		}
	})
}

// close ends everything in the order in which nobody has cause to complain.
func (r *run) close() {
	r.stop(nil)
	r.tasks.Wait()
	for _, s := range []*side{r.relay, r.direct, r.baseline} {
		if s != nil && s.crowd != nil {
			s.crowd.Close()
		}
	}
	if r.frozen != nil {
		r.frozen.close()
	}
	if r.server != nil {
		r.server.close()
	}
	if r.session != nil {
		r.session.Close()
	}
	if r.bare != nil {
		_ = r.bare.Stop()
	}
	if r.target != nil {
		r.target.close()
	}
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
