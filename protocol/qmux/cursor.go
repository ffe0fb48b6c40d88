package qmux

import "github.com/quic-go/quic-go/quicvarint"

// maxVarint is the largest integer on the wire (RFC 9000 §16).
const maxVarint = 1<<62 - 1

// appendVarint writes v in the shortest form, and what is too large as the
// largest there is: a number a peer made up must not end a relay.
func appendVarint(b []byte, v uint64) []byte { return quicvarint.Append(b, min(v, maxVarint)) }

func appendVarints(b []byte, vs ...uint64) []byte {
	for _, v := range vs {
		b = appendVarint(b, v)
	}
	return b
}

// A cursor takes fields off the front of a record. Its first error sticks, and
// later fields are zero.
type cursor struct {
	rest []byte
	err  error
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.rest = nil
}

func (c *cursor) varint() uint64 {
	v, n, err := quicvarint.Parse(c.rest)
	if err != nil {
		c.fail(ErrShort)
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

// bytes takes n bytes. They share memory with the record.
func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.fail(ErrShort)
		return nil
	}
	v := c.rest[:n:n]
	c.rest = c.rest[n:]
	return v
}

func (c *cursor) sized() []byte { return c.bytes(c.varint()) }

// all takes what is left.
func (c *cursor) all() []byte { return c.bytes(uint64(len(c.rest))) }
