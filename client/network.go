package client

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/stentor-audio/stentor/client/hop"
)

// routesEvery is how often the ways to the relays are looked at. What is wrong
// shows as silence within a fifth of a second; this only says why.
const routesEvery = time.Second

// route asks the system from which address it would send to another. Nothing is
// sent: a UDP socket that connects only looks up its route.
func route(to netip.Addr) (netip.Addr, bool) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 9)))
	if err != nil {
		return netip.Addr{}, false
	}
	defer func() { _ = conn.Close() }()
	from := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
	return from.Unmap(), from.IsValid()
}

// watchRoutes says when packets to a relay leave from another address than they
// did: from Wi-Fi to mobile, into or out of a tunnel. No route at all is no
// other one; it may come back as it was.
func (r *roamer) watchRoutes(ctx context.Context) {
	tick := time.NewTicker(routesEvery)
	defer tick.Stop()
	for {
		r.lookAtRoutes()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (r *roamer) lookAtRoutes() {
	r.mu.Lock()
	defer r.mu.Unlock()
	moved := false
	for _, l := range r.lines {
		if l.session == nil {
			continue
		}
		to, ok := addrOf(l.session.Conn().RemoteAddr())
		if !ok {
			continue
		}
		from, ok := r.route(to)
		if !ok {
			continue
		}
		moved = moved || l.source.IsValid() && l.source != from
		l.source = from
	}
	if moved {
		r.log.Info("the network has changed")
		r.step(hop.Event{Kind: hop.NetworkChanged})
	}
}

func addrOf(a net.Addr) (netip.Addr, bool) {
	udp, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	addr, ok := netip.AddrFromSlice(udp.IP)
	return addr.Unmap(), ok
}
