package sim

import (
	"slices"
	"strings"
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

// A way leads from a parent.
type way struct {
	parent   *node
	life     int32 // of the parent, when it was opened
	up       bool
	verdict  uplink.Verdict
	unwanted time.Duration
}

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

// wanted are a relay's parents in the newest plan.
func (w *world) wanted(rm *room, pl *plan.Plan, relay string) [2]string {
	if want, ok := rm.parents[relay]; ok && pl == rm.newest[w.side[w.relays[w.byName[relay]].zone]] {
		return want
	}
	red, blue, _ := pl.Parents(relay)
	return [2]string{red, blue}
}

// way is the way from a parent; nil if there is none.
func (p *part) way(parent string) *way {
	for _, v := range p.ways {
		if v.parent.name == parent {
			return v
		}
	}
	return nil
}

// open begins a way, unless there is one.
func (w *world) open(p *part, parent string) {
	if p.way(parent) != nil || parent == p.r.name {
		return
	}
	r := w.relays[w.byName[parent]]
	v := &way{parent: r, life: r.life, verdict: uplink.OpenVerdict(clock(w.now)), unwanted: never}
	p.ways = append(p.ways, v)
	slices.SortFunc(p.ways, func(a, b *way) int { return strings.Compare(a.parent.name, b.parent.name) })
	w.dial(p, v)
}

// dial makes the link of a way, and tries again until it is there.
func (w *world) dial(p *part, v *way) {
	trip := w.trip(p.r, v.parent)
	w.after(time.Duration(linkTrips*float64(trip))+w.c.Time(cost.Delay50), func() {
		if !slices.Contains(p.ways, v) || p.life != p.r.life || v.up {
			return
		}
		if !w.linked(p.r, v.parent) {
			w.after(time.Second, func() { w.dial(p, v) })
			return
		}
		w.join(v.parent, p.rm, true)
		v.up, v.life = true, v.parent.life
		w.dirty(p.rm)
		w.turnAt(p, w.now)
	})
}

// stands reports whether a way's session lives, as its lower end knows.
func (w *world) stands(p *part, v *way) bool {
	lost := w.lost(p.r, v.parent)
	return v.up && v.parent.up && v.life == v.parent.life && (lost == never || w.now-lost < linkIdle)
}

// carries reports whether something comes by a way now.
func (w *world) carries(p *part, v *way) bool {
	return v.up && v.life == v.parent.life && p.life == p.r.life && w.linked(p.r, v.parent)
}

// has is how many broadcasts a relay announces of the room.
func (w *world) has(p *part) int {
	if p != nil && p.ever && (p.fed || w.now-p.outages[len(p.outages)-1].from < lingers) {
		return 1
	}
	return 0
}

// assess finds out how all ways do.
func (w *world) assess(p *part) {
	now := clock(w.now)
	for _, v := range p.ways {
		up := w.stands(p, v)
		if v.up && !up {
			v.up = false
			w.dial(p, v)
		}
		live := 0
		if up {
			live = w.has(p.rm.parts[v.parent.id])
		}
		v.verdict.Told(now, up, live)
	}
	works := false
	for _, v := range p.ways {
		most := 0
		for _, o := range p.ways {
			if o != v {
				most = max(most, o.verdict.Live())
			}
		}
		works = v.verdict.Assess(now, most) == plan.Working || works
	}
	switch {
	case works:
		p.stranded = never
	case p.stranded == never:
		p.stranded = w.now
	}
}

func (p *part) steady() bool {
	for _, v := range p.ways {
		if !v.verdict.Steady() || v.unwanted != never {
			return false
		}
	}
	return true
}

// step goes towards the parents that the plan wants.
func (w *world) step(p *part, known []membership.Relay) (next time.Duration) {
	pl := p.mover.Plan()
	if pl == nil {
		return never
	}
	w.begin(p, pl)
	alive := func(relay string) bool { _, ok := membership.Find(known, relay); return ok }
	for range maxSteps {
		for c := range p.held {
			for _, held := range []*plan.Way{&p.held[c].Old, &p.held[c].New} {
				if held.Parent == "" {
					continue
				}
				held.Health = plan.Trying
				if v := p.way(held.Parent); v != nil {
					held.Health = v.verdict.Health()
				}
			}
		}
		m := p.mover.Next(clock(w.now), p.held, alive)
		if m.Step == plan.Stay {
			return since(m.At)
		}
		h := &p.held[m.Colour]
		switch {
		case m.Step == plan.Take && h.Old.Parent == "":
			h.Old = plan.Way{Parent: m.Parent}
		case m.Step == plan.Take:
			h.New = plan.Way{Parent: m.Parent}
		case h.New.Parent == m.Parent:
			h.New = plan.Way{}
		default:
			*h = plan.Held{Old: h.New}
		}
		if m.Step == plan.Take {
			w.res.Messages.Moves++
			w.open(p, m.Parent)
		}
	}
	return w.now + uplink.LookEvery
}

// begin makes what was held before the first plan the parents to move from.
func (w *world) begin(p *part, pl *plan.Plan) {
	if p.planned {
		return
	}
	p.planned = true
	var rest []string
	red, blue := pl.Roots()
	for _, v := range p.ways {
		if v.parent.name != red && v.parent.name != blue {
			rest = append(rest, v.parent.name)
		}
	}
	for c, root := range []string{red, blue} {
		switch {
		case root == p.r.name:
		case p.way(root) != nil:
			p.held[c].Old.Parent = root
		case len(rest) > 0:
			p.held[c].Old.Parent, rest = rest[0], rest[1:]
		}
	}
}

// source opens and closes ways as what is held wants it, or the directory while
// there is no plan that leads anywhere.
func (w *world) source(p *part, roots []string, known []membership.Relay, cutOff bool) {
	var wanted []string
	pl := p.mover.Plan()
	usable := false
	if pl != nil {
		for _, h := range p.held {
			wanted = append(wanted, h.Old.Parent, h.New.Parent)
		}
		for _, c := range plan.Colours {
			if _, ok := membership.Find(known, pl.Root(c)); ok {
				usable = true
			}
		}
	}
	if stranded := p.stranded != never && w.now-p.stranded >= uplink.StrandedAfter; !usable || cutOff || stranded {
		wanted = append(wanted, roots...)
	}
	wanted = slices.DeleteFunc(wanted, func(name string) bool { return name == "" || name == p.r.name })
	for _, name := range wanted {
		w.open(p, name)
	}
	w.letGo(p, wanted)
}

// letGo closes the ways that are not wanted any more.
func (w *world) letGo(p *part, wanted []string) {
	all, some := len(wanted) > 0, false
	for _, name := range wanted {
		works := p.way(name).verdict.Health() == plan.Working
		all, some = all && works, some || works
	}
	kept := p.ways[:0]
	closed := false
	for _, v := range p.ways {
		if slices.Contains(wanted, v.parent.name) {
			v.unwanted = never
			kept = append(kept, v)
			continue
		}
		if v.unwanted == never {
			v.unwanted = w.now
		}
		late := w.now-v.unwanted >= leaveAfter && (some || len(wanted) == 0)
		if all || late || v.verdict.Health() == plan.Dead {
			closed = true
			continue
		}
		kept = append(kept, v)
	}
	p.ways = kept
	if closed {
		w.dirty(p.rm)
	}
}
