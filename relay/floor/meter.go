package floor

import (
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/stage"
)

const (
	// loudest is the highest level that is believed: a voice that fills its range has
	// peaks of 0 dBov and a mean of about that. Who says more is no louder for it.
	loudest = 12
	// guessed is the level of a packet of the usual size, as speech mostly has it, and
	// faint that of one that has too little in it to be speech.
	guessed, faint = 30, 51
	// faintPart is the part of the usual size below which a packet has too little in it.
	// Opus with a variable rate writes noise and breath with a third of what speech takes.
	faintPart = 0.3
	// dtx is up to how many bytes a packet says that nobody speaks.
	dtx = 2
	// pausedAfter is how long after its last packet a speaker pauses.
	pausedAfter = 100 * time.Millisecond
	// reportFor is how long a report counts. They come ten times a second.
	reportFor = 400 * time.Millisecond
	// holdFor is how long a level is kept that falls: words have pauses in them.
	holdFor = 300 * time.Millisecond
	// reportRate and reportBurst bound the reports of one speaker, a second and at once.
	reportRate, reportBurst = 60, 30
)

// A meter says how loud a speaker is: by what its client reports, as far as its
// packets bear that out, or by these alone. It is plain arithmetic.
type meter struct {
	usual, size float64 // bytes: of packets with speech in them, and of the last few
	spoke       time.Time
	any         bool
	newest      uint64
	begun       uint64 // first sequence after the last pause

	level    protocol.Level
	reported time.Time
	tokens   float64
	refilled time.Time

	held   stage.Level
	heldAt time.Time
}

// packet takes an Opus packet.
func (m *meter) packet(sequence uint64, size int, now time.Time) {
	if !m.any || sequence > m.newest {
		if m.paused(now) {
			m.begun = sequence
		}
		m.any, m.newest = true, sequence
	}
	if size <= dtx {
		m.size = 0
		return
	}
	if m.paused(now) {
		m.size = float64(size)
	}
	m.spoke = now
	m.size += (float64(size) - m.size) / 4
	// It rises at once, and halves in half a minute.
	m.usual = max(m.usual*0.9995, m.size)
}

// report takes a report and returns whether it is one.
func (m *meter) report(payload []byte, now time.Time) bool {
	if m.refilled.IsZero() {
		m.tokens, m.refilled = reportBurst, now
	}
	m.tokens = min(reportBurst, m.tokens+now.Sub(m.refilled).Seconds()*reportRate)
	m.refilled = now
	if len(payload) != 1 || m.tokens < 1 {
		return false
	}
	m.tokens--
	m.level, m.reported = protocol.Level(payload[0]), now
	return true
}

// paused reports whether nothing comes.
func (m *meter) paused(now time.Time) bool { return now.Sub(m.spoke) > pausedAfter }

// hold is the loudest of the last moments.
func (m *meter) hold(now time.Time) stage.Level {
	if level := m.now(now); level <= m.held || now.Sub(m.heldAt) > holdFor {
		m.held, m.heldAt = level, now
	}
	return m.held
}

// now is the level at a moment.
func (m *meter) now(now time.Time) stage.Level {
	if m.paused(now) || m.size == 0 {
		return stage.Silence
	}
	full := m.size / m.usual
	level := guessed + uint8(20*(1-full))
	if !m.reported.IsZero() && now.Sub(m.reported) <= reportFor {
		level = max(m.level.DB(), loudest)
		if !m.level.Speech() {
			level = max(level, faint)
		}
	}
	if full < faintPart {
		level = max(level, faint)
	}
	return stage.Level(level)
}
