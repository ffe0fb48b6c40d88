package hop

import "time"

// A line is the primary's, which may be silent as a whole.
type line struct {
	on    bool          // it is
	since time.Duration // when that was noticed
}

// listen looks for what has not come.
func (m *Machine) listen() {
	for i := range m.tracks {
		if m.primary == nil {
			return
		}
		t := &m.tracks[i]
		if t.state == talking && m.now >= t.overdueAt || t.state == resting && m.now >= t.retryAt {
			m.alarm(t)
		}
		switch t.state {
		case talking:
			if m.uneasy() {
				m.wake(t.overdueAt)
			}
		case resting:
			m.wake(t.retryAt)
		case alarmed:
			m.judge(t)
		}
	}
	if m.primary != nil && m.primary.ticks {
		m.judgeLine()
	}
}

// uneasy reports whether some packet has not come: then what is to be done about it
// is looked at often.
func (m *Machine) uneasy() bool {
	if m.hop.active {
		return true
	}
	for i := range m.tracks {
		if m.tracks[i].state == alarmed {
			return true
		}
	}
	return false
}

// dueAt is when everything is to be looked at again: when that was asked for, or
// the next packet of a track is overdue. Each packet puts the latter off, so that a
// line on which all is well is looked at rarely.
func (m *Machine) dueAt() time.Duration {
	at := m.deadline
	if m.primary == nil {
		return at
	}
	for i := range m.tracks {
		if t := &m.tracks[i]; t.state == talking {
			at = min(at, t.overdueAt)
		}
	}
	return at
}

// alarm notes that a packet is overdue, or that it is time to see whether the
// standby has what the primary has not.
func (m *Machine) alarm(t *track) {
	t.state, t.alarmedAt, t.trialAt = alarmed, m.now, m.now
	t.recovered, t.trying, t.retryAt = false, false, never
	for i := range m.tracks {
		if o := &m.tracks[i]; o.state == talking {
			m.wake(o.overdueAt)
		}
	}
	switch cries := m.wolf.cries(m.now); {
	case cries >= mostFalseAlarms:
		t.trialAt = max(m.now, t.lastAt+t.silentAfter())
	case cries >= manyFalseAlarms:
		t.trialAt = max(m.now, t.expectedAt+maxMargin)
	}
}

// judge decides what becomes of an alarm.
func (m *Machine) judge(t *track) {
	if t.recovered && m.now >= t.overdueAt {
		t.recovered = false
	}
	if t.recovered {
		m.judgeRecovered(t)
		return
	}
	if m.now < t.trialAt {
		m.wake(t.trialAt)
		return
	}
	alive := m.primary.heard > t.alarmedAt
	s := m.standby
	if s == nil || !t.on[s.slot].announced {
		if alive {
			m.calm(t, resting)
		}
		return
	}
	if !t.trying {
		t.trying, t.triedAt = true, m.now
		m.subscribe(s, t)
	}
	switch {
	case m.leads(s, t):
		m.overtaken(s, t)
	case alive && m.now < t.triedAt+patience:
		m.wake(t.triedAt + patience)
	case alive:
		m.calm(t, resting)
		m.retryLater(t)
	}
}

// judgeRecovered ends the trial once the primary is up to date, and what it left
// out has come from the standby or will not.
func (m *Machine) judgeRecovered(t *track) {
	p, until := t.on[m.primary.slot], t.alarmedAt+tryOutFor
	caught := p.next+t.frames >= t.next
	if s := m.standby; s != nil && t.on[s.slot].subscribed && t.holeEnd > 0 && m.now < t.triedAt+patience {
		caught = caught && t.on[s.slot].next >= t.holeEnd
		m.wake(t.triedAt + patience)
	}
	if caught || m.now >= until {
		m.calm(t, talking)
		m.wake(t.overdueAt)
		return
	}
	m.wake(min(until, t.overdueAt))
}

// leads reports whether a session is two packets ahead of the primary. One would
// be any packet that was lost before a pause.
func (m *Machine) leads(l *link, t *track) bool {
	p := t.on[l.slot]
	return p.subscribed && p.delivered && p.next >= t.on[m.primary.slot].next+2*t.frames
}

// overtaken hops, if the primary has been silent on the track for long enough.
// There is no hurry: what the standby brings is played.
func (m *Machine) overtaken(s *link, t *track) {
	due := max(t.lastAt+t.silentAfter(), t.on[s.slot].first+tick/2)
	if m.now < due {
		m.wake(due)
		return
	}
	if at := m.mayHop(); m.now < at {
		m.wake(at)
		return
	}
	m.begin(CauseSilence, t.alarmedAt)
	m.promote(s)
}

// calm ends an alarm.
func (m *Machine) calm(t *track, into trackState) {
	t.state, t.trying = into, false
	if into == talking {
		t.retries = 0
	}
	if s := m.standby; s != nil && !s.inUse {
		m.relax(s)
	}
}

// retryLater lets a track rest that may not be in a pause.
func (m *Machine) retryLater(t *track) {
	if t.retries == maxRetries {
		return
	}
	t.retryAt = m.now + m.o.spread(firstRetry<<t.retries, firstRetry<<t.retries)
	t.retries++
	m.wake(t.retryAt)
}

// margin is that of the line: the widest of all that comes over it.
func (m *Machine) margin() time.Duration {
	margin := m.pulse.margin()
	for i := range m.tracks {
		if t := &m.tracks[i]; t.state != resting {
			margin = max(margin, t.arrivals.margin())
		}
	}
	return margin
}

// judgeLine looks whether the primary is there at all.
func (m *Machine) judgeLine() {
	p := m.primary
	silentAt := p.heard + tick + m.margin()
	if !p.answered {
		silentAt = p.usedAt + answerWithin
	}
	if m.now < silentAt {
		if m.line.on {
			m.lineIsBack()
		}
		m.wake(silentAt)
		return
	}
	if !m.line.on {
		m.line = line{on: true, since: m.now}
	}
	if m.standby != nil {
		m.use(m.standby)
	}
	// A lost tick is no reason to dial, nor is one to leave.
	deadAt := silentAt + tick
	if m.standby == nil && !p.heardTick || m.now >= deadAt {
		m.begin(CauseSilence, m.alarmedSince())
		return
	}
	m.wake(deadAt)
}

// lineIsBack takes back what was begun because of silence.
func (m *Machine) lineIsBack() {
	m.line.on = false
	m.wolf.cry(m.now)
	m.changed = true
	switch h := &m.hop; {
	case h.active && h.left && !m.primary.leaving:
		h.landed = true // here, after all
		m.report()
	case h.active && h.cause != CauseSilence:
		return // other sessions are wanted for that
	default:
		*h = move{}
	}
	m.others(m.relax)
}

// alarmedSince is when the silence was first noticed.
func (m *Machine) alarmedSince() time.Duration {
	since := m.line.since
	for i := range m.tracks {
		if t := &m.tracks[i]; t.state == alarmed && !t.recovered {
			since = min(since, t.alarmedAt)
		}
	}
	return since
}
