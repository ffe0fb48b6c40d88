package conn

import (
	"crypto/tls"
	"net"

	"golang.org/x/sys/unix"
)

// notSent is how many bytes the system takes before it has sent those it took:
// what stands there cannot be taken back when it gets old.
const notSent = 4 << 10

// tune keeps what the system holds back small. It changes nothing about what is on
// its way, which the path needs. Nagle's algorithm is off in Go already.
func tune(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	t, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		// If it fails, old groups wait longer and nothing else changes.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSent)
	})
}
