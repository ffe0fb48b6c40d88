package uplink

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/plan"
)

const (
	retryMin = 100 * time.Millisecond
	retryMax = 2 * time.Second

	// tryFor is how long a new way may take until it brings what others do.
	tryFor = 5 * time.Second
	// brokenFor is how long a way that worked may be interrupted: two relays may
	// just have changed one session for another.
	brokenFor = 500 * time.Millisecond
	// lackFor is how long a way that worked may have nothing while others have
	// something: a broadcast does not end everywhere at once.
	lackFor = 2 * time.Second
	// leaveAfter is how long the way from a relay that is no longer a parent is
	// kept at most, while not all that should take its place work.
	leaveAfter = 10 * time.Second
)

// A way leads from one parent, in whatever colour.
type way struct {
	relay  string
	opened time.Time
	stop   context.CancelFunc

	// Told by hold, guarded by the attendance's lock.
	up    bool      // the parent has told what it has
	ever  bool      // it has been up
	since time.Time // when that has changed
	live  int       // broadcasts it has for us

	// Owned by the attendance.
	health   plan.Health
	lacking  time.Time // since when it has less than others; zero if it has not
	unwanted time.Time // since when it is no parent's; zero if it is
}

// assess says how the way does, given how many broadcasts another one has.
func (w *way) assess(now time.Time, most int) {
	if !w.up {
		w.lacking = time.Time{}
	}
	switch {
	case !w.up && w.ever && w.health == plan.Working && now.Sub(w.since) < brokenFor:
	case !w.up && (w.ever || now.Sub(w.opened) >= tryFor):
		w.health = plan.Dead
	case !w.up:
		w.health = plan.Trying
	case w.live >= most, w.live > 0 && (w.health == plan.Working || now.Sub(w.since) >= tryFor):
		w.health, w.lacking = plan.Working, time.Time{}
	default:
		if w.lacking.IsZero() {
			w.lacking = now
		}
		patience := tryFor
		if w.health == plan.Working {
			patience = lackFor
		}
		if now.Sub(w.lacking) >= patience {
			w.health = plan.Dead
		}
	}
}

// steady reports whether only news can change how the way does, and no time.
func (w *way) steady() bool {
	return w.health == plan.Working && w.up && w.lacking.IsZero() && w.unwanted.IsZero()
}

// hold keeps a way open until ctx ends, trying again whenever it breaks.
func (a *attendance) hold(ctx context.Context, w *way) {
	cfg := &a.rooms.cfg
	again(ctx, func() error {
		s, err := cfg.Links.Session(ctx, w.relay)
		if err == nil {
			err = cfg.Follow(ctx, s, w.relay, protocol.Path(a.room.name), func(live int) { a.told(w, true, live) })
		}
		if ctx.Err() == nil {
			a.told(w, false, 0)
			cfg.Logger.Debug("way to a room interrupted", "room", a.room.name, "parent", w.relay, "cause", err)
		}
		return err
	})
}

// again does something until ctx ends, in pauses that grow while it fails at once.
func again(ctx context.Context, do func() error) {
	for retry := retryMin; ctx.Err() == nil; retry = min(2*retry, retryMax) {
		began := time.Now()
		_ = do() // it has said why
		if time.Since(began) > retryMax {
			retry = retryMin
		}
		select {
		case <-time.After(retry/2 + rand.N(retry/2)):
		case <-ctx.Done():
		}
	}
}

// told notes what a way has come to.
func (a *attendance) told(w *way, up bool, live int) {
	a.mu.Lock()
	if up != w.up {
		w.since = time.Now()
	}
	changed := up != w.up || live != w.live
	w.up, w.ever, w.live = up, w.ever || up, live
	a.mu.Unlock()
	if changed {
		a.poke()
	}
}
