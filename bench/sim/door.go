package sim

import (
	"time"

	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay/admission"
)

// A guest is a listener whose handshake has not begun.
type guest struct {
	id      int32
	session hop.Session
}

const (
	// answers are what a relay says a second and processor to those who cannot begin,
	// of refusals and of validations, and answersAtOnce how many at once
	// (relay/doors_line.go, refusalRate and saidAtOnce).
	answers, answersAtOnce = 700, 4
	// resendAfter is when a client that hears nothing sends its first packet again
	// (RFC 9002 §6.2.1: a first round trip of 100 ms and four times half of that),
	// and each time after twice as long.
	resendAfter = 300 * time.Millisecond
)

// openDoors are the doors of a relay that has just started.
func (w *world) openDoors(r *node) {
	said := answers * float64(w.s.Network.Cores)
	r.line.Refusals = admission.Bucket{Rate: said, Burst: answersAtOnce}
	r.line.Validations = admission.Bucket{Rate: said, Burst: answersAtOnce}
}

// arriveAt is a handshake's first packet at a relay that takes newcomers, which lets
// handshakes begin one after the other.
func (w *world) arriveAt(r *node, id int32, s *session) {
	g := guest{id, s.id}
	switch r.line.Arrive(w.now-r.since, g, s.shown, func() guest { return g }) {
	case admission.Hold:
		w.turnsAt(r)
		return
	case admission.Validate:
		s.shown = true
		w.tell(id, s.id, reached, w.now+s.trip)
		return
	case admission.Refuse:
		r.refused++
		w.res.Joins.Refused++
		w.refusals++
		w.tell(id, s.id, failed, w.now+s.trip/2)
		return
	case admission.Drop:
		r.refused++
	case admission.Pass, admission.Ignore:
	}
	s.again = max(2*s.again, resendAfter)
	// Clients do not know their round trips equally well.
	later := w.now + s.again + time.Duration(scatter(uint64(id), uint64(s.again))*float64(s.again)/3)
	if 2*s.again > dialFor {
		w.res.Joins.Unanswered++
		w.tell(id, s.id, timedOut, later)
		return
	}
	w.tell(id, s.id, reached, later)
}

// turnsAt lets those who stand in line at a relay begin when it is their turn.
func (w *world) turnsAt(r *node) {
	in, stands := r.line.Due(w.now - r.since)
	if r.turning || !stands {
		return
	}
	r.turning = true
	life := r.life
	w.after(in, func() {
		if r.life != life || !r.alive() {
			return // who stands there hears nothing any more
		}
		r.turning = false
		for first, ok := r.line.Next(w.now - r.since); ok; first, ok = r.line.Next(w.now - r.since) {
			r.taken++
			w.begins(r, first[0])
		}
		w.turnsAt(r)
	})
}

// begins is a handshake that begins, if the client still wants it.
func (w *world) begins(r *node, g guest) {
	l := &w.people[g.id]
	if l.awake == nil || l.left {
		return
	}
	s := l.awake.session(g.session)
	if s == nil {
		return
	}
	if r.told.State != membership.Ready || !admission.Room(admission.Public, w.s.Network.Capacity, r.sessions) {
		w.res.Joins.Full++
		w.tell(g.id, s.id, failed, w.now+3*s.trip/2)
		return
	}
	s.life, s.in = r.life, true
	r.sessions++
	w.wants(r, w.rooms[l.room], 1)
	takes := time.Duration(setupTrips)*s.trip - s.trip/2 + w.handshake(r)
	w.tell(g.id, s.id, up, w.now+takes)
}
