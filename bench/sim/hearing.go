package sim

import (
	"time"

	"github.com/stentor-audio/stentor/client/hop"
)

// coming is what comes next over a session: when, and whether it is a tick; never
// if nothing does as things are.
func (w *world) coming(id int32, l *listener, s *session) (at time.Duration, tick bool) {
	r := w.relays[s.relay]
	if !s.up || s.life != r.life || !s.track && !s.tick {
		return never, false
	}
	at = never
	if s.track {
		at = w.groupAt(l, r, s)
	}
	if s.tick {
		beat := max(s.sent, s.tickFrom) + w.tickEvery + time.Duration(scatter(uint64(id), uint64(s.sent))*float64(tickLook))
		if beat < at {
			at, tick = beat, true
		}
	}
	if at == never || at >= r.mute || s.from >= r.mute {
		return never, false
	}
	late := time.Duration(scatter(uint64(id), s.next<<1) * float64(w.jitter))
	if tick {
		late = 0
	}
	return max(at+s.trip/2+late, s.arrived), tick
}

// tickLook is how often a relay looks whom it has sent nothing (relay/deliver).
const tickLook = 50 * time.Millisecond

// groupAt is when the relay sends the session's next group.
func (w *world) groupAt(l *listener, r *node, s *session) time.Duration {
	p := w.rooms[l.room].parts[r.id]
	if p == nil || !p.ever {
		return never
	}
	packet := l.packet()
	if s.newest {
		s.newest = false
		s.next = uint64(max(max(s.from, p.fedSince)-p.latency, packet)/packet) - 1
	}
	// What is older than the ring is not there any more.
	if oldest := s.from - ringOf - p.latency; oldest > time.Duration(s.next+1)*packet {
		s.next = uint64(oldest / packet)
	}
	for range 1024 {
		complete := time.Duration(s.next+1) * packet
		at := p.available(complete)
		if at != never {
			return max(at, s.from)
		}
		if !p.fed || complete+p.latency >= w.now {
			return never
		}
		s.next++ // it will not come any more
	}
	return never
}

// soonest is the session over which something comes first.
func (w *world) soonest(id int32, l *listener) (s *session, at time.Duration, tick bool) {
	at = never
	a := l.awake
	for i := range a.sessions {
		if t, is := w.coming(id, l, &a.sessions[i]); t < at {
			s, at, tick = &a.sessions[i], t, is
		}
	}
	return s, at, tick
}

// advance lets a listener hear what comes until a time, and its machine's clock go.
func (w *world) advance(id int32, until time.Duration) {
	l := &w.people[id]
	a := l.awake
	for {
		s, at, tick := w.soonest(id, l)
		due, ok := a.m.Deadline()
		if !ok {
			due = never
		}
		switch {
		case at <= until && at <= due:
			w.deliver(id, l, s, at, tick)
		case due <= until:
			w.step1(id, due, hop.Event{})
			if next, ok := a.m.Deadline(); ok && next <= due {
				w.violate("a listener's machine wants to be asked at %v, which is over", next)
				return
			}
		default:
			w.place(id, l)
			return
		}
	}
}

// deliver hands a group or a tick to the listener's machine.
func (w *world) deliver(id int32, l *listener, s *session, at time.Duration, tick bool) {
	s.arrived = at
	s.sent = at - s.trip/2
	if tick {
		w.step1(id, at, hop.Event{Kind: hop.Ticked, Session: s.id})
		return
	}
	g, frames := s.next, uint64(l.packet()/frame)
	s.next++
	w.count(id, l, s, g, at)
	w.step1(id, at, hop.Event{
		Kind: hop.Arrived, Session: s.id, Track: 1, Sequence: g * frames, Frames: int(frames),
		Timestamp: time.Duration(g) * l.packet(),
	})
}
