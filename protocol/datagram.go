package protocol

import "fmt"

// A Datagram is a group of one frame that may get lost (docs/wire.md, section
// 8). It is the whole body of a QUIC or WebTransport datagram; lite-04 has none.
//
//	DATAGRAM {
//	  Subscribe ID (i),
//	  Sequence (i),
//	  Timestamp (i),
//	  Payload (..),
//	}
type Datagram struct {
	SubscribeID uint64
	Sequence    uint64
	Timestamp   uint64 // absolute, not a difference as in [Frame]
	Payload     []byte // shares memory with the bytes it was parsed from
}

// Append writes d after b. A datagram longer than [MaxDatagram] must not be
// sent; whoever sends it looks at the length that came out.
func (d Datagram) Append(b []byte) []byte {
	b = appendVarint(b, d.SubscribeID)
	b = appendVarint(b, d.Sequence)
	b = appendVarint(b, d.Timestamp)
	return append(b, d.Payload...)
}

// ParseDatagram reads the datagram that b is. It allocates nothing: Payload is
// the end of b.
func ParseDatagram(b []byte) (Datagram, error) {
	c := cursor{rest: b, short: ErrShort}
	d := Datagram{SubscribeID: c.varint(), Sequence: c.varint(), Timestamp: c.timestamp()}
	if c.err != nil {
		return Datagram{}, fmt.Errorf("datagram: %w", c.err)
	}
	d.Payload = c.rest
	return d, nil
}
