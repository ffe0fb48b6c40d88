package roomstate

import (
	"context"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

const (
	// lookEvery is how often a room looks around though it was not woken.
	lookEvery = 500 * time.Millisecond
	// leastPause keeps it from doing so all the time.
	leastPause = 10 * time.Millisecond
	// tellEvery is how often the roots are told who is present.
	tellEvery = 2 * time.Second
	// tellFor bounds how long a relay may take for an order.
	tellFor = time.Second
	// aheadAfter is how long a relay that is followed may not have shown what is
	// held here until it is told so: mostly it is about to.
	aheadAfter = 300 * time.Millisecond
	// maxPresent is how many are told at a time. Hosts and co-hosts come first.
	maxPresent = 200
	// copyFor is how long a room that nobody knows waits for the copy of a host who
	// has come, until it is taken for one that is new: else one that was announced
	// would begin.
	copyFor = time.Second
	// fetchEvery is how often somebody who says that he is ahead is asked.
	fetchEvery = 200 * time.Millisecond
)

// run keeps the room up to date until ctx ends or nobody needs it.
func (h *held) run(ctx context.Context) {
	tick := time.NewTimer(lookEvery)
	defer tick.Stop()
	defer h.unfollow()
	for {
		var changed <-chan struct{}
		if h.rooms.cfg.Changed != nil {
			changed = h.rooms.cfg.Changed()
		}
		if h.turn(ctx) {
			return
		}
		tick.Reset(h.interval())
		pause := time.NewTimer(leastPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
		select {
		case <-h.wake:
		case <-changed:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// interval is when to look around though nothing wakes the room.
func (h *held) interval() time.Duration {
	h.rooms.mu.Lock()
	defer h.rooms.mu.Unlock()
	every := lookEvery
	if h.isSynced && !h.attended() && h.state.Exists() {
		every = 10 * lookEvery
	}
	if h.state.Phase.Value == stage.Announced {
		until := time.UnixMilli(h.state.Starts.Value).Sub(h.rooms.cfg.Now())
		every = min(every, max(until, leastPause))
	}
	return every
}

// turn looks around once. It reports whether the room is not held any more.
func (h *held) turn(ctx context.Context) (over bool) {
	cfg := &h.rooms.cfg
	roots := cfg.Roots(h.name)
	var present []stage.Actor
	if cfg.Present != nil {
		present = cfg.Present(h.name)
	}
	now, wall := cfg.Now(), time.Now()

	h.rooms.mu.Lock()
	if h.forget(roots) {
		h.rooms.mu.Unlock()
		return true
	}
	h.follow(ctx, roots)
	h.sync(roots, wall)
	changed := h.tend(roots, present, now, wall)
	h.ask(ctx, wall)
	state := h.state
	h.rooms.mu.Unlock()

	h.rooms.tell(h.name, changed)
	h.report(ctx, roots, present, state, wall)
	return false
}

// sync finds out whether it is known what the roots know. The lock is held.
func (h *held) sync(roots []string, wall time.Time) {
	if h.isSynced {
		return
	}
	others, heard := 0, 0
	for _, root := range roots {
		if root != h.rooms.cfg.Self {
			others++
		}
	}
	for _, f := range h.follows {
		if f.documents > 0 {
			heard++
		}
	}
	if others > 0 && heard == 0 && wall.Sub(h.began) < syncFor {
		time.AfterFunc(syncFor, h.poke)
		return
	}
	h.isSynced = true
	close(h.synced)
}

// tend does what time brings, at the red root. The lock is held.
func (h *held) tend(roots []string, present []stage.Actor, now, wall time.Time) (changed stage.State) {
	cfg := &h.rooms.cfg
	for _, who := range present {
		h.seen[who.Subject] = now
	}
	if len(present) > 0 {
		h.touched = wall
	}
	if len(roots) > 0 && roots[0] != cfg.Self || !h.state.Exists() {
		h.red = time.Time{}
		return stage.State{}
	}
	if h.red.IsZero() {
		h.red = now
	}
	next, begun := h.state.Begin(cfg.Self, now)
	succeeded := false
	// Who is present has to be heard of first.
	if now.Sub(h.red) >= cfg.Grace {
		acting := next.Acting.Value
		if next, succeeded = next.Succeed(h.seen, cfg.Self, now, cfg.Grace); succeeded {
			cfg.Logger.Info("who stands in for the hosts has changed", "room", h.name, "before", acting, "now", next.Acting.Value)
		}
	}
	if !begun && !succeeded {
		return stage.State{}
	}
	return h.set(next)
}

// ask fetches from somebody who is ahead. The lock is held.
func (h *held) ask(ctx context.Context, wall time.Time) {
	fetch := h.rooms.cfg.Fetch
	if fetch == nil || wall.Sub(h.fetched) < fetchEvery {
		return
	}
	var longest *Mirror
	for m := range h.mirrors {
		if m.signal.isAhead() && (longest == nil || m.asked.Before(longest.asked)) {
			longest = m
		}
	}
	if longest == nil || !take(h.busy) {
		return
	}
	longest.asked, h.fetched = wall, wall
	relay := longest.relay
	h.rooms.tasks.Go(func() {
		defer give(h.busy)
		ctx, stop := context.WithTimeout(ctx, tellFor)
		defer stop()
		document, err := fetch(ctx, relay, h.name)
		if err == nil {
			err = h.rooms.Offer(h.name, document)
		}
		if err != nil && ctx.Err() == nil {
			h.rooms.cfg.Logger.Warn("a room's state cannot be had from a relay that has more of it", "room", h.name, "relay", relay, "cause", err)
		}
		h.poke()
	})
}

// report tells the roots who is present, and has those noted who are not.
func (h *held) report(ctx context.Context, roots []string, present []stage.Actor, state stage.State, wall time.Time) {
	h.join(ctx, present, state, wall)
	if wall.Sub(h.told) < tellEvery || len(present) == 0 || !state.Exists() || h.rooms.cfg.Tell == nil {
		return
	}
	h.told = wall
	order := Order{}
	for _, who := range present[:min(len(present), maxPresent)] {
		order.Present = append(order.Present, who.Subject)
	}
	for _, root := range roots {
		if root == h.rooms.cfg.Self {
			continue
		}
		busy := h.telling[root]
		if busy == nil {
			busy = make(chan struct{}, 1)
			h.telling[root] = busy
		}
		if !take(busy) {
			continue
		}
		h.rooms.tasks.Go(func() {
			defer give(busy)
			ctx, stop := context.WithTimeout(ctx, tellFor)
			defer stop()
			_, _ = h.rooms.cfg.Tell(ctx, root, h.name, order) // told again soon
		})
	}
}

// join has one of those noted who came with a token for the stage.
func (h *held) join(ctx context.Context, present []stage.Actor, state stage.State, wall time.Time) {
	i := slices.IndexFunc(present, func(who stage.Actor) bool {
		return (state.Exists() || who.Role == token.RoleHost) && !state.Noted(who) && !state.Banned(who.Subject)
	})
	if i < 0 {
		h.hosted = time.Time{}
		return
	}
	if !h.isSynced || state.Phase.Value == stage.Ended || h.awaitsCopy(state, wall) || !take(h.joining) {
		return
	}
	order := Order{Actor: present[i], Command: stage.Command{Do: stage.Join}}
	h.rooms.tasks.Go(func() {
		defer give(h.joining)
		if _, err := h.rooms.Command(ctx, h.name, order); err != nil && ctx.Err() == nil {
			h.rooms.cfg.Logger.Warn("somebody on the stage cannot be noted", "room", h.name, "subject", order.Actor.Subject, "cause", err)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			return
		}
		// What it has changed is heard from the root in a moment.
		select {
		case <-time.After(aheadAfter):
		case <-ctx.Done():
		}
		h.poke()
	})
}

// awaitsCopy reports whether somebody who has come may still bring the room.
func (h *held) awaitsCopy(state stage.State, wall time.Time) bool {
	switch {
	case state.Exists():
		h.hosted = time.Time{}
		return false
	case h.hosted.IsZero():
		h.hosted = wall
	}
	return wall.Sub(h.hosted) < copyFor
}

// take and give make a channel of one place a lock that nobody waits for.
func take(busy chan struct{}) bool {
	select {
	case busy <- struct{}{}:
		return true
	default:
		return false
	}
}

func give(busy chan struct{}) { <-busy }
