package crowd

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/relay/udp"
)

// A Pool is a few UDP sockets that many connections share: a socket and its reader for
// each of a thousand listeners cost their machine more than what they hear. It may
// be used by several goroutines.
type Pool struct {
	transports []*quic.Transport
	next       atomic.Uint64
}

// socketBuffer holds a burst to every connection of a socket many times over: a
// datagram fills about 800 bytes of it.
const socketBuffer = 4 << 20

// NewPool opens so many sockets at a local address, HOST:PORT. There is one at least.
func NewPool(sockets int, local string) (*Pool, error) {
	p := &Pool{}
	for range max(sockets, 1) {
		conn, err := udp.Listen(local, udp.Options{Buffer: socketBuffer})
		if err != nil {
			p.Close()
			return nil, err
		}
		p.transports = append(p.transports, &quic.Transport{Conn: conn})
	}
	return p, nil
}

// Socket is the one of a number, of which many have the same.
func (p *Pool) Socket(number int) *quic.Transport { return p.transports[number%len(p.transports)] }

// Dial connects to HOST:PORT over the next socket in turn. It can be a client's
// DialQUIC.
func (p *Pool) Dial(ctx context.Context, address string, cfg *tls.Config, qc *quic.Config) (*quic.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: address %q: want HOST:PORT", ErrOptions, address)
	}
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	remote, err := resolve(ctx, address)
	if err != nil {
		return nil, err
	}
	return p.Socket(int(p.next.Add(1)%uint64(len(p.transports)))).Dial(ctx, remote, cfg, qc)
}

// Close gives the sockets back. Connections over them end.
func (p *Pool) Close() {
	for _, t := range p.transports {
		_ = t.Close()
		_ = t.Conn.Close()
	}
}
