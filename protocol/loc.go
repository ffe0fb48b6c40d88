package protocol

import (
	"fmt"
	"math/bits"
)

// Properties of the LOC container. An even one holds a varint, an odd one a
// length and bytes.
const (
	locTimestampOld = 0x06
	locTimescale    = 0x08
	locTimestamp    = 0x10
)

// AppendLOC writes the payload of a frame in the LOC container after b
// (docs/wire.md, section 14.3): the length of a block of properties, the block,
// the packet.
func AppendLOC(b []byte, timestampMicros uint64, opus []byte) []byte {
	b, start := openBody(b)
	b = appendVarint(b, locTimestamp)
	b = appendVarint(b, timestampMicros)
	return append(closeBody(b, start), opus...)
}

// ParseLOC takes a payload apart and converts its timestamp to microseconds,
// rounding down. The packet shares memory with the payload.
func ParseLOC(payload []byte) (timestampMicros uint64, opus []byte, err error) {
	c := cursor{rest: payload, short: ErrShort}
	block := c.sized()
	if c.err == nil {
		timestampMicros, err = parseBody(block, "properties", (*cursor).locProperties)
		c.err = err
	}
	if c.err != nil {
		return 0, nil, fmt.Errorf("loc container: %w", c.err)
	}
	return timestampMicros, c.rest, nil
}

// locProperties takes a whole block of properties and returns the timestamp that
// is among them. Each property's id is given as the difference to the one before.
func (c *cursor) locProperties() (micros uint64) {
	var id, ticks, scale uint64 = 0, 0, AudioTimescale
	var found bool
	for len(c.rest) > 0 {
		id += c.varint()
		if id > MaxVarint {
			c.fail(fmt.Errorf("%w: property id out of range", ErrMalformed))
		}
		switch {
		case id == locTimestamp, id == locTimestampOld:
			ticks, found = c.varint(), true
		case id == locTimescale:
			scale = c.varint()
		case id%2 == 0:
			c.varint()
		default:
			c.sized()
		}
	}
	if !found {
		c.fail(fmt.Errorf("%w: no timestamp", ErrMalformed))
	}
	high, low := bits.Mul64(ticks, AudioTimescale)
	if c.err != nil || high >= scale { // a scale of 0 too
		c.fail(errTimestamp)
		return 0
	}
	micros, _ = bits.Div64(high, low, scale)
	if micros > maxTimestamp {
		c.fail(errTimestamp)
	}
	return micros
}
