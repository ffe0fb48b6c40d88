package protocol

import "time"

// A TOC is the first byte of an Opus packet (RFC 6716 §3.1):
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	| config  |s| c |
//	+-+-+-+-+-+-+-+-+
type TOC byte

// Config returns mode, bandwidth and frame duration as one number, 0 to 31.
func (t TOC) Config() int { return int(t >> 3) }

// Stereo reports whether the packet has two channels.
func (t TOC) Stereo() bool { return t&4 != 0 }

// Code says how the frames are packed: 0 one, 1 two of equal size, 2 two, 3 any
// number (RFC 6716 §3.2).
func (t TOC) Code() int { return int(t & 3) }

// An OpusMode is the part of the codec that made a packet.
type OpusMode uint8

// Linear prediction, transform, and both at once.
const (
	OpusSILK OpusMode = iota
	OpusHybrid
	OpusCELT
)

// Mode returns the part of the codec that made the packet (RFC 6716 table 2).
func (t TOC) Mode() OpusMode {
	switch config := t.Config(); {
	case config < 12:
		return OpusSILK
	case config < 16:
		return OpusHybrid
	default:
		return OpusCELT
	}
}

// A Bandwidth is how high the audio reaches (RFC 6716 table 1).
type Bandwidth uint8

// Up to which frequency.
const (
	Narrowband    Bandwidth = iota // 4 kHz
	Mediumband                     // 6 kHz
	Wideband                       // 8 kHz
	Superwideband                  // 12 kHz
	Fullband                       // 20 kHz
)

// Bandwidth returns how high the audio reaches (RFC 6716 table 2).
func (t TOC) Bandwidth() Bandwidth {
	switch t.Mode() {
	case OpusSILK:
		return Bandwidth(t.Config() / 4)
	case OpusHybrid:
		return Superwideband + Bandwidth(t.Config()-12)/2
	default:
		// CELT has no mediumband.
		return [...]Bandwidth{Narrowband, Wideband, Superwideband, Fullband}[(t.Config()-16)/4]
	}
}

// FrameDuration returns how long each frame of the packet lasts (RFC 6716 table
// 2).
func (t TOC) FrameDuration() time.Duration {
	const ms = time.Millisecond
	switch t.Mode() {
	case OpusSILK:
		return [...]time.Duration{10 * ms, 20 * ms, 40 * ms, 60 * ms}[t.Config()%4]
	case OpusHybrid:
		return [...]time.Duration{10 * ms, 20 * ms}[t.Config()%2]
	default:
		return [...]time.Duration{5 * ms / 2, 5 * ms, 10 * ms, 20 * ms}[t.Config()%4]
	}
}
