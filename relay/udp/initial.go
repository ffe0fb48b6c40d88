package udp

import (
	"encoding/binary"

	"github.com/quic-go/quic-go/quicvarint"
)

// An Initial is what the header of a packet says with which a client asks for a
// QUIC handshake (RFC 9000 §17.2.2).
type Initial struct {
	// Source is the connection ID that the client has chosen, up to 20 bytes. It
	// stays the same as long as the handshake lasts.
	Source []byte
	// Token is whether it carries one: it has been here before.
	Token bool
}

const (
	version1, version2 = 1, 0x6b3343cf // RFC 9000 §15, RFC 9369 §3.1
	maxConnectionID    = 20
	// leastChosen is how long the connection ID must be that a client chooses for a
	// server that it has not heard of yet (RFC 9000 §7.2).
	leastChosen = 8
	// leastInitial is how long the datagram must be (RFC 9000 §14.1).
	leastInitial = 1200
)

// ParseInitial reports whether a datagram begins with a client's Initial packet
// that may ask for a handshake: not one that a server has sent, nor one whose
// connection ID the server itself must have given it. It trusts nothing of it: the
// rest is encrypted.
func ParseInitial(b []byte) (Initial, bool) {
	if len(b) < leastInitial || b[0]&0xc0 != 0xc0 {
		return Initial{}, false
	}
	kind := b[0] >> 4 & 3
	switch binary.BigEndian.Uint32(b[1:]) {
	case version1:
		if kind != 0 {
			return Initial{}, false
		}
	case version2:
		if kind != 1 {
			return Initial{}, false
		}
	default:
		return Initial{}, false
	}
	destination, rest, ok := connectionID(b[5:])
	if !ok {
		return Initial{}, false
	}
	source, rest, ok := connectionID(rest)
	if !ok {
		return Initial{}, false
	}
	token, _, err := quicvarint.Parse(rest)
	if err != nil || token == 0 && len(destination) < leastChosen {
		return Initial{}, false
	}
	return Initial{Source: source, Token: token > 0}, true
}

// connectionID takes a length and so many bytes from the beginning of b.
func connectionID(b []byte) (id, rest []byte, ok bool) {
	if len(b) == 0 || int(b[0]) > maxConnectionID || len(b) <= int(b[0]) {
		return nil, nil, false
	}
	n := 1 + int(b[0])
	return b[1:n], b[n:], true
}
