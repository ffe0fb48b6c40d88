package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/relay/plan"
)

// strike does what a scenario says happens.
func (w *world) strike(h *Strike) {
	whom := w.whom(h)
	note := func(what string) *happened {
		n := 0
		for _, r := range whom {
			n += len(r.primaries)
		}
		return w.happen(what, len(whom), n)
	}
	if w.before == nil {
		w.before = w.snapshotTree()
	}
	switch h.Do {
	case "add":
		w.add(h)
	case "kill", "freeze":
		note(h.Do)
		for _, r := range whom {
			w.fell(r, h.Do == "freeze", h.Down.get())
		}
	case "drain":
		note(h.Do)
		for _, r := range whom {
			w.drain(r, h.Deadline.get(), h.Down.get())
		}
	case "roll":
		w.roll(h)
	case "flap":
		note(h.Do)
		for i, r := range whom {
			w.flap(r, h, w.now+h.For.get(), time.Duration(i)*(h.Up+h.Down).get()/time.Duration(len(whom)))
		}
	case "split":
		w.split(h)
	}
}

// whom are the relays that something happens to.
func (w *world) whom(h *Strike) []*node {
	var there []*node
	for _, r := range w.relays {
		if r.up && (h.Zone == "" || w.zones[r.zone] == h.Zone) {
			there = append(there, r)
		}
	}
	switch {
	case h.Do == "add" || h.Do == "split" || h.Do == "roll":
		return nil
	case h.Role != "":
		return w.byRole(there, h.Role)
	}
	n := len(there)
	if h.Relays > 0 {
		n = min(n, h.Relays)
	} else if h.Share > 0 {
		n = max(1, int(h.Share*float64(n)+0.5))
	}
	if n < len(there) {
		w.fate.Shuffle(len(there), func(i, j int) { there[i], there[j] = there[j], there[i] })
		there = there[:n]
		slices.SortFunc(there, func(a, b *node) int { return cmp.Compare(a.id, b.id) })
	}
	return there
}

// byRole is the relay of a role in the first room, or both that are its roots.
func (w *world) byRole(there []*node, role string) []*node {
	rm := w.rooms[0]
	var red, blue string
	for _, pl := range rm.newest {
		if pl != nil {
			red, blue = pl.Root(plan.Red), pl.Root(plan.Blue)
		}
	}
	var best *node
	var roots []*node
	for _, r := range there {
		switch {
		case role == "roots" && (r.name == red || r.name == blue):
			roots = append(roots, r)
		case role == "red" && r.name == red, role == "blue" && r.name == blue:
			return []*node{r}
		case role == "edge" && r.name != red && r.name != blue && (best == nil || len(r.primaries) > len(best.primaries)):
			best = r
		}
	}
	if best == nil || role != "edge" {
		return roots
	}
	return []*node{best}
}

// add starts more relays, as many in each zone as in the others, or in one.
func (w *world) add(h *Strike) {
	w.happen("add", h.Relays, 0)
	zone := 0
	for range h.Relays {
		for h.Zone != "" && w.zones[zone%len(w.zones)] != h.Zone {
			zone++
		}
		w.start(w.build(zone % len(w.zones)))
		zone++
	}
}

// fell ends a relay's process without a word, or freezes it.
func (w *world) fell(r *node, freeze bool, down time.Duration) {
	if !r.alive() {
		return
	}
	life := r.life
	r.mute = w.now
	w.disturb()
	if freeze {
		r.frozen = true
	} else {
		r.up = false
	}
	w.struck(r)
	w.vanish(r, func(zone int32) bool { return w.hears(zone, r.zone) })
	for _, p := range slices.Clone(r.parts) {
		w.unlink(p)
	}
	w.loseSpeakers(r, idleEnd)
	for _, id := range w.crowd(r.primaries) {
		w.stir(id)
	}
	w.after(idleEnd, func() { w.lastEnd(r, life) })
	w.after(linkIdle, func() {
		if r.life == life && !r.up {
			w.cease(r)
		}
	})
	if down > 0 {
		w.after(down, func() {
			switch {
			case r.life != life:
			case freeze:
				w.thaw(r)
			default:
				w.start(r)
			}
		})
	}
}

// struck notes who listened at a relay that something happened to.
func (w *world) struck(r *node) {
	for _, id := range r.primaries {
		w.people[id].struck = true
	}
}

// unlink has those look around who take a room from a relay that has fallen silent,
// when they notice.
func (w *world) unlink(p *part) {
	rm := p.rm
	rm.unsettled = true
	w.dirty(rm)
	for _, o := range rm.list {
		if o == p || !o.r.alive() {
			continue
		}
		pl := o.mover.Plan()
		if o.way(p.r.name) == nil && (pl == nil || !w.concerned(o, pl)) {
			continue
		}
		for _, after := range []time.Duration{hush, linkIdle + time.Millisecond} {
			w.after(after, func() {
				if rm.parts[o.r.id] == o {
					w.turnAt(o, w.now)
				}
			})
		}
	}
}

// cease ends a relay's part in all rooms.
func (w *world) cease(r *node) {
	for _, p := range slices.Clone(r.parts) {
		w.quit(p)
	}
}

// lastEnd closes the sessions of those who still have one with a relay that has
// been silent for as long as clients bear it.
func (w *world) lastEnd(r *node, life int32) {
	if r.life == life && r.alive() {
		return
	}
	for _, list := range [][]int32{w.crowd(r.primaries), w.crowd(r.standbys)} {
		for _, id := range list {
			w.wakeUp(id)
			a := w.people[id].awake
			for i := range a.sessions {
				if s := &a.sessions[i]; s.relay == r.id && s.life == life && s.up {
					w.tell(id, s.id, ended, w.now)
					break
				}
			}
		}
	}
}

// thaw lets a frozen relay go on: what was frozen in it is gone, and who had a
// session with it for too long has none any more.
func (w *world) thaw(r *node) {
	if w.now-r.mute >= linkIdle {
		// It is another one to everybody: clients and relays have given up.
		r.frozen, r.up = false, false
		w.cease(r)
		w.start(r)
		return
	}
	r.frozen, r.mute = false, never
	for zone, v := range w.views {
		if w.hears(int32(zone), r.zone) {
			v.hush(r.id, false)
			v.hear(r.id, r.told)
		}
	}
	for _, p := range r.parts {
		w.dirty(p.rm)
		w.turnAt(p, w.now)
	}
	w.push(event{at: w.now + w.every, kind: measure, a: r.id, b: r.life})
}

// flap kills a relay again and again.
func (w *world) flap(r *node, h *Strike, until, first time.Duration) {
	var again func()
	again = func() {
		if w.now >= until {
			return
		}
		w.fell(r, false, h.Down.get())
		w.after(h.Down.get()+h.Up.get(), again)
	}
	w.after(first, again)
}

// A happened is something that happened, and whether the trees are whole again.
type happened struct {
	Happening
	at time.Duration
}

// happen notes that something did.
func (w *world) happen(what string, relays, listeners int) *happened {
	h := &happened{Happening: Happening{
		AtMS: w.now.Milliseconds(), What: what, Relays: relays, Listeners: listeners, ConvergeMS: -1,
	}, at: w.now}
	w.events = append(w.events, h)
	w.mark(h)
	w.disturb()
	return h
}
