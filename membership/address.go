package membership

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// lookupTimeout is how long a name may take to be resolved.
const lookupTimeout = 5 * time.Second

// resolve finds the addresses of HOST:PORT. A literal address needs no lookup.
func resolve(ctx context.Context, c Config, hostPort string) ([]netip.AddrPort, error) {
	host, port, err := splitAddr(hostPort)
	if err != nil {
		return nil, err
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.AddrPort{netip.AddrPortFrom(ip.Unmap(), uint16(port))}, nil
	}
	ctx, stop := context.WithTimeout(ctx, lookupTimeout)
	defer stop()
	ips, err := c.Lookup(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", host, err)
	}
	if len(ips) == 0 {
		return nil, fmt.Errorf("%q: the name has no address", host)
	}
	found := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		found[i] = netip.AddrPortFrom(ip.Unmap(), uint16(port))
	}
	return found, nil
}

// bindAddress returns the address to listen on, "" for every one, and the port.
func bindAddress(ctx context.Context, c Config) (string, int, error) {
	host, port, err := splitAddr(c.Bind)
	if err != nil || host == "" {
		return "", port, err
	}
	at, err := resolve(ctx, c, c.Bind)
	if err != nil {
		return "", 0, err
	}
	return at[0].Addr().String(), port, nil
}

// advertised returns what others are told to reach this relay's gossip at, if
// it listens on host ("" for every address) and port.
func advertised(ctx context.Context, c Config, host string, port int) (netip.AddrPort, error) {
	if c.Advertise != "" {
		at, err := resolve(ctx, c, c.Advertise)
		if err != nil {
			return netip.AddrPort{}, err
		}
		if at[0].Port() == 0 {
			return netip.AddrPortFrom(at[0].Addr(), uint16(port)), nil
		}
		return at[0], nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.IsUnspecified() {
		if ip, err = outward(); err != nil {
			return netip.AddrPort{}, err
		}
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(port)), nil
}

// outward returns the address this machine speaks to the world from. Connecting
// a UDP socket asks the routing table and sends nothing; the addresses belong
// to documentation (RFC 5737, RFC 3849).
func outward() (netip.Addr, error) {
	for _, far := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} {
		conn, err := net.Dial("udp", far)
		if err != nil {
			continue
		}
		local := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
		_ = conn.Close()
		return local, nil
	}
	return netip.Addr{}, fmt.Errorf("%w: this machine has no route to others, so the address they reach it at has to be given", ErrConfig)
}
