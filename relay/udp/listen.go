package udp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
)

// Options of [Listen]. The zero value is a working one.
type Options struct {
	// Buffer is the wanted size of the receive and of the send buffer in bytes,
	// in the units of net.core.rmem_max. A packet of 100 bytes fills about 400.
	// Zero means 8 MiB; a negative one leaves the buffers alone.
	Buffer int

	// Logger is told once if the kernel grants less, with the command that
	// changes its mind. Nil discards it.
	Logger *slog.Logger
}

// ErrInUse says that another program has the port.
var ErrInUse = errors.New("port already in use")

// Listen opens the UDP socket at address, HOST:PORT or :PORT for every address
// of the machine, IPv4 and IPv6. Buffers smaller than wanted are logged and no
// error.
func Listen(address string, o Options) (*net.UDPConn, error) {
	o.Buffer = cmp.Or(o.Buffer, 8<<20)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if address == "" { // would be any port on every address
		return nil, Explain("udp", address, errors.New("it is empty"))
	}
	pc, err := new(net.ListenConfig).ListenPacket(context.Background(), "udp", address)
	if err != nil {
		return nil, Explain("udp", address, err)
	}
	conn := pc.(*net.UDPConn)
	if o.Buffer < 0 {
		return conn, nil
	}
	granted := Grow(conn, o.Buffer)
	if remedy := granted.Remedy(); remedy != "" {
		o.Logger.Warn("the kernel grants smaller UDP buffers than wanted: bursts will lose packets",
			"wanted", o.Buffer, "receive", granted.Receive, "send", granted.Send, "remedy", remedy)
		quiet()
	}
	return conn, nil
}

// quicGoWarning turns off quic-go's own line about buffers when set to true.
const quicGoWarning = "QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING"

// quiet keeps quic-go from saying the same again, in a format of its own and
// with a link in the place of the command. Whoever has set the variable keeps
// their choice.
func quiet() {
	if _, set := os.LookupEnv(quicGoWarning); !set {
		_ = os.Setenv(quicGoWarning, "true") // fails only for malformed names
	}
}

// Explain adds to an error of opening a port what to do about it. Network is
// "udp" or "tcp".
func Explain(network, address string, err error) error {
	host, port, splitErr := net.SplitHostPort(address)
	where := fmt.Sprintf("%s port %s", network, port)
	if host != "" {
		where += " on " + host
	}
	switch {
	case splitErr != nil:
		return fmt.Errorf("%s address %q: want HOST:PORT, or :PORT for every address of this machine: %w", network, address, err)
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: %s: choose another, or stop the program that has it (ss -H%slpn 'sport = :%s' names it)",
			ErrInUse, where, network[:1], port)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: not allowed: ports below 1024 need root or the capability CAP_NET_BIND_SERVICE (setcap cap_net_bind_service=+ep on the binary): %w", where, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: this machine does not have that address; leave the host out to take every address: %w", where, err)
	default:
		return fmt.Errorf("%s: %w", where, err)
	}
}
