package hop

import "time"

const (
	firstAsk   = time.Second
	longestAsk = 30 * time.Second
)

// seek sees to a session to listen to: the first, or one to hop to.
func (m *Machine) seek() {
	if m.primary == nil {
		if l := m.readiest(); l != nil {
			m.promote(l)
			return
		}
	}
	m.giveUpDials()
	urgent := m.primary == nil
	if h := &m.hop; m.primary != nil {
		switch {
		case !h.active || h.landed:
			return
		case h.cause == CauseSilence:
			urgent = true
		case h.cause == CauseLoad && m.now < m.mayHop(), m.target() != nil:
			return
		}
	}
	if !m.mayDial(urgent) {
		return
	}
	e, again := m.destination()
	if e == nil && m.primary != nil && m.hop.cause == CauseBetter {
		return
	}
	if e != nil {
		m.dial(e.Candidate)
		if urgent {
			m.wake(m.now + stagger)
		}
		return
	}
	m.wake(again)
	m.ask()
}

// readiest is the session to listen to when there is no primary any more.
func (m *Machine) readiest() *link {
	best := m.standby
	m.others(func(l *link) {
		if best == nil || l.answered && !best.answered {
			best = l
		}
	})
	return best
}

// mayDial reports whether another attempt may be made beside those under way.
func (m *Machine) mayDial(urgent bool) bool {
	var n, places int
	newest := -stagger
	for i := range m.links {
		switch l := &m.links[i]; {
		case l.id == 0:
			places++
		case l == m.primary || l == m.standby:
		case !l.up:
			n++
			newest = max(newest, l.since)
		case l.inUse && !l.answered: // it is up, and may yet prove to be dead
			newest = max(newest, l.usedAt)
		}
	}
	switch {
	case places == 0, n >= maxDials, n > 0 && !urgent:
		return false
	case m.now < newest+stagger:
		m.wake(newest + stagger)
		return false
	}
	return true
}

// giveUpDials ends attempts that take too long.
func (m *Machine) giveUpDials() {
	for i := range m.links {
		l := &m.links[i]
		if l.id == 0 || l.up {
			continue
		}
		if m.now < l.since+dialTimeout {
			m.wake(l.since + dialTimeout)
			continue
		}
		m.book.failed(l.relay, false, m.now)
		m.unwanted(l.relay)
		m.emit(Effect{Kind: Close, Session: l.id})
		m.free(l)
	}
}

// destination is the candidate to dial for the hop or the beginning.
func (m *Machine) destination() (*entry, time.Duration) {
	if h := &m.hop; h.active && h.want != "" {
		if e := m.book.named(h.want); e != nil && m.unused(e.Candidate) && e.retryAt <= m.now {
			return e, m.now
		}
	}
	if m.primary != nil && m.hop.cause == CauseBetter {
		return nil, never
	}
	lastResort := m.primary == nil || !m.hop.cause.voluntary()
	e, again := m.book.pick(m.now, lastResort, m.unused)
	if e == nil && m.primary != nil && m.hop.cause == CauseSilence {
		// The relay may have come back while the session to it never will.
		return m.book.pick(m.now, true, m.silentOnly)
	}
	return e, again
}

// silentOnly reports whether a relay has no session but the primary.
func (m *Machine) silentOnly(c Candidate) bool {
	for i := range m.links {
		if l := &m.links[i]; l.id != 0 && !l.stale && l != m.primary && l.relay.same(c) {
			return false
		}
	}
	return true
}

// unused reports whether a relay has no session or attempt that still counts.
func (m *Machine) unused(c Candidate) bool {
	for i := range m.links {
		if l := &m.links[i]; l.id != 0 && !l.stale && l.relay.same(c) {
			return false
		}
	}
	return true
}

// ask asks the lobby for candidates, less and less often.
func (m *Machine) ask() {
	if m.now >= m.askAt {
		m.emit(Effect{Kind: AskLobby})
		m.askPause = min(max(2*m.askPause, firstAsk), longestAsk)
		m.askAt = m.now + m.o.after(2*m.askPause)
	}
	m.wake(m.askAt)
}

// settle gives sessions without a role one, or ends them.
func (m *Machine) settle() {
	if m.primary == nil || m.hop.active && !m.hop.landed {
		return
	}
	m.others(func(l *link) {
		s := m.standby
		switch {
		case l.stale:
		case l == s && !m.o.Cold, l != s && m.hop.active && l.inUse:
			return // or it may still be needed
		case m.o.Cold && l == s && l.tried:
			return // not while it is listened to
		case m.o.Cold, l.leaving, l.relay.same(m.primary.relay):
		case l.inUse && !l.answered && m.primary.answered:
		case s == nil:
			m.rest(l)
			m.standby = l
			return
		case l.relay.elsewhere(m.primary.relay) && !s.relay.elsewhere(m.primary.relay):
			if s.tried {
				return // not while it is listened to
			}
			m.close(s, CauseNone)
			m.rest(l)
			m.standby = l
			return
		}
		m.close(l, CauseNone)
	})
}

func (m *Machine) postponeStandby() {
	m.standbyAt = m.now + m.o.spread(standbyAfter, standbySpread)
}

// keepStandby sees to a standby: a relay of another zone, or else any other.
func (m *Machine) keepStandby() {
	if m.primary == nil || m.o.Cold || m.hop.active && !m.hop.landed {
		return
	}
	s, p := m.standby, m.primary
	if s != nil && (s.relay.elsewhere(p.relay) || p.relay.Zone == "") {
		return
	}
	if m.now < m.standbyAt {
		m.wake(m.standbyAt)
		return
	}
	if !m.mayDial(false) {
		return
	}
	far, again := m.book.pick(m.now, false, func(c Candidate) bool { return m.unused(c) && c.elsewhere(p.relay) })
	if far != nil {
		m.dial(far.Candidate)
		return
	}
	m.wake(again)
	if s != nil {
		return
	}
	e, again := m.book.pick(m.now, true, m.unused)
	if e != nil {
		m.dial(e.Candidate)
		return
	}
	m.wake(again)
	m.ask()
}
