package hop

import "time"

// maxLinks is how many sessions and attempts there are at most: a primary, a
// standby, two attempts, and one on its way out of either role.
const maxLinks = 5

// dialTimeout bounds an attempt whose caller forgot to.
const dialTimeout = 10 * time.Second

// A link is a session, or an attempt at one.
type link struct {
	slot  int // its place in Machine.links, constant
	id    Session
	relay Candidate
	up    bool
	since time.Duration // dialled, or up
	ticks bool          // its relay sends them

	stale   bool // from before the network changed
	leaving bool // its relay asked to leave

	// What is asked of it: inUse means every track and the tick, tried at least
	// one track.
	inUse  bool
	tried  bool
	usedAt time.Duration

	heard     time.Duration // when anything last came
	heardTick bool          // and whether it was a tick
	answered  bool          // something came since it was tried
	first     time.Duration // when that was
}

func (m *Machine) link(id Session) *link {
	for i := range m.links {
		if l := &m.links[i]; l.id == id && id != 0 {
			return l
		}
	}
	return nil
}

// dial begins an attempt, if there is a place for it.
func (m *Machine) dial(c Candidate) {
	for i := range m.links {
		if m.links[i].id != 0 {
			continue
		}
		m.last++
		m.links[i] = link{slot: i, id: m.last, relay: c, since: m.now}
		m.emit(Effect{Kind: Dial, Session: m.last, Candidate: c})
		m.wake(m.now + dialTimeout)
		return
	}
}

// close ends a session or an attempt.
func (m *Machine) close(l *link, cause Cause) {
	m.emit(Effect{Kind: Close, Session: l.id, Cause: cause})
	m.book.left(l.relay, cause, l.since, m.now)
	m.free(l)
}

// free forgets a link that has ended.
func (m *Machine) free(l *link) {
	for i := range m.tracks {
		t := &m.tracks[i]
		t.on[l.slot] = presence{}
		if l == m.standby {
			t.trying = false
		}
	}
	if l == m.primary {
		m.primary = nil
	}
	if l == m.standby {
		m.standby = nil
	}
	*l = link{slot: l.slot}
	m.changed = true
}

// use subscribes to everything the session has.
func (m *Machine) use(l *link) {
	if l.inUse {
		return
	}
	m.try(l)
	l.inUse, l.usedAt = true, m.now
	m.emit(Effect{Kind: Subscribe, Session: l.id, Track: Tick})
	for i := range m.tracks {
		if t := &m.tracks[i]; t.on[l.slot].announced {
			m.subscribe(l, t)
		}
	}
}

// rest ends all subscriptions.
func (m *Machine) rest(l *link) {
	if l.inUse {
		m.emit(Effect{Kind: Unsubscribe, Session: l.id, Track: Tick})
	}
	for i := range m.tracks {
		m.unsubscribe(l, &m.tracks[i])
	}
	l.inUse, l.tried, l.answered = false, false, false
}

// relax ends what was subscribed to beyond the trials of single tracks.
func (m *Machine) relax(l *link) {
	if l.inUse {
		l.inUse = false
		m.emit(Effect{Kind: Unsubscribe, Session: l.id, Track: Tick})
	}
	left := false
	for i := range m.tracks {
		t := &m.tracks[i]
		if l != m.standby || t.state != alarmed || !t.trying {
			m.unsubscribe(l, t)
		}
		left = left || t.on[l.slot].subscribed
	}
	if !left {
		l.tried, l.answered = false, false
	}
}

func (m *Machine) try(l *link) {
	if !l.tried {
		l.tried, l.answered = true, false
	}
}

func (m *Machine) subscribe(l *link, t *track) {
	p := &t.on[l.slot]
	if p.subscribed {
		return
	}
	m.try(l)
	p.subscribed, p.delivered, p.next = true, false, t.next
	m.emit(Effect{Kind: Subscribe, Session: l.id, Track: t.id, Start: t.next, Resume: t.any})
}

func (m *Machine) unsubscribe(l *link, t *track) {
	p := &t.on[l.slot]
	if p.subscribed {
		p.subscribed = false
		m.emit(Effect{Kind: Unsubscribe, Session: l.id, Track: t.id})
	}
}

// hear notes that something came over a session.
func (m *Machine) hear(l *link, isTick bool) {
	if l == m.primary && isTick && l.answered {
		m.pulse.observe(m.now, m.now-l.heard-tick, false)
	}
	l.heard, l.heardTick = m.now, isTick
	if l.tried && !l.answered {
		l.answered, l.first = true, m.now
		m.changed = true
	}
	if m.line.on || m.hop.active {
		m.changed = true
	}
}

// others calls f for each session that is up, but for the primary.
func (m *Machine) others(f func(*link)) {
	for i := range m.links {
		if l := &m.links[i]; l.up && l != m.primary {
			f(l)
		}
	}
}
