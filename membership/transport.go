package membership

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// A Transport is what gossip travels on: packets to and from an address, and
// streams that can be dialled until a context ends.
type Transport interface {
	memberlist.NodeAwareTransport
	DialContext(ctx context.Context, addr string) (net.Conn, error)
}

// network is the transport of UDP and TCP, on ports of the same number.
type network struct{ *memberlist.NetTransport }

// portTries is how often a free TCP port is looked for whose UDP twin is free,
// too.
const portTries = 10

func listenNetwork(host string, port int, log *gossipLog) (network, error) {
	for try := 1; ; try++ {
		t, err := memberlist.NewNetTransport(&memberlist.NetTransportConfig{
			BindAddrs: []string{host},
			BindPort:  port,
			Logger:    slog.NewLogLogger(log, slog.LevelDebug),
		})
		if err == nil {
			return network{t}, nil
		}
		if port != 0 || try == portTries {
			return network{}, err
		}
	}
}

// DialContext opens a TCP connection.
func (network) DialContext(ctx context.Context, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", addr)
}

const (
	// maxStreams is how many streams may be open that others opened. Each stream
	// holds what it was sent until that can be decrypted, so this bounds what a
	// stranger can make a relay hold: 64 times [maxStreamBytes]. A network that
	// starts all at once has more than 64 relays at its first seed; those that
	// are turned away come back, see seek.go.
	maxStreams = 64

	// maxStreamBytes is how much of a stream is read: the descriptions of 5,000
	// relays and then some.
	maxStreamBytes = 4 << 20
)

// A transport puts an end to what memberlist starts: memberlist knows no
// contexts and, shutting down, waits for nobody. Calling hangUp ends every
// stream and every dial, so that joining others does not keep a relay from
// leaving; Shutdown refuses packets, too. That is all that memberlist's
// goroutines can be waiting for, timers aside.
type transport struct {
	Transport
	ctx     context.Context // ends when the transport closes
	stop    context.CancelFunc
	dialCtx context.Context // ends when it hangs up
	hangUp  context.CancelFunc

	streams chan net.Conn // those that others opened
	tasks   sync.WaitGroup

	mu     sync.Mutex
	open   map[*stream]struct{}
	inward int // streams in open that others opened
}

func newTransport(inner Transport) *transport {
	t := &transport{
		Transport: inner,
		streams:   make(chan net.Conn),
		open:      make(map[*stream]struct{}),
	}
	t.ctx, t.stop = context.WithCancel(context.Background())
	t.dialCtx, t.hangUp = context.WithCancel(t.ctx)
	t.tasks.Go(t.accept)
	t.tasks.Go(func() {
		<-t.dialCtx.Done()
		t.closeStreams()
	})
	return t
}

// WriteToAddress sends a packet, unless the transport is closed. memberlist
// ends a probe at once when it gets an error that is none of the network's.
func (t *transport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	if t.ctx.Err() != nil {
		return time.Time{}, errClosed
	}
	return t.Transport.WriteToAddress(b, a)
}

// WriteTo is WriteToAddress for whoever does not know the name.
func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	return t.WriteToAddress(b, memberlist.Address{Addr: addr})
}

// DialAddressTimeout opens a stream.
func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	ctx, stop := context.WithTimeout(t.dialCtx, timeout)
	defer stop()
	conn, err := t.DialContext(ctx, a.Addr)
	if err != nil {
		return nil, err
	}
	s, ok := t.track(conn, false)
	if !ok {
		return nil, errClosed
	}
	return s, nil
}

// DialTimeout is DialAddressTimeout for whoever does not know the name.
func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// StreamCh returns the streams that others open.
func (t *transport) StreamCh() <-chan net.Conn { return t.streams }

// accept hands on the streams that others open, as many as there may be.
func (t *transport) accept() {
	for {
		select {
		case conn := <-t.Transport.StreamCh():
			s, ok := t.track(conn, true)
			if !ok {
				continue
			}
			select {
			case t.streams <- s:
			case <-t.dialCtx.Done():
				_ = s.Close()
			}
		case <-t.ctx.Done():
			return
		}
	}
}

// track keeps conn until it is closed. If that is not to be, because there are
// too many or the transport closes, it closes conn and returns false.
func (t *transport) track(conn net.Conn, inward bool) (*stream, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dialCtx.Err() != nil || inward && t.inward >= maxStreams {
		_ = conn.Close()
		return nil, false
	}
	s := &stream{Conn: conn, owner: t, left: maxStreamBytes, inward: inward}
	t.open[s] = struct{}{}
	if inward {
		t.inward++
	}
	return s, true
}

// closeStreams interrupts whoever reads or writes a stream.
func (t *transport) closeStreams() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.open {
		_ = s.Conn.Close()
	}
}

// Shutdown closes everything and waits for the goroutines that feed it.
func (t *transport) Shutdown() error {
	t.stop()
	t.tasks.Wait()

	// The transport waits for its readers, which may be waiting to hand over
	// what they have read.
	drained := make(chan struct{})
	var drain sync.WaitGroup
	drain.Go(func() {
		for {
			select {
			case <-t.PacketCh():
			case conn := <-t.Transport.StreamCh():
				_ = conn.Close()
			case <-drained:
				return
			}
		}
	})
	err := t.Transport.Shutdown()
	close(drained)
	drain.Wait()
	return err
}

// A stream is a connection that its transport knows of.
type stream struct {
	net.Conn
	owner  *transport
	left   int // bytes that may still be read
	inward bool
	once   sync.Once
}

var errTooLong = errors.New("the stream is too long")

// Read reads what may still be read.
func (s *stream) Read(b []byte) (int, error) {
	if s.left <= 0 {
		return 0, errTooLong
	}
	n, err := s.Conn.Read(b[:min(len(b), s.left)])
	s.left -= n
	return n, err
}

// Close closes the connection; its transport forgets it.
func (s *stream) Close() error {
	s.once.Do(func() {
		s.owner.mu.Lock()
		defer s.owner.mu.Unlock()
		delete(s.owner.open, s)
		if s.inward {
			s.owner.inward--
		}
	})
	return s.Conn.Close()
}
