package client

import (
	"math"

	"github.com/stentor-audio/stentor/protocol"
)

const (
	// levelEvery is after how many frames a level is reported: ten times a second.
	levelEvery = 5
	// levelRise is by how many dB a frame has to be louder than what was reported to be
	// reported at once: somebody has begun to speak.
	levelRise = 10
	// speechLevel is what is taken for speech, in dBov without the sign.
	speechLevel = 50
)

// A levelMeter makes reports of how loud frames are, as RFC 6464 has it: the mean
// power of the last five. It is plain arithmetic.
type levelMeter struct {
	power float64
	n     int
	last  uint8 // reported
	any   bool
}

// frame takes the level of a frame, 0 to 1, and returns a report when one is due.
func (m *levelMeter) frame(level float32) (report protocol.Level, due bool) {
	m.power += float64(level) * float64(level)
	m.n++
	now := belowFull(float64(level) * float64(level))
	rises := m.any && now <= speechLevel && now+levelRise <= m.last
	if m.n < levelEvery && !rises && m.any {
		return 0, false
	}
	dB := belowFull(m.power / float64(m.n))
	if rises {
		dB = now
	}
	*m = levelMeter{last: dB, any: true}
	return protocol.NewLevel(dB, dB <= speechLevel), true
}

// belowFull is a power in dB below full scale, 127 at the most.
func belowFull(power float64) uint8 {
	return uint8(min(127, max(0, math.Round(-10*math.Log10(max(power, 1e-13))))))
}
