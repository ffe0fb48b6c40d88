package client

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// A frame is one Opus packet as it came, before anything was decided about it.
type frame struct {
	sequence  uint64
	timestamp uint64 // µs of the speaker's clock
	opus      []byte // shares memory with what it was unpacked from
}

// A format is how the groups of a track hold Opus packets.
type format struct {
	container protocol.Container
	size      int    // packets in a group
	timescale uint64 // of the moq frames' timestamps
}

const frameMicros = uint64(FrameDuration / time.Microsecond)

// unpack appends the packets of a group's frame to dst. Slots that hold nothing
// are left out, and so is what is no Opus packet: then the error says why, and
// the others are good.
func (f format) unpack(dst []frame, group uint64, moq protocol.Frame) ([]frame, error) {
	var micros uint64
	var opus []byte
	var err error
	switch f.container {
	case protocol.ContainerBundle:
		return f.unpackBundle(dst, group, moq)
	case protocol.ContainerLOC:
		micros, opus, err = protocol.ParseLOC(moq.Payload)
	default:
		micros, opus, err = protocol.ParseLegacy(moq.Payload)
	}
	if err != nil || len(opus) == 0 { // an empty packet is an end marker
		return dst, err
	}
	if _, err := protocol.ParseOpus(opus); err != nil {
		return dst, err
	}
	return append(dst, frame{sequence: group, timestamp: micros, opus: opus}), nil
}

func (f format) unpackBundle(dst []frame, group uint64, moq protocol.Frame) ([]frame, error) {
	if group > protocol.MaxInteger/uint64(f.size) {
		return dst, fmt.Errorf("%w: bundle %d has no such frames", protocol.ErrMalformed, group)
	}
	packets, err := protocol.ParseBundle(moq.Payload, f.size)
	if err != nil {
		return dst, err
	}
	start := toMicros(moq.Timestamp, f.timescale)
	for i, opus := range packets {
		if len(opus) == 0 {
			continue
		}
		if _, bad := protocol.ParseOpus(opus); bad != nil {
			err = bad
			continue
		}
		dst = append(dst, frame{
			sequence:  group*uint64(f.size) + uint64(i),
			timestamp: start + uint64(i)*frameMicros,
			opus:      opus,
		})
	}
	return dst, err
}

// toMicros converts a timestamp in units of 1/scale seconds, rounding down.
func toMicros(timestamp, scale uint64) uint64 {
	if scale == protocol.AudioTimescale || scale == 0 {
		return timestamp
	}
	high, low := bits.Mul64(timestamp, protocol.AudioTimescale)
	if high >= scale {
		return 0 // beyond what 64 bits of microseconds hold
	}
	micros, _ := bits.Div64(high, low, scale)
	return micros
}
