package conn

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/qmux"
	"github.com/stentor-audio/stentor/protocol/session"
)

// codeStalled is what a peer is told that gives us no connection window.
const codeStalled = uint64(protocol.CodeTimeout)

// messages lends a buffer to each message that comes. It has room for one byte
// more than is allowed.
var messages = sync.Pool{New: func() any { b := make([]byte, qmux.MaxRecord+1); return &b }}

// read takes messages in until the socket is closed. Once the connection is over
// it throws them away.
func (c *Conn) read() {
	for {
		kind, r, err := c.ws.Reader(c.reading)
		if err != nil {
			c.lost(err)
			return
		}
		buf := messages.Get().(*[]byte)
		n, err := io.ReadFull(r, *buf)
		switch {
		case err == nil:
			c.violated(violation("message above %d bytes", qmux.MaxRecord))
			_, err = io.Copy(io.Discard, r)
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			err = nil
			c.message(kind, (*buf)[:n])
		}
		messages.Put(buf)
		if err != nil {
			c.lost(err)
			return
		}
	}
}

// lost notes that the socket is gone.
func (c *Conn) lost(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abort(fmt.Errorf("websocket: %w", err))
	c.cut = true // nobody would read another word
}

func (c *Conn) message(kind websocket.MessageType, record []byte) {
	c.mu.Lock()
	err := c.record(kind, record)
	c.mu.Unlock()
	var broken *TransportError
	switch {
	case err == nil:
	case errors.As(err, &broken):
		c.violated(broken)
	default:
		c.violated(violation("%v", err))
	}
}

// record acts on a record. The caller holds c.mu.
func (c *Conn) record(kind websocket.MessageType, record []byte) error {
	c.received = time.Now()
	c.stats.PacketsReceived++
	if c.cause == nil && kind != websocket.MessageBinary {
		return &TransportError{Code: qmux.CodeText, Reason: "text frames are not valid for qmux"}
	}
	for c.cause == nil {
		f, rest, err := qmux.Next(record)
		if err == nil && f == nil {
			return nil
		}
		if closed, ok := f.(qmux.ApplicationClose); ok && c.isKnown() {
			c.end(&session.ClosedError{Code: protocol.ResetCode(closed.Code), Reason: closed.Reason, Remote: true}, nil)
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.frame(f); err != nil {
			return err
		}
		record = rest
	}
	return nil
}

func (c *Conn) isKnown() bool {
	select {
	case <-c.known:
		return true
	default:
		return false
	}
}

// frame acts on one frame.
func (c *Conn) frame(f qmux.Frame) error {
	if p, ok := f.(qmux.Parameters); ok {
		return c.parameters(p)
	}
	if !c.isKnown() {
		return violation("a frame before the transport parameters")
	}
	switch f := f.(type) {
	case qmux.Stream:
		s, err := c.receiver(f.ID)
		if err != nil || s == nil {
			return err
		}
		return s.data(f)
	case qmux.ResetStream:
		if f.At {
			return violation("RESET_STREAM_AT was not offered")
		}
		s, err := c.receiver(f.ID)
		if err != nil || s == nil {
			return err
		}
		return s.reset(f)
	case qmux.StopSending:
		if s := c.sending[f.ID]; s != nil {
			s.reset(f.Code, &session.ResetError{Code: protocol.ResetCode(f.Code), Remote: true})
		}
	case qmux.MaxData:
		if f.Max > c.peer.MaxData {
			c.peer.MaxData = f.Max
			c.blocked = time.Time{}
			poke(c.wake)
		}
	case qmux.MaxStreamData:
		if s := c.sending[f.ID]; s != nil && f.Max > s.limit {
			s.limit = f.Max
			poke(s.wake)
		}
	case qmux.MaxStreams:
		c.maxStreams(f)
	case qmux.Ping:
		return c.ping(f.Sequence)
	case qmux.Pong:
		return c.pong(f.Sequence)
	case qmux.ConnectionClose:
		c.end(&TransportError{Code: f.Code, Reason: f.Reason, Remote: true}, nil)
	case qmux.Datagram:
		return violation("datagrams were not offered")
	}
	return nil
}

// parameters takes the peer's first frame in.
func (c *Conn) parameters(p qmux.Parameters) error {
	if c.isKnown() {
		return violation("transport parameters twice")
	}
	if p.MaxRecord < qmux.MaxRecord {
		return violation("max_record_size below %d", qmux.MaxRecord)
	}
	c.peer = p
	c.outgoing[bidi].limit = p.MaxStreamsBidi
	c.outgoing[uni].limit = p.MaxStreamsUni
	close(c.known)
	return nil
}

func (c *Conn) maxStreams(f qmux.MaxStreams) {
	o := &c.outgoing[bidi]
	if f.Uni {
		o = &c.outgoing[uni]
	}
	if f.Max <= o.limit {
		return
	}
	o.limit = min(f.Max, maxStreams)
	if o.raised != nil {
		close(o.raised)
		o.raised = nil
	}
}

// maxStreams is how many streams of a kind an id has room for (RFC 9000 §4.6).
const maxStreams = 1 << 60

// ping answers at once. On qmux-02 numbers must rise.
func (c *Conn) ping(sequence uint64) error {
	if c.opts.Version.Strict() && sequence < c.peerPing {
		return violation("ping %d after %d", sequence, c.peerPing-1)
	}
	c.peerPing = max(c.peerPing, sequence+1)
	c.say(qmux.Pong{Sequence: sequence})
	return nil
}

// pong tells the round trip of the last ping. On qmux-02 nobody may answer what
// was not asked.
func (c *Conn) pong(sequence uint64) error {
	if sequence >= c.nextPing {
		if c.opts.Version.Strict() {
			return violation("answer to ping %d, which was not sent", sequence)
		}
		return nil
	}
	if sequence != c.nextPing-1 || c.pingedAt.IsZero() {
		return nil
	}
	rtt := time.Since(c.pingedAt)
	c.pingedAt = time.Time{}
	if c.stats.RTT == 0 {
		c.stats.RTT = rtt
	}
	c.stats.RTT += (rtt - c.stats.RTT) / 8 // RFC 6298 §2
	return nil
}

// sign notes a sign of life that is not a message, and reports whether the
// socket is free: a ping of the WebSocket's own is answered by the reader, which
// must not wait for the writer.
func (c *Conn) sign() (free bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received = time.Now()
	return c.writing.IsZero()
}
