package udp

import (
	"fmt"
	"net"
	"runtime"
	"strings"
)

// Granted is what the kernel made of a wish for larger buffers, in bytes.
type Granted struct {
	Wanted        int
	Receive, Send int // zero where the system does not tell
}

// Grow makes both buffers of conn at least want bytes large, as far as the
// kernel lets it. It never makes them smaller.
func Grow(conn *net.UDPConn, want int) Granted {
	return Granted{
		Wanted:  want,
		Receive: growReceive(conn, want),
		Send:    growSend(conn, want),
	}
}

// Remedy is the command that an operator runs to have both buffers granted, ""
// if they were.
func (g Granted) Remedy() string { return g.remedy(runtime.GOOS) }

func (g Granted) remedy(goos string) string {
	if g.Receive >= g.Wanted && g.Send >= g.Wanted {
		return ""
	}
	switch goos {
	case "linux":
		var limits []string
		if g.Receive < g.Wanted {
			limits = append(limits, fmt.Sprintf("net.core.rmem_max=%d", g.Wanted))
		}
		if g.Send < g.Wanted {
			limits = append(limits, fmt.Sprintf("net.core.wmem_max=%d", g.Wanted))
		}
		return "sysctl -w " + strings.Join(limits, " ")
	case "darwin", "freebsd":
		// The limit counts the kernel's own bookkeeping as well.
		return fmt.Sprintf("sysctl kern.ipc.maxsockbuf=%d", 2*g.Wanted)
	default:
		return "raise the system's limit on socket buffers"
	}
}
