package qmux

import (
	"fmt"

	"github.com/quic-go/quic-go/quicvarint"
)

// Parameters are what an end allows the other, in its first frame. Sizes are
// bytes. A limit that is absent is zero.
type Parameters struct {
	MaxIdleTimeout          uint64 // milliseconds; zero is none
	MaxData                 uint64 // of all streams together
	MaxStreamDataBidiLocal  uint64 // of a stream that the sender of the parameters opens
	MaxStreamDataBidiRemote uint64 // of a stream that their reader opens
	MaxStreamDataUni        uint64
	MaxStreamsBidi          uint64
	MaxStreamsUni           uint64
	MaxDatagram             uint64 // zero: no datagrams
	MaxRecord               uint64 // read as [MaxRecord] if absent
	ResetStreamAt           bool
}

// Ids of parameters.
const (
	idResetStreamAt        = 0x1d
	idApplicationProtocols = 0x3d4f9c2a8b1e6075
)

// integers are the parameters that are integers, in the order they are written.
func (p *Parameters) integers() [9]struct {
	id    uint64
	value *uint64
} {
	return [...]struct {
		id    uint64
		value *uint64
	}{
		{0x01, &p.MaxIdleTimeout},
		{0x04, &p.MaxData},
		{0x05, &p.MaxStreamDataBidiLocal},
		{0x06, &p.MaxStreamDataBidiRemote},
		{0x07, &p.MaxStreamDataUni},
		{0x08, &p.MaxStreamsBidi},
		{0x09, &p.MaxStreamsUni},
		{0x20, &p.MaxDatagram},
		{0x0571c59429cd0845, &p.MaxRecord},
	}
}

// Append writes the frame after b. Zeros are left out.
func (p Parameters) Append(b []byte) []byte {
	var body []byte
	for _, f := range p.integers() {
		if *f.value != 0 {
			body = appendVarints(body, f.id, uint64(quicvarint.Len(min(*f.value, maxVarint))), *f.value)
		}
	}
	if p.ResetStreamAt {
		body = appendVarints(body, idResetStreamAt, 0)
	}
	b = appendVarints(b, typeParameters, uint64(len(body)))
	return append(b, body...)
}

// ParseParameters reads the body of the frame. Unknown ids are skipped; a known
// one that repeats, and one that belongs to QUIC or TCP only, is an error.
func ParseParameters(body []byte) (Parameters, error) {
	p := Parameters{}
	seen := make(map[uint64]bool, 10)
	c := cursor{rest: body}
	for len(c.rest) > 0 && c.err == nil {
		id, value := c.varint(), c.sized()
		if c.err != nil {
			break
		}
		known, err := p.set(id, value)
		if err != nil {
			return Parameters{}, fmt.Errorf("%w: %#x: %w", ErrParameters, id, err)
		}
		if known && seen[id] {
			return Parameters{}, fmt.Errorf("%w: %#x twice", ErrParameters, id)
		}
		seen[id] = true
	}
	if c.err != nil {
		return Parameters{}, fmt.Errorf("%w: %w", ErrParameters, c.err)
	}
	if !seen[0x0571c59429cd0845] {
		p.MaxRecord = MaxRecord
	}
	return p, nil
}

var (
	errForbidden = fmt.Errorf("%w: not allowed here", ErrMalformed)
	errValue     = fmt.Errorf("%w: value", ErrMalformed)
)

// set takes one parameter in and reports whether it is one of ours.
func (p *Parameters) set(id uint64, value []byte) (known bool, err error) {
	switch {
	case id == 0x00, id == 0x02, id == 0x03, id >= 0x0a && id <= 0x10, id == idApplicationProtocols:
		return false, errForbidden
	case id == idResetStreamAt:
		if len(value) > 0 {
			return true, errValue
		}
		p.ResetStreamAt = true
		return true, nil
	}
	for _, f := range p.integers() {
		if f.id != id {
			continue
		}
		v, n, err := quicvarint.Parse(value)
		if err != nil || n != len(value) {
			return true, errValue
		}
		*f.value = v
		return true, nil
	}
	return false, nil
}
