package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/relay/plan"
)

// ErrInvariant says that something was found that must never be, when, and where.
var ErrInvariant = errors.New("an invariant does not hold")

// violate notes that something must not be. The first is what ends the run.
func (w *world) violate(format string, args ...any) {
	if w.fault == nil {
		w.fault = fmt.Errorf("%w: at %v: %s", ErrInvariant, w.now-warmUp, fmt.Sprintf(format, args...))
	}
}

// verify looks at a plan that somebody has just made: how many relays each feeds
// and in which colours, how deep it is, whether all are reached from both roots, and
// how many relays it moves. It keeps the parents for those who follow the plan.
func (w *world) verify(rm *room, before, pl *plan.Plan) {
	w.res.Messages.Checked++
	if err := pl.Validate(); err != nil {
		w.violate("%s: %v", rm.name, err)
	}
	parents := make(map[string][2]string, pl.Len())
	feeds := make(map[string]plan.Colour, 2*pl.Degree())
	for _, c := range plan.Colours {
		nodes := pl.Tree(c)
		if len(nodes) != pl.Len() {
			w.violate("%s: %d of %d relays are reached by the %v tree of plan %v", rm.name, len(nodes), pl.Len(), c, pl.Version())
		}
		for i := range nodes {
			n := &nodes[i]
			w.res.DepthMax = max(w.res.DepthMax, n.Depth)
			w.res.DegreeMax = max(w.res.DegreeMax, len(n.Children))
			if len(n.Children) > pl.Degree() {
				w.violate("%s: %s feeds %d relays in the %v tree, and %d at most is wanted", rm.name, n.Relay, len(n.Children), c, pl.Degree())
			}
			if other, also := feeds[n.Relay]; also && other != c && len(n.Children) > 0 && pl.Len() > 2 {
				w.res.Disjoint = false
				w.violate("%s: %s feeds others in both colours", rm.name, n.Relay)
			}
			if len(n.Children) > 0 {
				feeds[n.Relay] = c
			}
			pair := parents[n.Relay]
			pair[c] = n.Parent
			parents[n.Relay] = pair
			if n.Parent == n.Relay {
				w.violate("%s: %s feeds itself in the %v tree", rm.name, n.Relay, c)
			}
		}
	}
	rm.parents = parents
	if before != nil && before.Len()-pl.Len() < 2 && pl.Len()-before.Len() < 2 {
		w.res.ReparentedMax = max(w.res.ReparentedMax, len(plan.Moved(before, pl)))
	}
}

// checkServed looks whether somebody is kept waiting by relays that have room: a
// lobby that has nobody to send newcomers to, although it has heard of such a
// relay, and has not sent it as many already as it has room for.
func (w *world) checkServed(a answer, at *node, o placement.Options) {
	if a.wait == 0 || a.first != nobody {
		return
	}
	if at.share > 0 {
		return // its own doors are what has to be waited for
	}
	open := w.views[at.zone].reachable(w.byName)
	if len(o.Exclude) > 0 {
		open = slices.DeleteFunc(slices.Clone(open), func(r membership.Relay) bool { return slices.Contains(o.Exclude, r.Name) })
	}
	if !placement.Full(open, at.sent.Pending(open, clock(w.now))) {
		w.violate("the lobby of %s lets a newcomer wait, although it knows a relay that has room", at.name)
	}
}

// disturb notes that the trees may not be whole any more, and looks until they are.
func (w *world) disturb() {
	if w.watching {
		return
	}
	w.watching = true
	began := w.now
	var look func()
	look = func() {
		for _, rm := range w.rooms {
			if rm.unsettled && !w.whole(rm) {
				w.after(watchEvery, look)
				return
			}
			rm.unsettled = false
		}
		w.watching = false
		took := (w.now - began).Milliseconds()
		w.res.ConvergeMS = max(w.res.ConvergeMS, took)
		for i := len(w.events) - 1; i >= 0; i-- {
			h := w.events[i]
			if i == len(w.events)-1 || h.ConvergeMS < 0 {
				h.ConvergeMS = max(h.ConvergeMS, took)
			}
		}
	}
	w.after(watchEvery, look)
}

const watchEvery = 200 * time.Millisecond

// whole reports whether every relay of a room has audio, and the parents that the
// newest plan gives it.
func (w *world) whole(rm *room) bool {
	for _, p := range rm.list {
		if !p.r.alive() || p.life != p.r.life {
			return false // it is still in the room, for those who do not know yet
		}
		pl := p.mover.Plan()
		newest := rm.newest[w.side[p.r.zone]]
		if !p.fed || pl == nil || newest == nil || pl.Version() != newest.Version() || !pl.Has(p.r.name) {
			if p.sessions > 0 {
				return false
			}
			continue
		}
		want := w.wanted(rm, pl, p.r.name)
		for c := range p.held {
			if p.held[c].New.Parent != "" || p.held[c].Old.Parent != want[c] {
				return false
			}
		}
	}
	for side, pl := range rm.newest {
		if pl == nil || side == 1 && w.splitAt == never {
			continue
		}
		for _, r := range pl.Relays() {
			if n := w.relays[w.byName[r.Name]]; int(w.side[n.zone]) == side && !n.up {
				return false
			}
		}
	}
	return true
}
