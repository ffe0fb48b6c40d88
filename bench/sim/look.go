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

// turnAt has a relay look around in a room at a time, or before.
func (w *world) turnAt(p *part, at time.Duration) {
	if at >= p.turnAt || at == never {
		return
	}
	p.turnAt = at
	w.push(event{at: max(at, w.now), kind: turn, a: p.rm.id, b: p.r.id})
}

// stirRoots has those look around who may write the next plan of a room.
func (w *world) stirRoots(rm *room) {
	rm.unsettled = true
	for side, pl := range rm.newest {
		if pl == nil {
			continue
		}
		red, blue := pl.Roots()
		for _, name := range []string{red, blue} {
			if p := rm.parts[w.byName[name]]; p != nil && int(w.side[p.r.zone]) == side {
				w.turnAt(p, w.now)
			}
		}
	}
}

// stirZone has all parts in a zone look around that are concerned with the
// directory: roots, and those without a plan.
func (w *world) stirZone(zone int32) {
	for _, id := range w.byZone[zone] {
		for _, p := range w.relays[id].parts {
			pl := p.mover.Plan()
			if pl == nil || w.concerned(p, pl) {
				w.turnAt(p, w.now)
			}
		}
	}
}

func (w *world) concerned(p *part, pl *plan.Plan) bool {
	red, blue := pl.Roots()
	name := p.r.name
	return name == red || name == blue || w.directoryRoots(p)[0] == name || p.stranded != never
}

// take adopts a plan; false if it is not newer.
func (w *world) take(p *part, pl *plan.Plan) bool {
	return p.mover.Adopt(clock(w.now), pl) == nil
}

// look of a relay around a room: uplink's attendance.turn.
func (w *world) lookAround(p *part) {
	p.turnAt = never
	if p.life != p.r.life || !p.r.alive() || p.rm.parts[p.r.id] != p {
		return
	}
	roots, known, cutOff := w.surroundings(p)
	next := w.keep(p, roots, known)
	w.assess(p)
	next = min(next, w.step(p, known))
	w.source(p, roots, known, cutOff)
	if !p.steady() {
		next = min(next, w.now+uplink.LookEvery)
	}
	if next != never {
		w.turnAt(p, max(next, w.now+5*time.Millisecond))
	}
}

// surroundings are the roots by the directory and the directory itself, without
// those that are quiet if nothing is heard of any relay that the room comes from.
func (w *world) surroundings(p *part) (roots []string, known []membership.Relay, cutOff bool) {
	known = w.views[p.r.zone].known
	names := w.directoryRoots(p)
	pl := p.mover.Plan()
	var quiet []string
	sources := 0
	count := func(name string) {
		if name == "" || name == p.r.name {
			return
		}
		sources++
		if lost := w.lost(p.r, w.relays[w.byName[name]]); lost != never && w.now-lost >= hush {
			quiet = append(quiet, name)
		}
	}
	if pl != nil {
		count(pl.Root(plan.Red))
		count(pl.Root(plan.Blue))
		for _, h := range p.held {
			count(h.Old.Parent)
			count(h.New.Parent)
		}
	} else {
		count(names[0])
		count(names[1])
	}
	isRoot := pl != nil && (pl.Root(plan.Red) == p.r.name || pl.Root(plan.Blue) == p.r.name)
	if sources > 0 && len(quiet) == sources && !isRoot {
		cutOff = true
		known = slices.DeleteFunc(slices.Clone(known), func(r membership.Relay) bool { return slices.Contains(quiet, r.Name) })
		red, blue := placement.Roots(p.rm.name, known)
		names = [2]string{red.Name, blue.Name}
	}
	for _, name := range names {
		if name != "" {
			roots = append(roots, name)
		}
	}
	return roots, known, cutOff
}

// keep writes the room's next plan, if that is up to this relay.
func (w *world) keep(p *part, roots []string, known []membership.Relay) (next time.Duration) {
	for range maxSteps {
		pl := p.mover.Plan()
		first := len(roots) > 0 && roots[0] == p.r.name
		var red, blue string
		if pl != nil {
			red, blue = pl.Roots()
		}
		if !first && p.r.name != red && p.r.name != blue {
			return never
		}
		s := uplink.Situation{
			Self: p.r.name, Room: p.rm.name, Degree: w.s.Network.Degree, Plan: pl,
			Roots: roots, Known: w.withSelf(known, p.r),
		}
		if pl != nil {
			if p.r.name == red {
				s.Asking = w.asking(p)
			}
			s.Hearing = p.r.name == red || w.hearsPlan(p, red)
		}
		fresh, at, err := p.keeper.Next(clock(w.now), s)
		if err != nil && w.fault == nil {
			w.fault = err
		}
		next = since(at)
		if fresh == nil {
			return next
		}
		if !w.take(p, fresh) {
			return next
		}
		w.published(p, pl, fresh)
	}
	return w.now
}

// withSelf is a directory with a relay's own state, of which it may have heard
// before the directory.
func (w *world) withSelf(known []membership.Relay, r *node) []membership.Relay {
	own, ok := membership.Find(known, r.name)
	if !ok || own.State == r.told.State {
		return known
	}
	known = slices.Clone(known)
	for i := range known {
		if known[i].Name == r.name {
			known[i].State = r.told.State
		}
	}
	return known
}

// hearsPlan reports whether the session by which the plan is followed at a relay
// lives.
func (w *world) hearsPlan(p *part, relay string) bool {
	at := w.relays[w.byName[relay]]
	lost := w.lost(p.r, at)
	return at.up && (lost == never || w.now-lost < linkIdle)
}

// asking is who follows the plan at a root, and takes part.
func (w *world) asking(root *part) map[string]bool {
	asking := make(map[string]bool, len(root.rm.list))
	for _, p := range root.rm.list {
		if p == root || p.life != p.r.life || !p.r.up {
			continue
		}
		lost := w.lost(root.r, p.r)
		arrived := p.began+3*w.trip(p.r, root.r) <= w.now
		if arrived && (lost == never || w.now-lost < linkIdle) {
			asking[p.r.name] = p.sessions > 0 || p.idle != never || p.remote
		}
	}
	return asking
}

// published takes note of a new plan and sends it on its way.
func (w *world) published(p *part, before, pl *plan.Plan) {
	rm, side := p.rm, w.side[p.r.zone]
	w.res.Messages.Plans++
	if newest := rm.newest[side]; newest == nil || pl.Version().Newer(newest.Version()) {
		rm.newest[side] = pl
	}
	w.verify(rm, before, pl)
	rm.unsettled = true
	for zone := range w.zones {
		if w.side[zone] != side {
			continue
		}
		delay := w.trips[p.r.zone][zone]/2 + w.c.Time(cost.Delay50)
		w.after(delay, func() { w.spread(rm, int32(zone), pl) })
	}
}

// spread lets the relays of a zone take a plan. Those look around whose parents it
// changes; for the others there is nothing to do.
func (w *world) spread(rm *room, zone int32, pl *plan.Plan) {
	for _, p := range rm.list {
		if p.r.zone != zone || !p.r.alive() || !w.take(p, pl) {
			continue
		}
		want := w.wanted(rm, pl, p.r.name)
		red, blue := pl.Roots()
		if !p.planned || p.held[0].Old.Parent != want[0] || p.held[1].Old.Parent != want[1] ||
			p.held[0].New.Parent != "" || p.held[1].New.Parent != "" || p.r.name == red || p.r.name == blue {
			w.turnAt(p, w.now)
		}
	}
}
