package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/admission"
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

// stop ends a relay's process in good order.
func (w *world) stop(r *node) {
	if !r.up {
		return
	}
	life := r.life
	r.up, r.mute, r.drain = false, w.now, nil
	w.disturb()
	w.depart(r)
	w.loseSpeakers(r, w.c.RTT("", "")/2)
	for _, list := range [][]int32{w.crowd(r.primaries), w.crowd(r.standbys)} {
		for _, id := range list {
			w.wakeUp(id)
			l := &w.people[id]
			l.struck = true
			a := l.awake
			for i := range a.sessions {
				if s := &a.sessions[i]; s.relay == r.id && s.life == life {
					w.tell(id, s.id, ended, w.now+s.trip/2)
					break
				}
			}
			w.rest(id)
		}
	}
	for _, p := range slices.Clone(r.parts) {
		w.unlink(p)
	}
	w.cease(r)
}

// A drain is how a relay empties itself.
type drain struct {
	began, deadline time.Duration
	told            map[int32]bool
	batch           int
	then            func()
}

// handOver is how long a relay that drains goes on at the least while others take
// rooms from it (relay/drain.go).
const handOver = 5 * time.Second

// drain asks everybody at a relay to go elsewhere, and ends it; it comes back after
// a while, if it does.
func (w *world) drain(r *node, deadline, down time.Duration) {
	if !r.ready() || r.frozen || r.drain != nil {
		return
	}
	w.struck(r)
	d := &drain{began: w.now, deadline: w.now + deadline, told: make(map[int32]bool)}
	d.batch = relay.DrainBatch(r.sessions, deadline)
	r.drain = d
	life := r.life
	d.then = func() {
		w.stop(r)
		if down > 0 {
			w.after(down, func() {
				if r.life == life {
					w.start(r)
				}
			})
		}
	}
	w.setState(r, membership.Draining)
	for _, p := range r.parts {
		w.stirRoots(p.rm)
		w.turnAt(p, w.now)
	}
	w.askSpeakers(r)
	w.drainOn(r, life)
}

// drainOn asks the next few, and ends when nobody is left or it is time.
func (w *world) drainOn(r *node, life int32) {
	d := r.drain
	if d == nil || r.life != life || !r.up {
		return
	}
	n := 0
	for _, list := range [][]int32{w.crowd(r.primaries), w.crowd(r.standbys)} {
		for _, id := range list {
			if n == d.batch {
				break
			}
			if !d.told[id] {
				d.told[id] = true
				n++
				w.askToLeave(id, r, drained)
			}
		}
	}
	if w.now >= d.deadline || r.sessions == 0 && (w.now-d.began >= handOver || !w.taken(r)) {
		d.then()
		return
	}
	w.after(relay.GoawayEvery, func() { w.drainOn(r, life) })
}

// taken reports whether other relays take a room from this one.
func (w *world) taken(r *node) bool {
	for _, p := range r.parts {
		for _, o := range p.rm.list {
			if o != p && o.way(r.name) != nil {
				return true
			}
		}
	}
	return false
}

// askToLeave sends a listener a GOAWAY.
func (w *world) askToLeave(id int32, r *node, what int32) {
	w.wakeUp(id)
	a := w.people[id].awake
	if s := a.with(r.id); s != nil {
		w.tell(id, s.id, what, w.now+s.trip/2)
	}
	w.rest(id)
}

// roll drains one relay after the other, each zone's in turn, and starts it again.
func (w *world) roll(h *Strike) {
	var turn []*node
	for _, r := range w.relays {
		if r.up && (h.Zone == "" || w.zones[r.zone] == h.Zone) {
			turn = append(turn, r)
		}
	}
	slices.SortStableFunc(turn, func(a, b *node) int { return cmp.Compare(a.zone, b.zone) })
	w.happen("roll", len(turn), w.listening)
	var next func()
	next = func() {
		for range min(h.AtOnce, len(turn)) {
			r := turn[0]
			turn = turn[1:]
			w.drain(r, h.Deadline.get(), h.Down.get())
		}
		if len(turn) > 0 {
			w.after(h.Every.get(), next)
		}
	}
	next()
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

// split parts the network: some zones neither hear nor feed the others. Clients
// reach both sides.
func (w *world) split(h *Strike) {
	n := 0
	for i, name := range w.zones {
		w.side[i] = 0
		if slices.Contains(h.Zones, name) {
			w.side[i] = 1
			n += len(w.byZone[i])
		}
	}
	w.happen("split", n, 0)
	w.splitAt = w.now
	for _, rm := range w.rooms {
		rm.newest[1] = rm.newest[0]
		rm.unsettled = true
		w.dirty(rm)
	}
	for _, r := range w.relays {
		if r.alive() {
			w.vanish(r, func(zone int32) bool { return !w.hears(zone, r.zone) })
			for _, p := range slices.Clone(r.parts) {
				at := p
				for _, after := range []time.Duration{hush, linkIdle + time.Millisecond} {
					w.after(after, func() {
						if at.rm.parts[at.r.id] == at {
							w.turnAt(at, w.now)
						}
					})
				}
			}
		}
	}
	w.after(h.Down.get(), w.heal)
}

// healFor is how long directories take to find each other again after a split:
// relays tell those that they have given up (membership/tuning.go).
const healFor = 3 * time.Second

// heal ends a split.
func (w *world) heal() {
	short := w.now-w.splitAt < linkIdle
	for i := range w.side {
		w.side[i] = 0
	}
	w.happen("heal", len(w.relays), 0)
	delay := healFor
	if short {
		delay = 0
	}
	w.after(delay, func() {
		for zone, v := range w.views {
			for _, r := range w.relays {
				if r.alive() {
					told := r.told
					w.after(w.gossip(int32(zone), r.zone), func() { v.hear(r.id, told); v.hush(r.id, false) })
				}
			}
		}
		w.after(time.Second, w.reunite)
	})
	for _, rm := range w.rooms {
		rm.unsettled = true
		w.dirty(rm)
	}
}

// reunite lets the newer of two plans go on: roots ask those that the directory
// would have in their place, and they each other (relay/uplink/following.go).
func (w *world) reunite() {
	for _, rm := range w.rooms {
		newest := rm.newest[0]
		if other := rm.newest[1]; other != nil && (newest == nil || other.Version().Newer(newest.Version())) {
			newest = other
		}
		rm.newest[0], rm.newest[1] = newest, nil
		for _, p := range rm.list {
			if newest != nil {
				w.take(p, newest)
			}
			w.turnAt(p, w.now+50*time.Millisecond)
		}
	}
}

// shed asks the newest listeners to go to emptier relays.
func (w *world) shed(r *node, total float64) {
	ladder := admission.At(total, r.loads.Work())
	if !ladder.Shed || !r.ready() || w.now-r.shedAt < relay.ShedEvery {
		return
	}
	known := w.views[r.zone].reachable(w.byName)
	var others []float64
	for i := range known {
		if o := &known[i]; o.Name != r.name && o.State == membership.Ready {
			others = append(others, float64(o.Load))
		}
	}
	var newest []int32
	for _, id := range r.primaries {
		if !w.people[id].asked {
			newest = append(newest, id)
		}
	}
	n := admission.ToShed(ladder, len(newest), others)
	if n == 0 {
		return
	}
	slices.SortFunc(newest, func(a, b int32) int {
		return cmp.Or(cmp.Compare(w.people[b].came, w.people[a].came), cmp.Compare(b, a))
	})
	r.shedAt = w.now
	for _, id := range newest[:n] {
		w.people[id].asked = true
		w.askToLeave(id, r, loaded)
	}
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
