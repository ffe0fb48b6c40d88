package hop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/stentor-audio/stentor/bench/wire"
)

// A host is where a program runs: one of a network, or this machine.
type host struct {
	wire *wire.Host // nil: this machine
	addr netip.Addr
}

// A site is where all of it runs.
type site struct {
	network *wire.Network // nil: this machine's loopback
	why     error         // it is the loopback
}

// newSite makes a network if that is wanted and possible.
func newSite(o Options) (*site, error) {
	if o.Loopback {
		return &site{}, nil
	}
	n, err := wire.New(o.Conditions)
	if err == nil {
		// The first host shows whether there can be any.
		if _, err = n.Host(); err == nil {
			return &site{network: n}, nil
		}
		n.Close()
	}
	if errors.Is(err, wire.ErrConditions) {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if errors.Is(err, wire.ErrUnsupported) {
		return &site{why: err}, nil
	}
	return nil, err
}

func (s *site) close() {
	if s.network != nil {
		s.network.Close()
	}
}

// host adds a host.
func (s *site) host() (host, error) {
	if s.network == nil {
		return host{addr: netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
	}
	h, err := s.network.Host()
	if err != nil {
		return host{}, err
	}
	return host{wire: h, addr: h.Addr()}, nil
}

// thread puts a program into the host; see process.Options.
func (h host) thread() func() error {
	if h.wire == nil {
		return nil
	}
	return h.wire.Enter
}

// dial connects from within the host.
func (h host) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if h.wire == nil {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return h.wire.DialContext(ctx, network, address)
}

// ports finds addresses for a relay's listening and gossip, and for its admin,
// which is for the host alone. In a network of its own every host has the same
// ports.
func (h host) ports() (listen, gossip, admin string, err error) {
	at := func(addr netip.Addr, port uint16) string { return netip.AddrPortFrom(addr, port).String() }
	local := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if h.wire != nil {
		return at(h.addr, 4443), at(h.addr, 7946), at(local, 9090), nil
	}
	var free [3]uint16
	for i := range free {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", "", err
		}
		defer func() { _ = l.Close() }() // after the last: each shall be another
		free[i] = l.Addr().(*net.TCPAddr).AddrPort().Port()
	}
	return at(local, free[0]), at(local, free[1]), at(local, free[2]), nil
}
