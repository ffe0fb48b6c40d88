package udp

import (
	"net"

	"golang.org/x/sys/unix"
)

func growReceive(conn *net.UDPConn, want int) int {
	return grow(conn, want, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE)
}

func growSend(conn *net.UDPConn, want int) int {
	return grow(conn, want, unix.SO_SNDBUF, unix.SO_SNDBUFFORCE)
}

// grow sets one buffer, within the limit of net.core.*mem_max or, with the
// capability CAP_NET_ADMIN, beyond it, and returns what came of it. Errors show
// in the size that is read back.
func grow(conn *net.UDPConn, want, option, force int) int {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	size := 0
	err = raw.Control(func(fd uintptr) {
		if size = buffer(fd, option); size >= want {
			return
		}
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, force, want) != nil {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, want)
		}
		size = buffer(fd, option)
	})
	if err != nil {
		return 0
	}
	return size
}

// buffer reads a size in the units it is set in: the kernel sets aside, and
// tells, twice of what it is asked for (socket(7), SO_RCVBUF).
func buffer(fd uintptr, option int) int {
	double, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, option)
	if err != nil {
		return 0
	}
	return double / 2
}
