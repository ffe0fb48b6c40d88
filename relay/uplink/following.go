package uplink

import (
	"context"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/relay/plan"
)

const (
	// askBack is for how long whoever begins to ask for the plan is asked in turn,
	// though it be in the plan at once: after a split it may hold a newer one.
	askBack = 3 * time.Second
	// maxAskBack is how many are asked for that reason at a time.
	maxAskBack = 8
)

// A following is how the plans that another relay holds are heard of.
type following struct {
	stop  context.CancelFunc
	wants flag

	// Guarded by the attendance's lock.
	up    bool
	since time.Time // when that has changed
}

// follow asks those relays for the plan that have it, or may have a newer one.
func (a *attendance) follow(ctx context.Context, v view) {
	wanted := a.whom(v)
	for relay, f := range a.following {
		if _, ok := wanted[relay]; !ok {
			f.stop()
			delete(a.following, relay)
		}
	}
	for relay, wants := range wanted {
		f := a.following[relay]
		if f == nil {
			child, stop := context.WithCancel(ctx)
			f = &following{stop: stop, since: v.now}
			f.wants.set(wants)
			a.following[relay] = f
			a.tasks.Go(func() { a.hear(child, relay, f) })
		}
		f.wants.set(wants)
	}
}

// whom says which relays are asked for the plan, and whether as one that takes
// part. Its roots are; without any plan those that the directory names. A root
// also asks who the directory would have in its place, for that is where newcomers
// ask: so that relay hears of the plan. Whoever asks here and is not in the plan
// may hold a newer one.
func (a *attendance) whom(v view) map[string]bool {
	whom := make(map[string]bool)
	if v.leaving {
		return whom
	}
	p, self := a.mover.Plan(), a.rooms.cfg.Self
	usable := a.usable(v)
	switch {
	case !usable:
		for _, root := range v.roots {
			whom[root] = v.local
		}
	case p.Root(plan.Red) == self || p.Root(plan.Blue) == self:
		for _, root := range v.roots {
			whom[root] = false
		}
	}
	if usable {
		whom[p.Root(plan.Red)], whom[p.Root(plan.Blue)] = v.local, v.local
	}
	back := 0
	for _, asker := range v.askers {
		if _, already := whom[asker.relay]; already || back == maxAskBack {
			continue
		}
		if p == nil || !p.Has(asker.relay) || v.now.Sub(asker.since) < askBack {
			whom[asker.relay] = false
			back++
		}
	}
	delete(whom, self)
	return whom
}

// hear follows the plans of one relay until ctx ends.
func (a *attendance) hear(ctx context.Context, relay string, f *following) {
	cfg := &a.rooms.cfg
	again(ctx, func() error {
		s, err := cfg.Links.Session(ctx, relay)
		if err == nil {
			a.heard(f, true)
			err = cfg.Plans(ctx, s, a.room.name, f.wants.get, a.offer)
		}
		a.heard(f, false)
		if ctx.Err() == nil {
			cfg.Logger.Debug("plans not heard", "room", a.room.name, "relay", relay, "cause", err)
		}
		return err
	})
}

func (a *attendance) heard(f *following, up bool) {
	a.mu.Lock()
	changed := f.up != up
	if changed {
		f.up, f.since = up, time.Now()
	}
	a.mu.Unlock()
	if changed {
		a.poke()
	}
}

// hears reports whether a relay is followed, and its session lives.
func (a *attendance) hears(relay string) bool {
	f := a.following[relay]
	if f == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return f.up
}

// offer takes a plan as it came. One that is none, or another room's, is refused
// here; one that is not newer, when it is looked at.
func (a *attendance) offer(b []byte) {
	p, err := plan.Decode(b)
	if err == nil {
		err = p.Replaces(nil, a.room.name)
	}
	if err != nil {
		a.rooms.cfg.Logger.Warn("a plan is refused", "room", a.room.name, "cause", err)
		return
	}
	a.mu.Lock()
	a.offers = append(a.offers, p)
	a.mu.Unlock()
	a.poke()
}

// A flag is yes or no, and can be waited for. The zero value is no.
type flag struct {
	mu      sync.Mutex
	value   bool
	changed chan struct{} // nil: nobody waits
}

func (f *flag) get() (bool, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed == nil {
		f.changed = make(chan struct{})
	}
	return f.value, f.changed
}

func (f *flag) set(value bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if value == f.value {
		return
	}
	f.value = value
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}
