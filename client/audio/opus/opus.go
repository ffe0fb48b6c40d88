// Package opus encodes and decodes the packets that Stentor carries: 20 ms of
// sound at 48 kHz, mono or stereo, as 32-bit floating point samples from -1 to 1,
// those of the two channels in turn. It is libopus through cgo and does nothing
// that libopus does not.
//
// Without cgo the package builds, too, and [NewEncoder] and [NewDecoder] return
// [ErrNoCgo]: a relay needs neither.
package opus

import (
	"cmp"
	"errors"
	"fmt"
)

const (
	// Rate is the sample rate of everything here, in Hz.
	Rate = 48000

	// FrameSamples is the length of a packet in samples of each channel.
	FrameSamples = Rate / 50

	// MaxPacket is the size in bytes that no packet of an [Encoder] exceeds: with
	// everything around it, it fits into a datagram of 1200 bytes.
	MaxPacket = 1100
)

var (
	// ErrNoCgo is returned by programs that were built without cgo.
	ErrNoCgo = errors.New("this program was built without libopus and can neither encode nor decode: " +
		"build it with CGO_ENABLED=1, a C compiler, libopus-dev and libopusfile-dev")

	// ErrPacket is for bytes that are not an Opus packet.
	ErrPacket = errors.New("opus: damaged packet")

	// ErrFrameSize is for PCM that is not 20 ms long.
	ErrFrameSize = errors.New("opus: PCM is not 20 ms long")
)

// Application is what an encoder is to do its best for.
type Application uint8

// The applications.
const (
	VoIP  Application = iota // speech that must be understood
	Audio                    // anything, as it was
)

// EncoderConfig tunes an [Encoder]. The zero value is a working one.
type EncoderConfig struct {
	// Channels is 1 or 2. Zero means 1.
	Channels int

	// Application is VoIP unless said otherwise.
	Application Application

	// Bitrate in bit/s, 6000 to 400000. Zero means 32000 for each channel.
	Bitrate int

	// Complexity is 1 (little CPU) to 10 (best). Zero means 10, which takes
	// about 2 % of a core.
	Complexity int

	// ExpectedLoss is the share of packets, in percent, that may not arrive.
	// Above 0 each packet carries a coarse copy of the one before (RFC 6716
	// §2.1.7), at the cost of quality at the same bit rate. Zero means none.
	ExpectedLoss int

	// DTX makes packets of at most two bytes while nobody speaks, which need
	// not be sent (RFC 6716 §2.1.9).
	DTX bool
}

func (c EncoderConfig) withDefaults() (EncoderConfig, error) {
	c.Channels = cmp.Or(c.Channels, 1)
	c.Bitrate = cmp.Or(c.Bitrate, 32000*c.Channels)
	c.Complexity = cmp.Or(c.Complexity, 10)
	switch {
	case c.Channels < 1 || c.Channels > 2:
		return c, fmt.Errorf("opus: %d channels, 1 or 2 wanted", c.Channels)
	case c.Application > Audio:
		return c, fmt.Errorf("opus: no application %d", c.Application)
	case c.Bitrate < 6000 || c.Bitrate > 400000:
		return c, fmt.Errorf("opus: bit rate of %d bit/s, 6000 to 400000 wanted", c.Bitrate)
	case c.Complexity < 1 || c.Complexity > 10:
		return c, fmt.Errorf("opus: complexity %d, 1 to 10 wanted", c.Complexity)
	case c.ExpectedLoss < 0 || c.ExpectedLoss > 100:
		return c, fmt.Errorf("opus: expected loss of %d %%", c.ExpectedLoss)
	}
	return c, nil
}
