package playout

import (
	"cmp"
	"math/bits"
	"time"
)

const (
	// Frame is the length of one source frame.
	Frame = 20 * time.Millisecond

	// SampleRate is that of all PCM here, in samples a second and channel.
	SampleRate = 48000

	// FrameSamples is how many samples a frame has in each channel.
	FrameSamples = SampleRate / 50

	// MaxPacket is the longest packet a buffer takes, in bytes. The longest
	// Opus frame is 1275 bytes (RFC 6716 §3.2.1) and encoders put one or two
	// into a packet of 20 ms.
	MaxPacket = 4096

	// maxSequence is the highest sequence a varint can carry.
	maxSequence = 1<<62 - 1

	// longestDelay keeps a track's memory small whatever the configuration
	// asks for: 10 s are 500 frames.
	longestDelay = 10 * time.Second
)

// Config tunes a [Buffer], a [Sequencer] or each speaker of a [Player]. The
// zero value is a working one.
type Config struct {
	// Packet is how much audio one datagram of the subscribed track brings:
	// 20, 60 or 120 ms. It only chooses defaults. Zero means 20 ms.
	Packet time.Duration

	// MinDelay is the playout delay to begin with, and the least it shrinks
	// to: how much later than the earliest possible a frame may come and is
	// still played. It is the time there is to repair a loss or to hop to
	// another relay, so a listener off stage does not gain from a shorter one.
	// Zero means DefaultDelay(Packet); at most 10 s.
	MinDelay time.Duration

	// MaxDelay is the most the delay grows to, and the age at which a frame
	// is no longer worth playing. Zero means one second; at least MinDelay, at
	// most 10 s.
	MaxDelay time.Duration

	// Reorder is how long a missing frame is given to turn up by itself after
	// a newer one came, before it is worth a FETCH. Zero means 10 ms, a little
	// more than packets that overtake each other on one path need; or nothing
	// when Packet is more than 20 ms: packets that far apart do not.
	Reorder time.Duration

	// Conceal is how long the decoder may invent audio in one go before the
	// output fades to silence. Zero means 80 ms: beyond that invented speech
	// sounds worse than none.
	Conceal time.Duration
}

// DefaultDelay is the playout delay that lets a listener lose its relay
// unheard, when each datagram brings packet of audio: 200 ms for 20 and 60 ms,
// 320 ms for anything longer. docs/playout.md has the sum.
func DefaultDelay(packet time.Duration) time.Duration {
	if packet > 60*time.Millisecond {
		return 320 * time.Millisecond
	}
	return 200 * time.Millisecond
}

func (c Config) withDefaults() Config {
	c.MinDelay = cmp.Or(c.MinDelay, DefaultDelay(c.Packet))
	c.MinDelay = min(max(c.MinDelay, Frame), longestDelay)
	c.MaxDelay = cmp.Or(c.MaxDelay, time.Second)
	c.MaxDelay = min(max(c.MaxDelay, c.MinDelay), longestDelay)
	if c.Packet <= Frame {
		c.Reorder = cmp.Or(c.Reorder, 10*time.Millisecond)
	}
	c.Conceal = cmp.Or(c.Conceal, 80*time.Millisecond)
	return c
}

// frames is how many frames a window must span: twice the longest delay, and
// more than a second of catching up after an outage. A power of two.
func (c Config) frames() int {
	n := 2*int(c.MaxDelay/Frame) + 64
	return 1 << bits.Len(uint(n-1))
}

// concealed is how many frames in a row are concealed before silence.
func (c Config) concealed() int { return int(c.Conceal / Frame) }
