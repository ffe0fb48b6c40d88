package sim

import (
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/client/hop"
)

// remembered is how much of the past a machine is told that is made for a sleeping
// listener: long enough for it to have a standby, whatever its jitter.
const remembered = 2600 * time.Millisecond

// wakeUp makes a machine for a sleeping listener, and tells it of its last seconds
// what a client would have seen: its primary, packets with their jitter, and its
// standby. Then it is where the client is that it stands for.
func (w *world) wakeUp(id int32) {
	l := &w.people[id]
	if l.awake != nil {
		return
	}
	w.res.Messages.Woken++
	a := w.rise(l)
	l.awake = a
	a.informed, a.until = true, w.now+roused
	if l.primary == nobody {
		return // nobody sleeps without one
	}
	r := w.relays[l.primary]
	list := []hop.Candidate{bare(r.candidate)}
	if l.standby != nobody {
		list = append(list, bare(w.relays[l.standby].candidate))
	}
	past := max(w.now-remembered, 0)
	w.recall(id, l, past, hop.Event{Kind: hop.Candidates, Candidates: list})
	w.replay(id, l, past)
	if l.standby != nobody && a.with(l.standby) == nil {
		w.forgetStandby(id, l)
	}
	w.recall(id, l, w.now, hop.Event{Kind: hop.Candidates, Candidates: w.listOf(r, w.rooms[l.room], l)})
}

// recall steps a machine in its past: what it dials has been there for long.
func (w *world) recall(id int32, l *listener, at time.Duration, e hop.Event) {
	a := l.awake
	w.res.Messages.Steps++
	var dialled []hop.Session
	for _, effect := range a.m.Step(at, e) {
		s := a.session(effect.Session)
		switch effect.Kind {
		case hop.Dial:
			r := w.relays[w.byName[effect.Candidate.Name]]
			if r.id != l.primary && r.id != l.standby {
				w.do(id, l, w.now, effect)
				continue
			}
			a.sessions = append(a.sessions, session{
				id: effect.Session, relay: r.id, life: r.life, in: true, up: true, trip: w.tripTo(l, r),
				arrived: at, sent: at,
			})
			dialled = append(dialled, effect.Session)
		case hop.Subscribe:
			if effect.Track == hop.Tick {
				s.tick, s.tickFrom = true, at
			} else {
				s.track, s.from = true, at
			}
		case hop.Unsubscribe, hop.Close, hop.AskLobby, hop.Hopped:
			// Nothing has happened, so there is nothing to be undone; and whom to ask
			// the list says that comes at the end.
			if effect.Kind == hop.Close {
				w.end(l, s)
			}
		}
	}
	for _, s := range dialled {
		w.recall(id, l, at, hop.Event{Kind: hop.Dialled, Session: s, Ticks: true})
		w.recall(id, l, at, hop.Event{Kind: hop.Announced, Session: s, Track: 1})
	}
}

// replay lets the packets of the last seconds come again, which all came.
func (w *world) replay(id int32, l *listener, past time.Duration) {
	a := l.awake
	p := w.rooms[l.room].parts[l.primary]
	s := a.with(l.primary)
	if p == nil || s == nil {
		return
	}
	packet := l.packet()
	frames := uint64(packet / frame)
	a.begun, a.base = true, p.latency+s.trip/2
	g := uint64(max(past-a.base, packet)/packet) - 1
	arrived := time.Duration(0)
	for ; ; g++ {
		sent := time.Duration(g+1)*packet + p.latency
		at := max(sent+s.trip/2+time.Duration(scatter(uint64(id), g<<1)*float64(w.jitter)), arrived)
		if at > w.now || sent >= min(w.relays[l.primary].mute, p.starved()) {
			break
		}
		arrived = at
		for due, ok := a.m.Deadline(); ok && due < at; due, ok = a.m.Deadline() {
			w.recall(id, l, due, hop.Event{})
		}
		w.recall(id, l, at, hop.Event{
			Kind: hop.Arrived, Session: s.id, Track: 1, Sequence: g * frames, Frames: int(frames), Timestamp: time.Duration(g) * packet,
		})
		if s = a.with(l.primary); s == nil {
			return
		}
	}
	s.next, s.arrived, s.sent = g, arrived, arrived-s.trip/2
	a.next, a.top = g, g
}

// starved is when a part ceased to have anything; never if it has.
func (p *part) starved() time.Duration {
	if p.fed || len(p.outages) == 0 {
		return never
	}
	return p.outages[len(p.outages)-1].from
}

// forgetStandby ends the session with a standby that the machine does not know.
func (w *world) forgetStandby(id int32, l *listener) {
	r := w.relays[l.standby]
	r.sessions--
	w.wants(r, w.rooms[l.room], -1)
	w.moveStandby(id, l, nobody)
}

// rouse wakes those who listen to a room at a relay, because it has nothing to
// pass on any more, or again.
func (w *world) rouse(p *part, starved bool) {
	for _, id := range w.crowd(p.r.primaries) {
		l := &w.people[id]
		if l.room != p.rm.id || l.awake == nil && !starved {
			continue
		}
		w.stir(id)
	}
	for _, id := range w.crowd(p.r.standbys) {
		if l := &w.people[id]; l.room == p.rm.id && l.awake != nil {
			w.stir(id)
		}
	}
}

// crowd is a copy of a list of people, which may change while it is gone through.
func (w *world) crowd(list []int32) []int32 { return append([]int32(nil), list...) }

// stir gives a listener a turn, now that something has happened to its relays.
func (w *world) stir(id int32) {
	w.wakeUp(id)
	a := w.people[id].awake
	a.until = max(a.until, w.now+roused)
	w.advance(id, w.now)
	w.schedule(id)
}

// gone tells those who stand by at a relay that it is said to be gone, as the
// relays do that they listen to.
func (w *world) gone(r *node) {
	for _, id := range w.crowd(r.standbys) {
		l := &w.people[id]
		if l.primary == nobody {
			continue
		}
		primary := w.relays[l.primary]
		lost := w.lost(primary, r)
		if !primary.alive() || lost == never || w.now-lost < w.c.Time(cost.PeerSilence) {
			continue
		}
		w.wakeUp(id)
		a := l.awake
		if s := a.with(r.id); s != nil {
			w.step1(id, w.now, hop.Event{Kind: hop.Candidates, Candidates: w.listOf(primary, w.rooms[l.room], l)})
			w.tell(id, s.id, missing, w.now+a.sessions[0].trip/2)
		}
		w.rest(id)
	}
}

// chill tells all who listen at a relay whether to stand by without a session.
func (w *world) chill(r *node) {
	for _, id := range w.crowd(r.primaries) {
		l := &w.people[id]
		if l.cold == r.cold {
			continue
		}
		w.wakeUp(id)
		w.advance(id, w.now)
		l.cold = r.cold
		w.step1(id, w.now, hop.Event{Kind: hop.SetCold, Cold: r.cold})
		w.place(id, l)
		w.rest(id)
	}
}
