package protocol

import "fmt"

// AppendLegacy writes the payload of a frame in the legacy container after b
// (docs/wire.md, section 14.2): the time of the packet's first sample in
// microseconds as a varint, then the packet as it is. An empty packet marks the
// end of the track.
func AppendLegacy(b []byte, timestampMicros uint64, opus []byte) []byte {
	return append(appendVarint(b, timestampMicros), opus...)
}

// ParseLegacy takes a payload apart. The packet shares memory with it.
func ParseLegacy(payload []byte) (timestampMicros uint64, opus []byte, err error) {
	c := cursor{rest: payload, short: ErrShort}
	timestampMicros = c.timestamp()
	if c.err != nil {
		return 0, nil, fmt.Errorf("legacy container: %w", c.err)
	}
	return timestampMicros, c.rest, nil
}
