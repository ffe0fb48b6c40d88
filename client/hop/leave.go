package hop

import "time"

// A move is a hop that is going on. It has left once another session is the
// primary, and landed unless that one is to be left as well before anything has
// come from it; when something has, the move is over.
type move struct {
	active, left, landed bool

	cause     Cause
	from      string
	begun     time.Duration
	want      string // the candidate to go to; empty: whichever
	wantUntil time.Duration
}

// voluntary reports whether a hop may as well be left out.
func (c Cause) voluntary() bool { return c == CauseLoad || c == CauseBetter }

// muteFor is how long a session that was dialled to get away from silence may be
// silent itself.
const muteFor = 5 * time.Second

// harmless is when a network change that has not hurt is forgotten.
const harmless = 15 * time.Second

// begin starts a hop away from the primary, or lets the one that is going on
// continue: the first cause that forces it stands.
func (m *Machine) begin(cause Cause, begun time.Duration) {
	h := &m.hop
	switch {
	case h.active && h.landed:
		h.landed = false
	case h.active && (!h.cause.voluntary() || cause.voluntary()):
	default:
		*h = move{active: true, cause: cause, from: m.primary.relay.Name, begun: begun}
	}
}

// goaway notes that a relay asks to leave. Only a URI of a candidate is followed.
func (m *Machine) goaway(l *link, e Event) {
	cause := e.Cause
	if cause != CauseLoad {
		cause = CauseDrain
	}
	m.book.askedToLeave(l.relay, cause, m.now)
	m.changed = true
	if l != m.primary {
		if l == m.standby {
			m.postponeStandby()
		}
		m.close(l, cause)
		return
	}
	l.leaving = true
	m.begin(cause, m.now)
	within := redirectWithin
	if e.Within > 0 {
		within = min(within, e.Within/2)
	}
	for _, uri := range e.URIs {
		to := m.book.at(uri)
		if to != nil && !to.same(l.relay) && to.retryAt <= m.now && (cause == CauseDrain || to.avoid <= m.now) {
			m.hop.want, m.hop.wantUntil = to.Name, m.now+within
			return
		}
	}
}

// closed notes that a session has ended.
func (m *Machine) closed(l *link) {
	m.book.left(l.relay, CauseClosed, l.since, m.now)
	if l == m.primary {
		m.begin(CauseClosed, m.now)
	}
	if l == m.standby {
		m.postponeStandby()
	}
	m.unwanted(l.relay)
	m.free(l)
}

// gone gives up a session whose relay is said to be gone. What comes over a session
// proves more than what others say, so one that is listened to stays while
// anything comes, and the primary until it fails.
func (m *Machine) gone(l *link) {
	if l == m.primary || l.answered {
		return
	}
	if l == m.standby {
		m.postponeStandby()
	}
	m.unwanted(l.relay)
	m.close(l, CauseSilence)
}

// unwanted gives up a destination that cannot be had.
func (m *Machine) unwanted(c Candidate) {
	if m.hop.active && m.hop.want == c.Name {
		m.hop.want = ""
	}
}

// networkChanged takes all sessions for lost, though none is given up before
// another is there.
func (m *Machine) networkChanged() {
	for i := range m.links {
		l := &m.links[i]
		l.stale = l.id != 0
		if l.stale && !l.up {
			m.emit(Effect{Kind: Close, Session: l.id})
			m.free(l)
		}
	}
	m.book.forgive()
	m.askAt, m.askPause = m.now, 0
	if m.primary != nil {
		m.begin(CauseNetwork, m.now)
	}
	m.changed = true
}

// outdone notes that another relay would be better, or that none would.
func (m *Machine) outdone(name string) {
	if name != m.better {
		m.better, m.betterSince = name, m.now
	}
	m.changed = true
}

// consider hops for the better when that has been so for a while and nothing
// else goes on.
func (m *Machine) consider() {
	if m.better == "" || m.primary == nil || m.hop.active || m.line.on {
		return
	}
	to := m.book.named(m.better)
	if to == nil || to.same(m.primary.relay) {
		return
	}
	at := max(m.betterSince+betterFor, m.mayHop(), to.retryAt, to.avoid)
	if m.hopped > 0 {
		at = max(at, m.hops[0]+settledFor)
	}
	if m.now < at {
		m.wake(at)
		return
	}
	m.begin(CauseBetter, m.now)
	m.hop.want, m.hop.wantUntil = m.better, m.now+dialTimeout
	m.betterSince = m.now
}

// mayHop is when a hop may be made that could as well be left out.
func (m *Machine) mayHop() time.Duration {
	if m.hopped < maxHops {
		return 0
	}
	return m.hops[maxHops-1] + hopWindow
}

// move carries on with a hop from a session that still is there.
func (m *Machine) move() {
	h := &m.hop
	if !h.active || h.landed || m.primary == nil {
		return
	}
	if h.cause == CauseSilence {
		m.moveOff()
		return
	}
	if h.cause == CauseNetwork && m.now >= h.begun+harmless && m.primary.heard > m.now-time.Second {
		m.stay()
		return
	}
	if h.cause == CauseNetwork {
		m.wake(h.begun + harmless)
	}
	if h.want != "" && m.now >= h.wantUntil {
		h.want = ""
	}
	if h.cause == CauseBetter && h.want == "" {
		m.stay()
		return
	}
	l := m.target()
	if l == nil {
		return // seek finds one
	}
	m.use(l)
	switch {
	case m.caughtUp(l):
		m.promote(l)
	case m.now < l.usedAt+answerWithin:
		m.wake(l.usedAt + answerWithin)
	case !m.line.on:
		m.unwanted(l.relay)
		m.close(l, CauseSilence)
	}
}

// moveOff leaves a silent line for whoever answers first.
func (m *Machine) moveOff() {
	var best *link
	m.others(func(l *link) {
		m.use(l)
		if giveUp := l.usedAt + muteFor; l != m.standby && !l.answered && m.now >= giveUp {
			m.close(l, CauseSilence) // others need its place
			return
		} else if !l.answered {
			m.wake(giveUp)
		}
		if l.answered && (best == nil || l.first < best.first) {
			best = l
		}
	})
	if best != nil {
		m.promote(best)
	}
}

// stay gives a hop up.
func (m *Machine) stay() {
	m.hop = move{}
	for i := range m.links {
		m.links[i].stale = false
	}
	m.others(m.relax)
	m.changed = true
}

// target is the session to go to, if there is one.
func (m *Machine) target() *link {
	h := &m.hop
	if h.cause == CauseLoad {
		if at := m.mayHop(); m.now < at {
			m.wake(at)
			return nil
		}
	}
	if h.want != "" {
		m.wake(h.wantUntil)
	}
	var best *link
	m.others(func(l *link) {
		switch {
		case l.leaving, l.stale:
		case h.want != "" && l.relay.Name != h.want:
		case h.cause == CauseLoad && m.avoided(l.relay):
		case best == nil || l.inUse && !best.inUse || l == m.standby && !best.inUse:
			best = l
		}
	})
	return best
}

// avoided reports whether a relay was left lately; and wakes when it is no more.
func (m *Machine) avoided(c Candidate) bool {
	e := m.book.find(c)
	if e == nil || e.avoid <= m.now {
		return false
	}
	m.wake(e.avoid)
	return true
}

// caughtUp reports whether nothing is lost by closing the primary: the other has
// brought, of every track under way, what the primary has, but for one packet on
// its way.
func (m *Machine) caughtUp(l *link) bool {
	if !l.answered {
		return !l.ticks && m.now >= l.usedAt+answerWithin // nobody may be speaking
	}
	if m.line.on || m.now >= l.usedAt+answerWithin {
		return true
	}
	for i := range m.tracks {
		t := &m.tracks[i]
		p := t.on[l.slot]
		if t.state == talking && (!p.delivered || p.next+t.frames < t.next) {
			return false
		}
	}
	return true
}

// promote makes a session the primary and closes the one before.
func (m *Machine) promote(l *link) {
	m.use(l)
	old, h := m.primary, &m.hop
	if l == m.standby {
		m.standby = nil
	}
	m.primary = l
	l.stale = false
	if old != nil {
		m.close(old, h.cause)
	}
	if h.active {
		h.left, h.landed, h.want = true, true, ""
		copy(m.hops[1:], m.hops[:])
		m.hops[0] = m.now
		m.hopped = min(m.hopped+1, maxHops)
	}
	m.line = line{}
	m.ringUntil = m.now + ringFor
	m.pulse.restart(m.now)
	for i := range m.tracks {
		m.carryOn(&m.tracks[i])
	}
	m.postponeStandby()
	m.changed = true
	m.report()
}

// carryOn expects of the new primary what was expected of the old.
func (m *Machine) carryOn(t *track) {
	p := t.on[m.primary.slot]
	was := t.state
	t.arrivals.restart(m.now)
	t.state, t.recovered, t.trying, t.retries, t.retryAt = resting, false, false, 0, never
	switch {
	case p.delivered && m.now-p.at < answerWithin:
		t.state, t.lastAt = talking, p.at
		t.overdueAt = max(m.now, p.at+t.packet()) + maxMargin
	case was != resting:
		t.state, t.lastAt = talking, m.now
		t.overdueAt = m.now + answerWithin/2
	}
}

// report says that a hop is done once something has come by it.
func (m *Machine) report() {
	h := &m.hop
	if !h.active || !h.landed || m.primary == nil || !m.primary.answered {
		return
	}
	m.emit(Effect{
		Kind: Hopped, Session: m.primary.id,
		From: h.from, To: m.primary.relay.Name, Cause: h.cause,
		Took: max(0, m.primary.first-h.begun),
	})
	m.hop = move{}
	m.askPause = 0
}
