//go:build !linux

package wire

import (
	"context"
	"net"
	"net/netip"
)

// A Network is hosts and the way between them.
type Network struct{}

// A Host is a place where programs run.
type Host struct{}

// New returns [ErrUnsupported].
func New(Conditions) (*Network, error) { return nil, ErrUnsupported }

// Host returns [ErrUnsupported].
func (*Network) Host() (*Host, error) { return nil, ErrUnsupported }

// Close does nothing.
func (*Network) Close() {}

// Addr is no address.
func (*Host) Addr() netip.Addr { return netip.Addr{} }

// Enter returns [ErrUnsupported].
func (*Host) Enter() error { return ErrUnsupported }

// DialContext returns [ErrUnsupported].
func (*Host) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, ErrUnsupported
}

// ListenUDP returns [ErrUnsupported].
func (*Host) ListenUDP(uint16) (*net.UDPConn, error) { return nil, ErrUnsupported }

// Cut does nothing.
func (*Host) Cut() {}

// Mend does nothing.
func (*Host) Mend() {}

// Dropped is 0.
func (*Host) Dropped() uint64 { return 0 }
