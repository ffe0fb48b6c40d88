package hop

import "time"

// A Machine decides for one listener. It is not safe for concurrent use.
type Machine struct {
	o       Options
	now     time.Duration
	effects []Effect

	deadline time.Duration
	changed  bool // everything is to be looked at, whatever the time

	book    book
	last    Session // number given last
	links   [maxLinks]link
	primary *link // in use; nil if there is none
	standby *link // not in use, or on trial; nil if there is none

	tracks    []track
	pulse     arrivals // of the primary's ticks
	ringUntil time.Duration
	wolf      wolf
	line      line
	hop       move

	better      string // a relay that would serve better
	betterSince time.Duration
	hops        [maxHops]time.Duration // when the last ones were, the newest first
	hopped      int

	standbyAt time.Duration // not before
	askAt     time.Duration // the lobby, not before
	askPause  time.Duration
}

// New returns a machine that knows of no relay yet.
func New(o Options) *Machine {
	m := &Machine{o: o, changed: true, book: book{o: o}}
	for i := range m.links {
		m.links[i].slot = i
	}
	return m
}

// Step tells the machine what happened at the time now, counted from any fixed
// moment, and returns what to do. The slice is good until the next Step. Time
// that steps back stands still.
func (m *Machine) Step(now time.Duration, e Event) []Effect {
	m.effects = m.effects[:0]
	m.now = max(m.now, now)
	m.take(e)
	if m.changed || m.now >= m.dueAt() {
		m.review()
	}
	return m.effects
}

// Deadline is when the machine wants to be stepped next, if nothing happens
// before; ok is false if it can wait for ever. It may be earlier than need be.
func (m *Machine) Deadline() (at time.Duration, ok bool) {
	at = m.dueAt()
	return at, at != never
}

// Primary is the relay that is listened to, and the session.
func (m *Machine) Primary() (c Candidate, s Session, ok bool) { return m.primary.public() }

// Standby is the relay that stands by, and the session.
func (m *Machine) Standby() (c Candidate, s Session, ok bool) { return m.standby.public() }

func (l *link) public() (Candidate, Session, bool) {
	if l == nil {
		return Candidate{}, 0, false
	}
	return l.relay, l.id, true
}

func (m *Machine) emit(e Effect) { m.effects = append(m.effects, e) }

// wake asks for a review at a time to come. What was due before has been seen to.
func (m *Machine) wake(at time.Duration) {
	if at > m.now {
		m.deadline = min(m.deadline, at)
	}
}

// take notes an event.
func (m *Machine) take(e Event) {
	switch e.Kind {
	case Candidates:
		m.book.list(e.Candidates, m.now)
		m.changed = true
	case NetworkChanged:
		m.networkChanged()
	case Better:
		m.outdone(e.Name)
	case SetCold:
		if m.o.Cold && !e.Cold {
			m.standbyAt = max(m.standbyAt, m.now+m.o.spread(standbyAfter, warmSpread))
		}
		m.o.Cold, m.changed = e.Cold, true
	case Withheld:
		m.withheld(e.Track)
	default:
		if l := m.link(e.Session); l != nil {
			m.takeOf(l, e)
		}
	}
}

// takeOf notes an event of a session or an attempt.
func (m *Machine) takeOf(l *link, e Event) {
	if !l.up {
		switch e.Kind {
		case Dialled:
			l.up, l.since, l.ticks, m.changed = true, m.now, e.Ticks, true
		case DialFailed, Closed:
			m.book.failed(l.relay, e.Final, m.now)
			m.unwanted(l.relay)
			m.free(l)
		}
		return
	}
	switch e.Kind {
	case Arrived:
		m.arrived(l, e)
	case Ticked:
		m.hear(l, true)
	case Announced:
		m.announced(l, e.Track)
	case Ended:
		m.ended(l, e.Track)
	case Goaway:
		m.goaway(l, e)
	case Closed:
		m.closed(l)
	case Gone:
		m.gone(l)
	}
}

// reviews bounds how often one Step looks again after it changed something.
const reviews = 8

// review looks at everything, until there is nothing to be done.
func (m *Machine) review() {
	for n := 0; n == 0 || m.changed && n < reviews; n++ {
		m.changed = false
		m.deadline = never
		m.report()
		m.listen()
		m.consider()
		m.move()
		m.seek()
		m.settle()
		m.keepStandby()
	}
}
