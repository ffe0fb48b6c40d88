package memnet

import (
	"net"
	"time"
)

// A pipe is one end of a stream.
type pipe struct {
	net.Conn
	at, to *Endpoint
}

// connect makes a stream between two endpoints.
func (e *Endpoint) connect(to *Endpoint) (ours, theirs *pipe) {
	a, b := net.Pipe()
	ours, theirs = &pipe{a, e, to}, &pipe{b, to, e}
	for _, p := range []*pipe{ours, theirs} {
		p.at.mu.Lock()
		p.at.pipes[p] = struct{}{}
		p.at.mu.Unlock()
	}
	return ours, theirs
}

// Read reads, as late as its endpoint is slow.
func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if d := p.at.delay(); d > 0 {
		time.Sleep(d)
	}
	return n, err
}

// Close ends the stream for both.
func (p *pipe) Close() error {
	p.at.mu.Lock()
	delete(p.at.pipes, p)
	p.at.mu.Unlock()
	return p.Conn.Close()
}

// LocalAddr is the endpoint's address.
func (p *pipe) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(p.at.addr) }

// RemoteAddr is the other endpoint's address.
func (p *pipe) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(p.to.addr) }

// breakPipes closes the streams that which picks.
func (e *Endpoint) breakPipes(which func(*pipe) bool) {
	e.mu.Lock()
	var picked []*pipe
	for p := range e.pipes {
		picked = append(picked, p)
	}
	e.mu.Unlock()
	for _, p := range picked {
		if which(p) {
			_ = p.Close()
		}
	}
}
