package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay/plan"
	"github.com/stentor-audio/stentor/relay/uplink"
)

// A way leads from a parent.
type way struct {
	parent   *node
	life     int32 // of the parent, when it was opened
	up       bool
	verdict  uplink.Verdict
	unwanted time.Duration
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
