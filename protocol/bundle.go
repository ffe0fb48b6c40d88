package protocol

import "fmt"

// AppendBundle writes the payload of a frame of [Track60] or [Track120] after b:
// the packets of consecutive groups of [TrackAudio], oldest first, nil or empty
// for one that never came (docs/wire.md, section 14.5).
//
//	BUNDLE {
//	  Packet { Length (i), Opus (..) } ...,
//	}
//
// The bytes depend on nothing but the packets, so every relay makes the same.
func AppendBundle(b []byte, packets [][]byte) []byte {
	for _, packet := range packets {
		b = appendSized(b, packet)
	}
	return b
}

// ParseBundle takes a bundle of exactly want packets apart. A packet that never
// came is nil; the others share memory with the payload.
func ParseBundle(payload []byte, want int) ([][]byte, error) {
	c := cursor{rest: payload, short: ErrShort}
	packets := make([][]byte, want)
	for i := range packets {
		if packet := c.sized(); len(packet) > 0 {
			packets[i] = packet
		}
	}
	if err := c.end(); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return packets, nil
}
