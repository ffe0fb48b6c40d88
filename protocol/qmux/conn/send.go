package conn

import (
	"context"
	"os"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/qmux"
	"github.com/stentor-audio/stentor/protocol/session"
)

const (
	// maxQueued is how many bytes of streams of one kind may wait for the socket
	// before writers wait, too: a third of a second of one speaker. Who writes
	// groups drops old ones meanwhile, which nobody could here.
	maxQueued = 2 << 10
	// maxChunk is how much one write may add at once.
	maxChunk = 4 << 10
)

// A queue is the streams of one kind that have something to send.
type queue struct {
	streams []*sendStream // in the order they are written
	bytes   int
	line    []*sendStream // writers that wait for bytes to get fewer
}

// sendStream is the half of a stream that this end writes.
type sendStream struct {
	conn *Conn
	id   uint64

	// Guarded by conn.mu.
	limit    uint64 // what the peer allows
	sent     uint64 // went to the socket
	buf      []byte // follows that
	fin      bool   // nothing follows buf
	err      error  // why nothing more can be written
	over     bool   // the end of it went to the socket, one way or another
	listed   bool   // stands in its queue
	lined    bool   // stands in its queue's line
	deadline time.Time
	wake     chan struct{} // receives when a waiting Write should look again

	ctx  context.Context // nil until somebody asks
	stop context.CancelFunc
}

func (c *Conn) newSend(id, limit uint64) *sendStream {
	s := &sendStream{conn: c, id: id, limit: limit}
	c.sending[id] = s
	return s
}

// Write implements [session.SendStream]. It returns once all of b waits for the
// socket, and waits itself while enough does, or the peer's limit is used up.
func (s *sendStream) Write(b []byte) (n int, err error) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	defer s.letNextIn()
	for {
		if s.err != nil {
			poke(s.wake) // whoever else waits here
			return n, s.err
		}
		taken := s.take(b[n:])
		if n += taken; n == len(b) {
			return n, nil
		}
		if taken > 0 {
			continue
		}
		if err := c.wait(&s.wake, s.deadline); err != nil {
			return n, err
		}
	}
}

// take queues as much of b as may be.
func (s *sendStream) take(b []byte) int {
	q := &s.conn.queues[kind(s.id)]
	n := int(min(s.limit-s.sent-uint64(len(s.buf)), uint64(len(b)), maxChunk))
	if n == 0 {
		return 0
	}
	if q.bytes >= maxQueued {
		if !s.lined {
			s.lined = true
			q.line = append(q.line, s)
		}
		return 0
	}
	s.buf = append(s.buf, b[:n]...)
	q.bytes += n
	s.list()
	return n
}

// letNextIn leaves the line and wakes the next in it, if there is room.
func (s *sendStream) letNextIn() {
	q := &s.conn.queues[kind(s.id)]
	if s.lined {
		s.lined = false
		q.line = slices.DeleteFunc(q.line, func(o *sendStream) bool { return o == s })
	}
	q.admit()
}

// admit wakes the writer that waits longest, if there is room. It wakes the next.
func (q *queue) admit() {
	if q.bytes < maxQueued && len(q.line) > 0 {
		s := q.line[0]
		q.line = q.line[1:]
		s.lined = false
		poke(s.wake)
	}
}

// list puts the stream where the writer finds it.
func (s *sendStream) list() {
	if !s.listed {
		s.listed = true
		q := &s.conn.queues[kind(s.id)]
		q.streams = append(q.streams, s)
	}
	poke(s.conn.wake)
}

// Close implements [session.SendStream].
func (s *sendStream) Close() error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.fin {
		return nil
	}
	if s.err != nil {
		return s.err
	}
	s.fin = true
	s.err = errFinished
	s.ended()
	s.list()
	return nil
}

// CancelWrite implements [session.SendStream].
func (s *sendStream) CancelWrite(code protocol.ResetCode) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.reset(uint64(code), &session.ResetError{Code: code})
}

// reset ends the stream early. What was not written yet never will be.
func (s *sendStream) reset(code uint64, cause error) {
	if s.over || s.conn.cause != nil {
		return
	}
	s.drop()
	s.conn.say(qmux.ResetStream{ID: s.id, Code: code, FinalSize: s.sent})
	s.err = cause
	s.finish()
	s.ended()
}

// drop throws away what waits to be written.
func (s *sendStream) drop() {
	q := &s.conn.queues[kind(s.id)]
	q.bytes -= len(s.buf)
	s.buf = nil
	q.admit()
}

// finish forgets the stream once its end went out.
func (s *sendStream) finish() {
	s.over = true
	delete(s.conn.sending, s.id)
	s.conn.retire(s.id)
}

// ended tells who waits for the end.
func (s *sendStream) ended() {
	poke(s.wake)
	if s.stop != nil {
		s.stop()
	}
}

// fail ends the stream with the connection.
func (s *sendStream) fail(cause error) {
	if s.err == nil {
		s.err = cause
	}
	s.buf = nil
	s.over = true
	s.ended()
}

// SetWriteDeadline implements [session.SendStream].
func (s *sendStream) SetWriteDeadline(t time.Time) error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.deadline = t
	poke(s.wake)
	return nil
}

// Context implements [session.SendStream].
func (s *sendStream) Context() context.Context {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.ctx == nil {
		s.ctx, s.stop = context.WithCancel(context.Background())
		if s.err != nil {
			s.stop()
		}
	}
	return s.ctx
}

// wait lets go of c.mu until wake receives, which it makes if nobody has, or
// until the deadline, if there is one.
func (c *Conn) wait(wake *chan struct{}, deadline time.Time) error {
	if *wake == nil {
		*wake = make(chan struct{}, 1)
	}
	ch := *wake
	c.mu.Unlock()
	defer c.mu.Lock()
	if deadline.IsZero() {
		<-ch
		return nil
	}
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	select {
	case <-ch:
		return nil
	case <-t.C:
		return os.ErrDeadlineExceeded
	}
}
