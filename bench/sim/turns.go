package sim

import (
	"time"
)

// schedule asks for the listener's next turn.
func (w *world) schedule(id int32) {
	l := &w.people[id]
	a := l.awake
	at, ok := a.m.Deadline()
	if !ok {
		at = never
	}
	if !w.calm(a) {
		if _, next, _ := w.soonest(id, l); next < at {
			at = next
		}
	}
	if at == never || at == a.wakeAt {
		return
	}
	a.wakeAt = max(at, w.now)
	w.push(event{at: a.wakeAt, kind: wake, a: id})
}

// calm reports whether what comes until the machine's next deadline can as well be
// handed to it then: nothing is to be decided by it.
func (w *world) calm(a *awake) bool {
	if w.exact {
		return false
	}
	listened := 0
	for i := range a.sessions {
		s := &a.sessions[i]
		if !s.up {
			return false
		}
		if s.track {
			listened++
		}
	}
	return listened <= 1 && a.begun
}

// turnOf is a listener's turn.
func (w *world) turnOf(id int32) {
	w.advance(id, w.now)
	w.rest(id)
}

// rest lets a listener sleep to whom nothing happens any more, or sees to its next
// turn.
func (w *world) rest(id int32) {
	l := &w.people[id]
	if l.awake == nil {
		return
	}
	if w.settled(l) {
		w.sleep(l)
		return
	}
	w.schedule(id)
}

// roused is how long a listener stays awake after something has happened.
const roused = 1500 * time.Millisecond

// settled reports whether nothing is happening to a listener.
func (w *world) settled(l *listener) bool {
	a := l.awake
	if w.exact || !a.begun || a.pending > 0 || w.now < a.until || a.next < a.top || l.primary == nobody {
		return false
	}
	r := w.relays[l.primary]
	p := w.rooms[l.room].parts[r.id]
	if !r.alive() || r.drain != nil || p == nil || !p.fed || a.run > 0 {
		return false
	}
	want := 1
	if l.standby != nobody {
		want++
		if s := a.with(l.standby); s == nil || s.track || s.tick {
			return false
		}
	} else if !l.cold && w.now < a.until+patienceForStandby {
		return false
	}
	primary := a.with(l.primary)
	return len(a.sessions) == want && primary != nil && primary.track && primary.tick && primary.life == r.life
}

// patienceForStandby is how long a listener stays awake for want of a standby.
const patienceForStandby = 5 * time.Second

// sleep ends a listener's machine.
func (w *world) sleep(l *listener) {
	l.awake = nil
	w.awakes--
}
