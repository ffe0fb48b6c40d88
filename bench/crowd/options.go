package crowd

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// The transports.
const (
	QUIC         = "quic"
	WebTransport = "webtransport"
)

// Transports are the names a crowd knows.
var Transports = []string{QUIC, WebTransport}

// Options say who listens to what, and where. Address, Broadcast, Track and
// Arrived are required.
type Options struct {
	// Address is the relay's HOST:PORT, Path the request path with its query,
	// which may hold a token. Empty means "/".
	Address, Path string

	// TLS verifies the relay. Nil trusts whoever answers, which is for relays on
	// this machine.
	TLS *tls.Config

	// Transport is [QUIC] or [WebTransport]. Empty means QUIC.
	Transport string

	Broadcast protocol.Path
	Track     string

	// Listeners is how many join. Zero means 1.
	Listeners int

	// Rate is how many join a second. Zero means 200, which a relay on the same
	// two cores keeps up with.
	Rate int

	// PerSocket is how many connections share a UDP socket. Zero means 256: more,
	// and a burst to all of them outgrows the socket's buffer and the one
	// goroutine that reads it.
	PerSocket int

	// Patience is how long a listener may take from its first packet to the first
	// audio. Zero means 20 s.
	Patience time.Duration

	// Arrived takes each datagram. It is called by one goroutine for each
	// listener, for many listeners at once, must not block and must not keep the
	// payload.
	Arrived func(listener int, d protocol.Datagram, at time.Time)

	// Joined is called as listeners hear their first audio, by one goroutine. Nil
	// tells nobody.
	Joined func(listeners int)
}

// ErrOptions says that the options make no sense.
var ErrOptions = errors.New("crowd options")

func (o Options) withDefaults() (Options, error) {
	o.Path = cmp.Or(o.Path, "/")
	o.Transport = cmp.Or(o.Transport, QUIC)
	o.Listeners = cmp.Or(o.Listeners, 1)
	o.Rate = cmp.Or(o.Rate, 200)
	o.PerSocket = cmp.Or(o.PerSocket, 256)
	o.Patience = cmp.Or(o.Patience, 20*time.Second)
	if o.TLS == nil {
		o.TLS = &tls.Config{InsecureSkipVerify: true}
	}
	if o.Joined == nil {
		o.Joined = func(int) {}
	}
	switch {
	case o.Transport != QUIC && o.Transport != WebTransport:
		return o, fmt.Errorf("%w: transport %q: want %s or %s", ErrOptions, o.Transport, QUIC, WebTransport)
	case o.Listeners < 0 || o.Rate < 0 || o.PerSocket < 0 || o.Patience < 0:
		return o, fmt.Errorf("%w: a negative number", ErrOptions)
	case o.Address == "" || o.Track == "" || o.Arrived == nil:
		return o, fmt.Errorf("%w: address, track and a function are required", ErrOptions)
	}
	return o, nil
}

// Sockets is how many UDP sockets so many listeners take.
func Sockets(listeners int) int { return (listeners + 255) / 256 }
