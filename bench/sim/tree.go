package sim

import (
	"slices"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/relay/plan"
	"github.com/stentor-audio/stentor/relay/uplink"
)

// How a room gets around. What a relay wants of whom says its plan.Mover, how a
// parent does uplink.Verdict, and when there is another plan uplink.Keeper. What
// package uplink does with goroutines and sessions stands here as events.

const (
	// linkIdle is when a relay gives up a link over which nothing comes
	// (relay/link.go), and hush after how long it looks for other parents if all are
	// quiet (relay/presence.go).
	linkIdle = 4 * time.Second
	hush     = 550 * time.Millisecond
	// lingers is for how long a broadcast without a source is still announced
	// (docs/architecture.md, who owns what).
	lingers = 5 * time.Second
	// leaveAfter is how long a way is kept that is no parent's any more
	// (relay/uplink/way.go).
	leaveAfter = 10 * time.Second
	// linkTrips is how many round trips it takes until something comes by a new way:
	// a handshake, the question, and half of one for the first packet.
	linkTrips = 2.5
	// idleFor is how long a relay takes part in a room in which nobody is any more
	// (relay/uplink/rooms.go).
	idleFor = 30 * time.Second
	// maxSteps is how many steps one look at the plan can lead to.
	maxSteps = 8
)

// A room is what happens in one room, on whatever relays.
type room struct {
	id    int32
	name  string
	parts map[int32]*part
	list  []*part // in the order in which they came

	voices    []*speaker
	order     []int32 // of relays, by id
	shorts    []shortlist
	newest    []*plan.Plan         // by side of a split
	parents   map[string][2]string // by the newest plan
	flowing   bool                 // the flow is to be worked out anew
	unsettled bool
}

// A part is a relay's part in a room.
type part struct {
	r     *node
	rm    *room
	life  int32
	began time.Duration

	sessions int           // that want the room here, speakers' included
	remote   bool          // it is a root that others ask
	idle     time.Duration // since when nobody wants it; never while somebody does

	mover    plan.Mover
	keeper   uplink.Keeper
	held     [2]plan.Held
	planned  bool
	ways     []*way
	stranded time.Duration // since when nothing works; never while something does
	turnAt   time.Duration
	roots    [2]string
	rootsOf  uint64 // the version of the directory that they are of

	// What comes through it.
	fed      bool
	ever     bool
	fedSince time.Duration
	latency  time.Duration
	outages  []outage
	reached  time.Duration // scratch of the flow
	feeds    int           // relays that take the room from here
}

// An outage is when a relay had nothing to pass on, and from when on it had what
// it missed.
type outage struct{ from, to time.Duration }

// join lets a relay take part in a room.
func (w *world) join(r *node, rm *room, remote bool) *part {
	if p := rm.parts[r.id]; p != nil {
		p.remote = p.remote || remote
		return p
	}
	p := &part{
		r: r, rm: rm, life: r.life, began: w.now, remote: remote, idle: never, stranded: never, turnAt: never,
		mover: plan.Mover{Room: rm.name, Self: r.name},
	}
	rm.parts[r.id] = p
	rm.list = append(rm.list, p)
	r.parts = append(r.parts, p)
	rm.unsettled = true
	w.turnAt(p, w.now)
	if remote {
		return p
	}
	// It asks the roots that the directory has, which hears of them; from there it
	// has the plan.
	var farthest time.Duration
	for _, name := range w.directoryRoots(p) {
		if name == "" || name == r.name {
			continue
		}
		root := w.relays[w.byName[name]]
		trip := w.trip(r, root)
		farthest = max(farthest, trip)
		w.after(trip*3/2, func() {
			if w.linked(r, root) && root.told.State != membership.Starting {
				w.turnAt(w.join(root, rm, true), w.now)
			}
		})
	}
	w.after(2*farthest+w.c.Time(cost.Delay50), func() {
		if newest := rm.newest[w.side[r.zone]]; newest != nil && rm.parts[r.id] == p {
			w.take(p, newest)
			w.turnAt(p, w.now)
		}
		w.stirRoots(rm)
	})
	return p
}

// quit ends a relay's part in a room.
func (w *world) quit(p *part) {
	rm := p.rm
	delete(rm.parts, p.r.id)
	rm.list = slices.DeleteFunc(rm.list, func(o *part) bool { return o == p })
	p.r.parts = slices.DeleteFunc(p.r.parts, func(o *part) bool { return o == p })
	w.stirRoots(rm)
	w.dirty(rm)
}

// wants counts sessions that want a room at a relay.
func (w *world) wants(r *node, rm *room, n int) {
	p := rm.parts[r.id]
	if p == nil {
		if n < 0 {
			return
		}
		p = w.join(r, rm, false)
	}
	p.sessions += n
	switch {
	case p.sessions > 0:
		p.idle = never
	case p.idle == never:
		p.idle = w.now
		at := w.now
		w.after(idleFor, func() {
			if p.idle == at && rm.parts[r.id] == p && !p.needed() {
				w.quit(p)
			}
		})
	}
}

// needed reports whether others need it although nobody is there: it is a root.
func (p *part) needed() bool {
	pl := p.mover.Plan()
	return p.remote && (pl == nil || pl.Root(plan.Red) == p.r.name || pl.Root(plan.Blue) == p.r.name)
}

// trip is the round trip between two relays.
func (w *world) trip(a, b *node) time.Duration { return w.trips[a.zone][b.zone] }

// linked reports whether two relays reach each other now.
func (w *world) linked(a, b *node) bool {
	return a.alive() && b.alive() && w.side[a.zone] == w.side[b.zone]
}

// lost is since when nothing comes from b to a; never if something does.
func (w *world) lost(a, b *node) time.Duration {
	if w.side[a.zone] != w.side[b.zone] {
		return min(b.mute, w.splitAt)
	}
	return b.mute
}

// directoryRoots are a room's roots by the directory of the part's zone.
func (w *world) directoryRoots(p *part) [2]string {
	v := w.views[p.r.zone]
	if p.rootsOf != v.version {
		red, blue := placement.Roots(p.rm.name, v.known)
		p.roots, p.rootsOf = [2]string{red.Name, blue.Name}, v.version
	}
	return p.roots
}

// liveRoots are a room's roots by the plan that a relay has; empty if it has none.
func (w *world) liveRoots(r *node, rm *room) (roots [2]string) {
	if p := rm.parts[r.id]; p != nil {
		if pl := p.mover.Plan(); pl != nil {
			roots[0], roots[1] = pl.Roots()
		}
	}
	return roots
}
