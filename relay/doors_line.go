package relay

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/stentor-audio/stentor/relay/admission"
	"github.com/stentor-audio/stentor/relay/udp"
)

// A guest is somebody whose handshake has not ended: an address, and the
// connection ID that they go by, which is the same before and after they have
// shown that the address is theirs.
type guest struct {
	at   netip.AddrPort
	id   [20]byte
	long uint8
}

// A porter stands in front of QUIC and lets handshakes begin one after the other.
// The packets of those who wait, and of those who come too many, cost a relay no
// more than to read them. QUIC's own questions (mustValidate, enter) are answered
// as the porter has decided.
type porter struct {
	*doors
	ready []udp.Packet // of the one whose turn it is
}

const (
	// What may be said a second and processor to those who cannot begin. It costs
	// up to a twentieth of a processor; who is told nothing comes again, and costs more
	// in the end.
	refusalRate, validationRate = 700, 700
	// saidAtOnce is how many QUIC keeps ready to be said: more would be forgotten.
	saidAtOnce = 4
	// mostPermits is how many of those whom the porter has let on QUIC may be about
	// to ask for.
	mostPermits = 64
)

// Admit implements [udp.Porter].
func (p *porter) Admit(packet udp.Packet) bool {
	initial, ok := udp.ParseInitial(packet.Data)
	if !ok {
		return true
	}
	who := guest{at: packet.From, long: uint8(len(initial.Source))}
	copy(who.id[:], initial.Source)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.known(packet.From, now) {
		return true
	}
	keep := func() udp.Packet {
		packet.Data, packet.OOB = bytes.Clone(packet.Data), bytes.Clone(packet.OOB)
		return packet
	}
	switch p.line.Arrive(now, who, initial.Token, keep) {
	case admission.Pass:
		return true
	case admission.Validate:
		p.validations = min(p.validations+1, mostPermits)
		return true
	case admission.Refuse:
		p.refused++
		return true // without a permit
	case admission.Drop:
		p.refused++
	}
	return false
}

// known reports whether somebody comes from where another relay is, or with a pass:
// nobody of those stands in line. mu is held.
func (d *doors) known(from netip.AddrPort, now time.Duration) bool {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if _, relay := d.relays[from]; relay {
		return true
	}
	pass, has := d.passes[from.Addr()]
	return has && pass.left > 0 && now <= pass.until
}

// Next implements [udp.Porter].
func (p *porter) Next() (udp.Packet, bool) {
	if len(p.ready) == 0 {
		p.mu.Lock()
		packets, ok := p.line.Next(p.now())
		if ok {
			p.permits = min(p.permits+1, mostPermits)
		}
		p.mu.Unlock()
		if !ok {
			return udp.Packet{}, false
		}
		p.ready = packets
	}
	next := p.ready[0]
	p.ready = p.ready[1:]
	return next, true
}

// Due implements [udp.Porter].
func (p *porter) Due() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	in, ok := p.line.Due(p.now())
	if !ok {
		return time.Time{}
	}
	return time.Now().Add(in)
}
