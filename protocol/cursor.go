package protocol

import (
	"fmt"
	"unicode/utf8"

	"github.com/quic-go/quic-go/quicvarint"
)

// A cursor takes fields off the front of a slice. Its first error sticks and
// later fields are zero, so a parser checks once, at the end.
type cursor struct {
	rest  []byte
	short error // what it is when a field runs past the end
	err   error
}

// errBody is the end of a message's body inside a field: the message is all
// there, so more bytes cannot help.
var errBody = fmt.Errorf("%w: body ends inside a field", ErrMalformed)

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.rest = nil
}

func (c *cursor) varint() uint64 {
	v, n, err := quicvarint.Parse(c.rest)
	if err != nil {
		c.fail(c.short)
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

func (c *cursor) u8() uint8 {
	if len(c.rest) == 0 {
		c.fail(c.short)
		return 0
	}
	v := c.rest[0]
	c.rest = c.rest[1:]
	return v
}

// bool takes 0 or 1 and nothing else, as @moq/net does.
func (c *cursor) bool() bool {
	v := c.u8()
	if v > 1 {
		c.fail(fmt.Errorf("%w: %d is no bool", ErrMalformed, v))
	}
	return v == 1
}

// bytes takes n bytes. They share memory with the input.
func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.fail(c.short)
		return nil
	}
	v := c.rest[:n:n]
	c.rest = c.rest[n:]
	return v
}

// sized takes a varint and as many bytes.
func (c *cursor) sized() []byte { return c.bytes(c.varint()) }

func (c *cursor) string() string { return c.text(c.sized()) }

// text checks that b, taken off c before, is UTF-8.
func (c *cursor) text(b []byte) string {
	if !utf8.Valid(b) {
		c.fail(fmt.Errorf("%w: string is not UTF-8", ErrMalformed))
		return ""
	}
	return string(b)
}

func (c *cursor) path() Path {
	p, err := ParsePath(c.string())
	if err != nil {
		c.fail(err)
	}
	return p
}

func (c *cursor) timestamp() uint64 {
	v := c.varint()
	if v > maxTimestamp {
		c.fail(errTimestamp)
	}
	return v
}

var errTimestamp = fmt.Errorf("%w: timestamp out of range", ErrMalformed)

// end fails if bytes are left, and returns the first error.
func (c *cursor) end() error {
	if c.err == nil && len(c.rest) > 0 {
		c.fail(fmt.Errorf("%w: %d bytes too many", ErrMalformed, len(c.rest)))
	}
	return c.err
}

// parseMessage reads the length at the start of b and hands the body to parse,
// which must take all of it. It returns how many bytes of b the message took.
func parseMessage[M any](b []byte, name string, parse func(*cursor) M) (M, int, error) {
	var none M
	head := cursor{rest: b, short: ErrShort}
	body := head.body()
	if head.err != nil {
		return none, 0, fmt.Errorf("%s: %w", name, head.err)
	}
	m, err := parseBody(body, name, parse)
	if err != nil {
		return none, 0, err
	}
	return m, len(b) - len(head.rest), nil
}

// body takes a length and as many bytes, if the length is allowed.
func (c *cursor) body() []byte {
	n := c.varint()
	if n > MaxMessage {
		c.fail(ErrTooLong)
	}
	return c.bytes(n)
}

func parseBody[M any](b []byte, name string, parse func(*cursor) M) (M, error) {
	c := cursor{rest: b, short: errBody}
	m := parse(&c)
	if err := c.end(); err != nil {
		var none M
		return none, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// openBody makes room for the length of a message's body and returns where the
// body starts. closeBody fills the length in once the body is written.
func openBody(b []byte) ([]byte, int) { return append(b, 0), len(b) + 1 }

func closeBody(b []byte, start int) []byte {
	n := len(b) - start
	if n < 1<<6 {
		b[start-1] = byte(n)
		return b
	}
	size := quicvarint.Len(uint64(n))
	b = append(b, make([]byte, size-1)...)
	copy(b[start+size-1:], b[start:start+n])
	quicvarint.Append(b[:start-1], uint64(n))
	return b
}

func appendString(b []byte, s string) []byte {
	return append(appendVarint(b, uint64(len(s))), s...)
}

func appendSized(b, s []byte) []byte {
	return append(appendVarint(b, uint64(len(s))), s...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}
