package memnet

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// An Endpoint is one member's place in a [Network]: a transport for memberlist.
type Endpoint struct {
	network *Network
	addr    netip.AddrPort
	packets chan *memberlist.Packet
	streams chan net.Conn

	mu    sync.Mutex
	group int
	down  bool
	slow  func() time.Duration
	pipes map[*pipe]struct{}
}

// Addr is the endpoint's address.
func (e *Endpoint) Addr() netip.AddrPort { return e.addr }

// SetSlow makes the endpoint take that much longer to see each packet, to send
// one, and to read from a stream, like a process that waits for its processor.
// Nil makes it as fast as the network.
func (e *Endpoint) SetSlow(slow func() time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.slow = slow
}

// SetDown takes the endpoint off the network or puts it back: nothing reaches
// it, nothing it sends arrives, and nobody is told.
func (e *Endpoint) SetDown(down bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down = down
}

// FinalAdvertiseAddr returns the endpoint's address, whatever is wished for.
func (e *Endpoint) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return e.addr.Addr().AsSlice(), int(e.addr.Port()), nil
}

// WriteTo sends a packet. It never fails for a reason on the way.
func (e *Endpoint) WriteTo(b []byte, addr string) (time.Time, error) {
	to, _ := e.network.find(addr)
	now := time.Now()
	if to == nil || !e.reaches(to) || e.network.loses() {
		return now, nil
	}
	p := &memberlist.Packet{Buf: b, From: net.UDPAddrFromAddrPort(e.addr)}
	if d := e.delay() + e.network.latency() + to.delay(); d > 0 {
		time.AfterFunc(d, func() { to.receive(p) })
	} else {
		to.receive(p)
	}
	return now, nil
}

// WriteToAddress is WriteTo: a name leads nowhere.
func (e *Endpoint) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	return e.WriteTo(b, a.Addr)
}

func (e *Endpoint) receive(p *memberlist.Packet) {
	p.Timestamp = time.Now()
	if e.isDown() {
		return
	}
	select {
	case e.packets <- p:
	default: // as a socket does when nobody reads it
	}
}

// PacketCh returns the packets that arrive.
func (e *Endpoint) PacketCh() <-chan *memberlist.Packet { return e.packets }

// StreamCh returns the streams that others open.
func (e *Endpoint) StreamCh() <-chan net.Conn { return e.streams }

// DialContext opens a stream. To an address where nobody is it fails; to an
// endpoint that is down, or behind a split, it takes until ctx ends.
func (e *Endpoint) DialContext(ctx context.Context, addr string) (net.Conn, error) {
	to, err := e.network.find(addr)
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, e.delay()+e.network.latency()+to.delay()); err != nil {
		return nil, err
	}
	if !e.reaches(to) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	ours, theirs := e.connect(to)
	select {
	case to.streams <- theirs:
		return ours, nil
	default:
		_ = ours.Close()
		_ = theirs.Close()
		return nil, errUnreachable
	}
}

// sleep waits, or returns why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// DialAddressTimeout is DialContext for whoever has no context.
func (e *Endpoint) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	ctx, stop := context.WithTimeout(context.Background(), timeout)
	defer stop()
	return e.DialContext(ctx, a.Addr)
}

// DialTimeout is DialContext for whoever has no context.
func (e *Endpoint) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return e.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// Shutdown takes the endpoint off the network for good.
func (e *Endpoint) Shutdown() error {
	e.SetDown(true)
	e.network.remove(e)
	e.breakPipes(func(*pipe) bool { return true })
	return nil
}

func (e *Endpoint) setGroup(group int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.group = group
}

func (e *Endpoint) isDown() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.down
}

func (e *Endpoint) delay() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.slow == nil {
		return 0
	}
	return e.slow()
}

// reaches says whether what e sends gets to the other endpoint.
func (e *Endpoint) reaches(to *Endpoint) bool {
	e.mu.Lock()
	group, down := e.group, e.down
	e.mu.Unlock()
	to.mu.Lock()
	defer to.mu.Unlock()
	return !down && !to.down && group == to.group
}
