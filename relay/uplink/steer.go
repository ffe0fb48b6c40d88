package uplink

import (
	"context"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/relay/plan"
)

// steer opens and closes ways, as the plan wants it, or as the directory does
// while there is no plan that leads anywhere.
func (a *attendance) steer(ctx context.Context, v view) (next time.Time) {
	a.assess(v.now)
	wanted := make(map[string]bool)
	if p := a.mover.Plan(); p != nil {
		a.begin(p)
		next = a.step(ctx, v)
		for _, h := range a.held {
			wanted[h.Old.Parent], wanted[h.New.Parent] = true, true
		}
	}
	if !a.usable(v) || v.cutOff || a.isStranded(v.now) {
		for _, root := range parents(a.rooms.cfg.Self, v.roots) {
			wanted[root] = true
		}
	}
	delete(wanted, "")
	for relay := range wanted {
		a.open(ctx, v.now, relay)
	}
	a.letGo(v.now, wanted)
	if !a.stranded.IsZero() && !a.isStranded(v.now) {
		next = sooner(next, a.stranded.Add(strandedAfter))
	}
	return next
}

// parents are the relays that this one takes a room from while there is no plan:
// the room's roots, but not itself.
func parents(self string, roots []string) []string {
	return slices.DeleteFunc(slices.Clone(roots), func(name string) bool { return name == self })
}

// assess finds out how all ways do.
func (a *attendance) assess(now time.Time) {
	a.mu.Lock()
	for _, w := range a.ways {
		most := 0
		for _, o := range a.ways {
			if o != w && o.up {
				most = max(most, o.live)
			}
		}
		w.assess(now, most)
	}
	a.mu.Unlock()
	switch {
	case a.works():
		a.stranded = time.Time{}
	case a.stranded.IsZero():
		a.stranded = now
	}
}

// isStranded reports whether nothing has worked for a while.
func (a *attendance) isStranded(now time.Time) bool {
	return !a.stranded.IsZero() && now.Sub(a.stranded) >= strandedAfter
}

// begin makes what was held before the first plan the parents to move from.
func (a *attendance) begin(p *plan.Plan) {
	if a.planned {
		return
	}
	a.planned = true
	var rest []string
	for relay := range a.ways {
		if relay != p.Root(plan.Red) && relay != p.Root(plan.Blue) {
			rest = append(rest, relay)
		}
	}
	slices.Sort(rest)
	for _, c := range plan.Colours {
		root := p.Root(c)
		switch {
		case root == a.rooms.cfg.Self:
		case a.ways[root] != nil:
			a.held[c].Old.Parent = root
		case len(rest) > 0:
			a.held[c].Old.Parent, rest = rest[0], rest[1:]
		}
	}
}

// step goes towards the parents that the plan wants, as far as the order allows
// now.
func (a *attendance) step(ctx context.Context, v view) (next time.Time) {
	for range maxSteps {
		for c := range a.held {
			for _, w := range []*plan.Way{&a.held[c].Old, &a.held[c].New} {
				if w.Parent == "" {
					continue
				}
				w.Health = plan.Trying
				if held := a.ways[w.Parent]; held != nil {
					w.Health = held.health
				}
			}
		}
		m := a.mover.Next(v.now, a.held, v.knows)
		if m.Step == plan.Stay {
			return m.At
		}
		h := &a.held[m.Colour]
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
			a.open(ctx, v.now, m.Parent)
		}
		a.rooms.cfg.Logger.Debug("parent", "room", a.room.name, "take", m.Step == plan.Take, "colour", m.Colour, "relay", m.Parent)
	}
	return v.now.Add(lookEvery)
}

// open begins a way, unless there is one.
func (a *attendance) open(ctx context.Context, now time.Time, relay string) {
	if a.ways[relay] != nil {
		return
	}
	child, stop := context.WithCancel(ctx)
	w := &way{relay: relay, opened: now, stop: stop}
	a.ways[relay] = w
	a.tasks.Go(func() { a.hold(child, w) })
}

// letGo closes the ways that are not wanted any more: one that works when all
// that should take its place do, or a while later if at least some does. Nothing
// is let go on a view of the network that may be a second old.
func (a *attendance) letGo(now time.Time, wanted map[string]bool) {
	all, some := len(wanted) > 0, false
	for relay := range wanted {
		works := a.ways[relay].health == plan.Working
		all, some = all && works, some || works
	}
	for relay, w := range a.ways {
		switch {
		case wanted[relay]:
			w.unwanted = time.Time{}
			continue
		case w.unwanted.IsZero():
			w.unwanted = now
		}
		late := now.Sub(w.unwanted) >= leaveAfter && (some || len(wanted) == 0)
		if all || late || w.health == plan.Dead {
			w.stop()
			delete(a.ways, relay)
		}
	}
}

// parents are whom the room is taken from, red and blue.
func (a *attendance) parents(v view) (names [2]string) {
	if a.usable(v) {
		for c, h := range a.held {
			names[c] = h.Old.Parent
		}
		return names
	}
	for c, root := range v.roots {
		if c < 2 && root != a.rooms.cfg.Self {
			names[c] = root
		}
	}
	return names
}
