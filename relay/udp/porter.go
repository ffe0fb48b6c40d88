package udp

import (
	"net/netip"
	"time"
)

// A Packet is one that has come.
type Packet struct {
	Data []byte
	OOB  []byte // control messages: the address it came to, its marks
	From netip.AddrPort
}

// A Porter stands before QUIC. It sees each packet first and may keep it for
// later, or for good. One goroutine calls it, the one that reads the socket.
type Porter interface {
	// Admit reports whether a packet is handed on at once. If it is not, it is
	// forgotten, unless the porter has made a copy for later.
	Admit(Packet) bool

	// Next is one that was kept and whose time has come.
	Next() (p Packet, ok bool)

	// Due is when to ask Next again if no packet comes before that; zero: not
	// until then.
	Due() time.Time
}
