package conn

import (
	"io"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/qmux"
	"github.com/stentor-audio/stentor/protocol/session"
)

// receiveStream is the half of a stream that the peer writes.
type receiveStream struct {
	conn *Conn
	id   uint64

	// Guarded by conn.mu.
	window   window
	buf      []byte        // came and was not read yet
	fin      bool          // nothing follows buf
	err      error         // what Read returns instead
	stopped  bool          // nobody reads any more; the peer was told
	accepted bool          // handed out, or opened here
	over     bool          // nothing can come any more, and what came is read
	deadline time.Time     // for Read
	wake     chan struct{} // receives when a waiting Read should look again
}

func (c *Conn) newReceive(id uint64) *receiveStream {
	s := &receiveStream{conn: c, id: id, window: newWindow(streamWindow)}
	c.receiving[id] = s
	return s
}

// Read implements [session.ReceiveStream].
func (s *receiveStream) Read(b []byte) (int, error) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case s.err != nil:
			poke(s.wake) // whoever else waits here
			return 0, s.err
		case len(s.buf) > 0:
			n := copy(b, s.buf)
			if s.buf = s.buf[n:]; len(s.buf) == 0 {
				s.buf = nil
			}
			s.consumed(n)
			s.settle()
			return n, nil
		case s.fin:
			return 0, io.EOF
		}
		if err := c.wait(&s.wake, s.deadline); err != nil {
			return 0, err
		}
	}
}

// SetReadDeadline implements [session.ReceiveStream].
func (s *receiveStream) SetReadDeadline(t time.Time) error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.deadline = t
	poke(s.wake)
	return nil
}

// CancelRead implements [session.ReceiveStream].
func (s *receiveStream) CancelRead(code protocol.ResetCode) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.err != nil || s.over {
		return
	}
	s.discard()
	s.err = &session.ResetError{Code: code}
	s.stopped = true
	if !s.fin {
		c.say(qmux.StopSending{ID: s.id, Code: uint64(code)})
	}
	poke(s.wake)
	s.settle()
}

// accept says that somebody took the stream.
func (s *receiveStream) accept() {
	s.accepted = true
	s.settle()
}

// data takes a STREAM frame in.
func (s *receiveStream) data(f qmux.Stream) error {
	if s.fin {
		return nil
	}
	if !f.NoOffset && f.Offset != s.window.received {
		return violation("offset %d on stream %d, where %d follows", f.Offset, s.id, s.window.received)
	}
	if err := s.count(uint64(len(f.Data))); err != nil {
		return err
	}
	if s.stopped {
		s.consumed(len(f.Data)) // still on its way when the peer was told
	} else {
		s.buf = append(s.buf, f.Data...)
	}
	s.fin = f.FIN
	poke(s.wake)
	s.settle()
	return nil
}

// reset takes a RESET_STREAM frame in. What is missing up to the final size
// counts as if it had come: the peer has counted it.
func (s *receiveStream) reset(f qmux.ResetStream) error {
	if s.fin {
		return nil
	}
	missing := max(f.FinalSize, s.window.received) - s.window.received
	if err := s.count(missing); err != nil {
		return err
	}
	s.discard()
	s.fin = true
	s.consumed(int(missing))
	if s.err == nil {
		s.err = &session.ResetError{Code: protocol.ResetCode(f.Code), Remote: true}
	}
	poke(s.wake)
	s.settle()
	return nil
}

func (s *receiveStream) count(n uint64) error {
	if !s.window.receive(n) || !s.conn.window.receive(n) {
		return errFlowControl
	}
	return nil
}

func (s *receiveStream) discard() {
	n := len(s.buf)
	s.buf = nil
	s.consumed(n)
}

// consumed gives the peer back what was read or thrown away.
func (s *receiveStream) consumed(n int) {
	c := s.conn
	if limit, raise := s.window.consume(uint64(n)); raise && !s.fin && !s.stopped {
		c.say(qmux.MaxStreamData{ID: s.id, Max: limit})
	}
	if limit, raise := c.window.consume(uint64(n)); raise {
		c.say(qmux.MaxData{Max: limit})
	}
}

// settle forgets the stream when it is over and somebody has had it.
func (s *receiveStream) settle() {
	if s.over || !s.fin || len(s.buf) > 0 || !s.accepted {
		return
	}
	s.over = true
	delete(s.conn.receiving, s.id)
	s.conn.retire(s.id)
}

// fail ends the stream with the connection.
func (s *receiveStream) fail(cause error) {
	if s.err == nil {
		s.err = cause
	}
	s.buf = nil
	poke(s.wake)
}
