package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
)

// Options say what to rehearse. The zero value of each field but Scenario works.
type Options struct {
	Scenario *Scenario

	// Seed is what chance begins with. Zero means 1.
	Seed uint64

	// Constants are what links, clocks and processors are modelled by. The zero
	// value has the built-in ones.
	Constants cost.Constants

	// Listeners and Relays replace the scenario's numbers, in the same proportions.
	// Zero leaves them.
	Listeners, Relays int

	// Progress is told how far a step is. Nil tells nobody.
	Progress func(step string, done, total int)
}

var (
	// ErrOptions says that what was asked for cannot be rehearsed.
	ErrOptions = errors.New("options")
	// ErrInterrupted says that the context ended before the scenario. What there is
	// until then is in the [Result], which says that it is partial.
	ErrInterrupted = errors.New("interrupted")
	// ErrBroken says that a promise of the scenario is not kept.
	ErrBroken = errors.New("a promise is broken")
	// ErrShortfall says that a scenario cannot be served, and what it lacks.
	ErrShortfall = errors.New("this cannot be served")
)

// Run rehearses a scenario. With an error that is ErrInterrupted, ErrBroken,
// ErrShortfall or ErrInvariant there is a result as well.
func Run(ctx context.Context, o Options) (*Result, error) {
	if o.Scenario == nil {
		return nil, fmt.Errorf("%w: no scenario", ErrOptions)
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	s, err := o.Scenario.scaled(o.Listeners, o.Relays)
	if err != nil {
		return nil, err
	}
	w := newWorld(s, o.Constants, o.Seed)
	return w.run(ctx, o.Progress)
}

// scaled is a scenario with other numbers of listeners and relays; 0 leaves them.
func (s *Scenario) scaled(listeners, relays int) (*Scenario, error) {
	out := *s
	out.Arrivals, out.Happenings = slices.Clone(s.Arrivals), slices.Clone(s.Happenings)
	out.Network.Zones = slices.Clone(s.Network.Zones)
	if listeners < 0 || listeners > maxListeners {
		return nil, fmt.Errorf("%w: %d listeners: want 1 to %d", ErrOptions, listeners, maxListeners)
	}
	if relays < 0 || relays > maxRelays {
		return nil, fmt.Errorf("%w: %d relays: want 1 to %d", ErrOptions, relays, maxRelays)
	}
	share := func(parts []*int, to int) {
		all := 0
		for _, p := range parts {
			all += *p
		}
		left, given := to, 0
		for i, p := range parts {
			given += *p
			v := to*given/max(all, 1) - (to - left)
			if i == len(parts)-1 {
				v = left
			}
			*p = v
			left -= v
		}
	}
	if listeners > 0 {
		var parts []*int
		for i := range out.Arrivals {
			parts = append(parts, &out.Arrivals[i].Listeners)
		}
		share(parts, listeners)
		out.Arrivals = slices.DeleteFunc(out.Arrivals, func(a Arrival) bool { return a.Listeners == 0 })
	}
	if relays > 0 {
		before := 0
		var parts []*int
		for i := range out.Network.Zones {
			before += out.Network.Zones[i].Relays
			parts = append(parts, &out.Network.Zones[i].Relays)
		}
		share(parts, relays)
		for i := range out.Happenings {
			if h := &out.Happenings[i]; h.Relays > 0 && h.Do == "add" {
				h.Relays = max(1, (h.Relays*relays+before/2)/before)
			}
		}
	}
	return &out, nil
}

// run is the simulation from its beginning to its end.
func (w *world) run(ctx context.Context, progress func(string, int, int)) (*Result, error) {
	w.begin1()
	end := warmUp + w.s.Duration.get()
	short := w.shortfall()
	nextSample := warmUp
	var err error
	for n := 0; ; n++ {
		at := w.queue.next()
		if at == never {
			break
		}
		if nextSample > end && at > end {
			w.now = end
			break
		}
		sampling := at >= nextSample
		if sampling {
			w.now = nextSample
			w.sample()
			progress("simulated seconds", int((w.now - warmUp).Seconds()), int(w.s.Duration.get().Seconds()))
			nextSample += w.sampleEvery()
		}
		if (sampling || n%4096 == 0) && ctx.Err() != nil {
			err = ErrInterrupted
			w.res.Partial = true
			break
		}
		if !sampling {
			w.next()
		}
		if w.fault != nil {
			err = w.fault
			w.res.Partial = true
			break
		}
	}
	w.finish(short)
	switch {
	case err != nil:
	case w.res.Shortfall != nil:
		err = fmt.Errorf("%w: %s", ErrShortfall, w.res.Shortfall.Text)
	default:
		for _, p := range w.res.Promises {
			if !p.Kept {
				err = fmt.Errorf("%w: %s: want %s, got %s", ErrBroken, p.Text, p.Want, p.Got)
				break
			}
		}
	}
	return w.res, err
}

// maxSamples is how many values a series has at most.
const maxSamples = 240

func (w *world) sampleEvery() time.Duration {
	d := w.s.Duration.get() / maxSamples
	for _, step := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute} {
		if d <= step {
			return step
		}
	}
	return d.Truncate(time.Second) + time.Second
}
