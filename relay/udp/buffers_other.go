//go:build !linux

package udp

import "net"

func growReceive(conn *net.UDPConn, want int) int { return grow(want, conn.SetReadBuffer) }

func growSend(conn *net.UDPConn, want int) int { return grow(want, conn.SetWriteBuffer) }

// grow asks for less and less until the system agrees, and trusts its word:
// systems other than Linux refuse what they do not grant.
func grow(want int, set func(int) error) int {
	for size := want; size >= 64<<10; size /= 2 {
		if set(size) == nil {
			return size
		}
	}
	return 0
}
