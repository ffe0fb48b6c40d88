package relay

import (
	"context"
	"errors"
	"time"

	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/api"
)

var (
	// ErrNobodyElse says that no other relay could take this one's sessions.
	ErrNobodyElse = errors.New("no other relay is ready to take the sessions")
	// ErrDraining says that the relay drains already.
	ErrDraining = errors.New("draining already")
	// ErrUndrained says that a drain was called off.
	ErrUndrained = errors.New("the drain was called off")
)

const (
	// DefaultDrain is how long a drain may take if nobody says otherwise.
	DefaultDrain = 30 * time.Second
	// handOver is how long a draining relay goes on at the least while others take
	// rooms from it: they hear of it by gossip, open a way to its successor and let
	// go of it 3 s later.
	handOver = 5 * time.Second
	// leastBatch sessions at the least are asked to leave at once, then the next
	// after GoawayEvery: each makes a handshake at the relay it goes to, and those
	// who listen there are not to notice.
	leastBatch = 10
	// GoawayEvery is how long a drain waits until it asks the next.
	GoawayEvery = 100 * time.Millisecond
	// drainLook is how often a drain looks who is left.
	drainLook = 50 * time.Millisecond
)

// Drain asks every session to go on at another relay and returns when all have,
// or when the deadline is there and the rest was closed, with what became of
// them. The relay takes nobody meanwhile nor afterwards, until Undrain.
func (r *Relay) Drain(ctx context.Context, deadline time.Duration) (api.Drained, error) {
	if r.mesh == nil || !r.othersReady() {
		return api.Drained{}, ErrNobodyElse
	}
	if !r.state.Swap(func(s State) (State, bool) { return Draining, s == Ready }) {
		return api.Drained{}, ErrDraining
	}
	ctx, stop := context.WithTimeout(ctx, deadline)
	defer stop()
	_, changed := r.state.Get()
	r.tasks.Go(func() {
		select {
		case <-changed:
			stop()
		case <-ctx.Done():
		}
	})
	d := r.empty(ctx)
	if r.State() != Draining {
		return d, ErrUndrained
	}
	return d, nil
}

// leave is the drain at the end of the relay's life, which nobody calls off.
func (r *Relay) leave(deadline time.Duration) {
	r.state.Set(Draining)
	if r.mesh == nil || deadline <= 0 || !r.othersReady() {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), deadline)
	defer stop()
	r.log.Info("draining", "sessions", len(r.clients()), "deadline", deadline)
	d := r.empty(ctx)
	r.log.Info("drained", "moved", d.Moved, "closed", d.Closed, "frames_lost", d.FramesLost, "took", time.Duration(d.TookMS)*time.Millisecond)
}

// Undrain takes newcomers again.
func (r *Relay) Undrain() error {
	if !r.state.Swap(func(s State) (State, bool) { return Ready, s == Draining }) {
		return errors.New("the relay does not drain")
	}
	return nil
}

// othersReady reports whether there is a relay to go to.
func (r *Relay) othersReady() bool {
	return len(placement.Place("", r.reachable(), placement.Options{
		Purpose: placement.Speak, Count: 1, Exclude: []string{r.cfg.Name},
	})) > 0
}

// empty moves everybody away until nobody is left or ctx ends.
func (r *Relay) empty(ctx context.Context) api.Drained {
	began := time.Now()
	clients := r.clients()
	all := make(map[*peer]struct{}, len(clients))
	var before uint64
	for _, p := range clients {
		all[p] = struct{}{}
		before += p.deliver.Counters.Lost()
	}
	told := make(map[*peer]struct{})
	batch := leastBatch
	if deadline, ok := ctx.Deadline(); ok {
		batch = DrainBatch(len(clients), time.Until(deadline))
	}
	tick := time.NewTicker(drainLook)
	defer tick.Stop()
	var next time.Time
	for {
		left := r.clients()
		if now := time.Now(); now.After(next) {
			next = now.Add(GoawayEvery)
			r.ask(ctx, left, told, batch)
		}
		if len(left) == 0 && (r.unwanted() || time.Since(began) >= handOver) {
			break
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		break
	}
	d := api.Drained{TookMS: time.Since(began).Milliseconds()}
	left := r.clients()
	if r.State() == Draining {
		for _, p := range left {
			p.session.Close(protocol.CodeClosed, "this relay is being drained; use another")
			d.Closed++
		}
	} else {
		d.Stayed = len(left)
	}
	var after uint64
	for p := range all {
		after += p.deliver.Counters.Lost()
	}
	d.Moved = max(0, len(all)-len(left))
	d.FramesLost = after - before
	return d
}

// DrainBatch is how many of so many sessions a drain asks to leave at a time, so that all have
// been when half of the time is over.
func DrainBatch(sessions int, within time.Duration) int {
	rounds := max(1, int(within/2/GoawayEvery))
	return max(leastBatch, (sessions+rounds-1)/rounds)
}

// clients are the sessions that are no relay's.
func (r *Relay) clients() []*peer {
	var out []*peer
	for _, p := range r.snapshot() {
		if p.relay == "" {
			out = append(out, p)
		}
	}
	return out
}

// ask tells a few of those who have not been told to go on elsewhere, and where.
func (r *Relay) ask(ctx context.Context, left []*peer, told map[*peer]struct{}, batch int) {
	n := 0
	for _, p := range left {
		if _, done := told[p]; done || !p.isAdmitted() {
			continue // one that has only begun is asked when it is known where it wants to go
		}
		if n++; n > batch {
			return
		}
		told[p] = struct{}{}
		r.tasks.Go(func() {
			ctx, stop := context.WithTimeout(ctx, time.Second)
			defer stop()
			if err := p.session.Goaway(ctx, r.successor(p)); err != nil {
				p.log.Debug("cannot be asked to leave", "cause", err) // it is closed at the deadline
			}
		})
	}
}

// successor is the URL where a session should go on, "" if that is up to it.
func (r *Relay) successor(p *peer) string {
	if r.mesh == nil {
		return ""
	}
	room, listens := p.purpose()
	o := placement.Options{
		Zone: r.cfg.Zone, Count: 1, Exclude: []string{r.cfg.Name},
		Spread: r.standbySpread(room), Who: p.who,
		Roots: r.liveRoots(room),
	}
	if !listens {
		o.Purpose = placement.Speak
	}
	places := placement.Place(room, r.reachable(), o)
	if len(places) == 0 {
		return ""
	}
	return roomURL(places[0].URL, room)
}

// unwanted reports whether no other relay takes a room from this one.
func (r *Relay) unwanted() bool {
	for _, p := range r.snapshot() {
		if p.relay != "" && p.deliver.Takes("") {
			return false
		}
	}
	return true
}
