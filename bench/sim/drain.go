package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/admission"
)

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
