package conn

import (
	"context"
	"net"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

var _ session.Conn = (*Conn)(nil)

// Context implements [session.Conn].
func (c *Conn) Context() context.Context { return c.ctx }

// Cause implements [session.Conn].
func (c *Conn) Cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Stats implements [session.Conn]. Packets are WebSocket messages here; what TCP
// loses, and how much it may have on its way, is unknown.
func (c *Conn) Stats() session.Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// Datagrams implements [session.Conn]: there are none.
func (c *Conn) Datagrams() bool { return false }

// SendDatagram implements [session.Conn].
func (c *Conn) SendDatagram([]byte) error { return session.ErrNoDatagrams }

// ReceiveDatagram implements [session.Conn].
func (c *Conn) ReceiveDatagram(context.Context) ([]byte, error) { return nil, session.ErrNoDatagrams }

// LocalAddr implements [session.Conn].
func (c *Conn) LocalAddr() net.Addr {
	if c.opts.Socket == nil {
		return &net.TCPAddr{}
	}
	return c.opts.Socket.LocalAddr()
}

// RemoteAddr implements [session.Conn].
func (c *Conn) RemoteAddr() net.Addr {
	if c.opts.Socket == nil {
		return &net.TCPAddr{}
	}
	return c.opts.Socket.RemoteAddr()
}

// Version implements [session.Conn].
func (c *Conn) Version() protocol.Version { return c.opts.Protocol }

// Transport implements [session.Conn].
func (c *Conn) Transport() string { return "websocket" }

// Path implements [session.Conn].
func (c *Conn) Path() (string, bool) { return c.opts.Path, true }
