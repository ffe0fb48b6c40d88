//go:build !linux

package conn

import (
	"crypto/tls"
	"net"
)

// sendBuffer is all that the system may hold, on its way or not.
const sendBuffer = 32 << 10

// tune keeps what the system holds back small.
func tune(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetWriteBuffer(sendBuffer) // if it fails, old groups wait longer
	}
}
