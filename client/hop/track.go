package hop

import "time"

// maxTracks bounds what is remembered. Of more, those that no session has go
// first; if all are there, further ones are not followed.
const maxTracks = 64

// A presence is a track as one session has it.
type presence struct {
	announced  bool
	subscribed bool
	delivered  bool   // a group came since it was subscribed to
	next       uint64 // the first frame after the newest that came
	first, at  time.Duration
}

type trackState uint8

const (
	resting trackState = iota // nothing is expected: not begun, or a pause
	talking                   // the next packet is expected
	alarmed                   // it has not come
)

// A track is one speaker's voice, as the primary brings it and as others do.
type track struct {
	id   Track
	any  bool
	next uint64 // the first frame that no session has delivered
	on   [maxLinks]presence

	state     trackState
	lastAt    time.Duration // when the primary's newest group came
	end       time.Duration // the media time it reaches up to
	frames    uint64        // in a group
	overdueAt time.Duration
	// expectedAt is when the next group would come if none had ever been late.
	expectedAt time.Duration
	arrivals   arrivals

	// While alarmed.
	alarmedAt time.Duration
	trialAt   time.Duration // when the standby is to be tried
	trying    bool          // it is
	triedAt   time.Duration // since
	recovered bool          // the primary has delivered again
	holeEnd   uint64        // what it left out ends before this frame

	retries int
	retryAt time.Duration // of a resting one
}

func (t *track) packet() time.Duration { return time.Duration(t.frames) * Frame }

// overdueIn is how long after a packet that came so late the next one is overdue: as
// the path is, but not so long that what the standby then brings could no longer
// be played. A path that is late throughout shall not be taken for a silent one.
func (t *track) overdueIn(late time.Duration) time.Duration {
	packet, delay := t.packet(), usualDelay
	if packet > longPacket {
		delay += packet
	}
	inTime := max(delay+Frame-packet-answerFor-late, minMargin)
	return packet + min(t.arrivals.margin()-late, inTime)
}

// silentAfter is how long after its newest group the primary counts as silent
// on a track that the standby goes on with: it has then missed two packets, and
// a tick.
func (t *track) silentAfter() time.Duration {
	return max(tick, 2*t.packet()) + t.arrivals.margin()
}

func (m *Machine) track(id Track) *track {
	for i := range m.tracks {
		if m.tracks[i].id == id {
			return &m.tracks[i]
		}
	}
	return nil
}

// known is the track of that number, which may be a new one.
func (m *Machine) known(id Track) *track {
	if t := m.track(id); t != nil || id == Tick {
		return t
	}
	fresh := track{id: id, frames: 1, retryAt: never}
	if len(m.tracks) < maxTracks {
		m.tracks = append(m.tracks, fresh)
		return &m.tracks[len(m.tracks)-1]
	}
	for i := range m.tracks {
		if t := &m.tracks[i]; !t.announced() {
			*t = fresh
			return t
		}
	}
	return nil
}

// announced reports whether any session has it.
func (t *track) announced() bool {
	for i := range t.on {
		if t.on[i].announced {
			return true
		}
	}
	return false
}

// arrived takes a group.
func (m *Machine) arrived(l *link, e Event) {
	t := m.known(e.Track)
	if t == nil || e.Frames < 1 {
		return
	}
	m.hear(l, false)
	if t.state == alarmed {
		m.changed = true
	}
	p := &t.on[l.slot]
	before := p.next
	next := e.Sequence + uint64(e.Frames)
	if !p.delivered {
		p.delivered, p.first = true, m.now
		before = min(before, e.Sequence)
	} else if next <= p.next {
		return // older than what came before it
	}
	p.at = m.now
	p.next = max(p.next, next)
	if l == m.primary && next > before {
		m.expect(t, e, before)
	}
	if !t.any || next > t.next {
		t.any, t.next = true, next
	}
}

// expect notes a new group from the primary and when the one after it is due.
// before is the frame that was expected.
func (m *Machine) expect(t *track, e Event, before uint64) {
	t.frames = uint64(e.Frames)
	length := t.packet()
	gap := e.Timestamp - t.end
	t.end = e.Timestamp + length
	late := t.arrivals.observe(m.now, m.now-t.end, m.now < m.ringUntil)
	if t.state == alarmed && !t.recovered {
		t.recovered, t.holeEnd = true, 0
		switch {
		case e.Sequence > before:
			t.holeEnd = e.Sequence
		case gap < Frame/2: // no pause: it was late
			m.wolf.cry(m.now)
		}
	}
	if t.state == resting {
		t.state, t.retries = talking, 0
	}
	t.lastAt = m.now
	t.overdueAt = m.now + t.overdueIn(late)
	t.expectedAt = m.now + length - late
	if m.uneasy() {
		m.wake(t.overdueAt)
	}
}

// announced notes that a session has a track.
func (m *Machine) announced(l *link, id Track) {
	t := m.known(id)
	if t == nil {
		return
	}
	t.on[l.slot].announced = true
	if l.inUse {
		m.subscribe(l, t)
	}
	m.changed = true
}

// ended notes that a session has a track no more; the subscription ends with it.
func (m *Machine) ended(l *link, id Track) {
	if t := m.track(id); t != nil && id != Tick {
		t.on[l.slot] = presence{next: t.on[l.slot].next}
		m.changed = true
	}
}

// withheld lets a track rest of which nothing is expected, whatever the line is like.
// It goes on with the next group that comes.
func (m *Machine) withheld(id Track) {
	t := m.track(id)
	if t == nil || id == Tick {
		return
	}
	t.retryAt = never
	if t.state != resting {
		m.calm(t, resting)
		m.changed = true
	}
}
