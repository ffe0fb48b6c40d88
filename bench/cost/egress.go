package cost

import (
	"bytes"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// What lies around a group on the wire to a listener, in bytes.
const (
	ipHeader  = 40 // IPv6, RFC 8200 §3; IPv4 is 20
	udpHeader = 8  // RFC 768

	// The short header of QUIC (RFC 9000 §17.3.1): flags, the client's connection
	// id, of which quic-go makes 4 bytes and browsers none to 8, and two bytes of
	// packet number.
	shortHeader = 1 + 4 + 2

	aeadTag      = 16 // RFC 9001 §5.3
	datagramType = 1  // RFC 9221 §4; its length is a varint besides
	quarterID    = 1  // RFC 9297 §2.1, of the first request of a connection

	// An Ethernet frame around the packet: preamble, header, checksum, and the gap
	// to the next (IEEE 802.3 §3.1.1). A line's speed counts them, a bill does not.
	ethernet = 8 + 14 + 4 + 12
)

// DatagramBytes is the size of an IP packet with one datagram to a listener, an
// hour after the speaker began: sequence and timestamp are long by then.
func (c Constants) DatagramBytes(t Transport, packet time.Duration) int {
	body := len(c.group(packet))
	if t == WebTransport {
		body += quarterID
	}
	return ipHeader + udpHeader + shortHeader + datagramType + varintLen(body) + body + aeadTag
}

// group is the body of a datagram as a relay makes it.
func (c Constants) group(packet time.Duration) []byte {
	const hour = uint64(time.Hour / time.Microsecond)
	opus := make([]byte, int(c.Value(OpusBytes)))
	slots := int(packet / Packets[0])
	d := protocol.Datagram{
		SubscribeID: 1,
		Sequence:    uint64(time.Hour / packet),
		Timestamp:   hour,
	}
	if slots == 1 {
		d.Payload = protocol.AppendLegacy(nil, hour, opus)
	} else {
		d.Payload = protocol.AppendBundle(nil, repeat(opus, slots))
	}
	return d.Append(nil)
}

// repeat is a packet so many times.
func repeat(packet []byte, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = bytes.Clone(packet)
	}
	return out
}

// varintLen is the length of a length (RFC 9000 §16).
func varintLen(n int) int {
	switch {
	case n < 1<<6:
		return 1
	case n < 1<<14:
		return 2
	}
	return 4
}

// EgressPerListener is how many bytes of IP packets a second a relay sends to a
// listener of one speaker.
func (c Constants) EgressPerListener(t Transport, packet time.Duration) float64 {
	return float64(c.DatagramBytes(t, packet)) * Rate(packet)
}

// LinePerListener is the same as it fills an Ethernet line.
func (c Constants) LinePerListener(t Transport, packet time.Duration) float64 {
	return float64(c.DatagramBytes(t, packet)+ethernet) * Rate(packet)
}
