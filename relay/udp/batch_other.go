//go:build !linux

package udp

import "net"

// A Batcher is a UDP socket. Only Linux sends many packets with one call.
type Batcher struct{ *net.UDPConn }

// Batch makes a Batcher of a socket, which it owns from then on.
func Batch(conn *net.UDPConn) (*Batcher, error) { return &Batcher{UDPConn: conn}, nil }

// Guard reports that no porter can stand here.
func (b *Batcher) Guard(Porter) bool { return false }
