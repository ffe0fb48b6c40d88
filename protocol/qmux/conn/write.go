package conn

import (
	"context"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/stentor-audio/stentor/protocol/qmux"
)

const (
	// maxControl is how many bytes of frames about the connection may wait: they
	// fit into one record. A peer that asks for more answers than it reads
	// is cut off.
	maxControl = qmux.MaxRecord - qmux.MaxReason - 64
	// enough is the length at which a record takes no further frame.
	enough = 4 << 10
	// header is more than a STREAM frame's header takes.
	header = 1 + 8 + 8 + 4
)

// records lends a buffer to each write: a connection that has nothing to say
// holds none.
var records = sync.Pool{New: func() any { b := make([]byte, 0, enough); return &b }}

// write sends what there is to send until the connection is over.
func (c *Conn) write() {
	defer c.close()
	for {
		record := records.Get().(*[]byte)
		*record = c.gather((*record)[:0])
		if len(*record) == 0 {
			records.Put(record)
			c.mu.Lock()
			over := c.cause != nil
			c.mu.Unlock()
			if over {
				return
			}
			<-c.wake
			continue
		}
		err := c.ws.Write(context.Background(), websocket.MessageBinary, *record)
		c.wrote(len(*record), err)
		records.Put(record)
	}
}

// close ends the WebSocket, politely unless it is to be cut. It takes a second at
// most.
func (c *Conn) close() {
	c.mu.Lock()
	cut := c.cut
	c.mu.Unlock()
	if !cut {
		_ = c.ws.Close(websocket.StatusNormalClosure, "")
	}
	c.hangUp()
	_ = c.ws.CloseNow()
}

// gather takes the next record together: frames about the connection, then
// requests and answers, then groups. It is empty if there is nothing to send.
func (c *Conn) gather(record []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return record
	}
	record = append(record, c.control...)
	c.control = nil
	limit := qmux.MaxRecord
	for kind := range c.queues {
		q := &c.queues[kind]
		for len(q.streams) > 0 && len(record) < enough {
			s := q.streams[0]
			if !s.over {
				room := min(limit-len(record)-header, qmux.MaxPayload)
				var whole bool
				if record, whole = c.appendStream(record, s, room); !whole {
					if c.blocked.IsZero() && c.sent == c.peer.MaxData {
						c.blocked = time.Now()
					}
					break
				}
			}
			s.listed = false
			if q.streams = q.streams[1:]; len(q.streams) == 0 {
				q.streams = nil
			}
		}
		q.admit()
	}
	if len(record) > 0 {
		c.writing = time.Now()
	}
	return record
}

// appendStream writes what a stream has to send, up to room bytes and the
// connection's window, and reports whether that was all.
func (c *Conn) appendStream(record []byte, s *sendStream, room int) (_ []byte, whole bool) {
	n := min(len(s.buf), room, int(min(c.peer.MaxData-c.sent, qmux.MaxPayload)))
	whole = n == len(s.buf)
	if n == 0 && !whole {
		return record, false
	}
	f := qmux.Stream{ID: s.id, Offset: s.sent, FIN: whole && s.fin}
	record = f.AppendHeader(record, n)
	record = append(record, s.buf[:n]...)
	s.buf = s.buf[n:]
	s.sent += uint64(n)
	c.sent += uint64(n)
	c.queues[kind(s.id)].bytes -= n
	c.blocked = time.Time{}
	if whole {
		s.buf = nil
		if s.fin {
			s.finish()
		}
	}
	return record, whole
}

// wrote notes that the socket has taken a record, or has not.
func (c *Conn) wrote(n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = time.Time{}
	c.stats.PacketsSent++
	c.stats.BytesSent += uint64(n)
	if err != nil {
		c.abort(err)
		c.cut = true
		c.control = nil
	}
}

// say queues a frame about the connection. The caller holds c.mu.
func (c *Conn) say(f qmux.Frame) {
	if c.cause != nil {
		return
	}
	c.control = f.Append(c.control)
	if len(c.control) > maxControl {
		c.abort(ErrStalled)
		return
	}
	poke(c.wake)
}

// tick is called when something may be due: a ping, or the end of a peer that
// gives no sign of life or does not take what it is sent.
func (c *Conn) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return
	}
	now := time.Now()
	idle := c.received.Add(c.idleAfter())
	switch {
	case !now.Before(idle):
		c.abort(ErrIdle)
		return
	case !c.writing.IsZero() && now.Sub(c.writing) >= stalledFor:
		c.abort(ErrStalled)
		return
	case !c.blocked.IsZero() && now.Sub(c.blocked) >= stalledFor:
		c.end(ErrStalled, qmux.ApplicationClose{Code: codeStalled, Reason: "no connection window for 10 s"})
		return
	}
	c.pingedAt = now
	c.say(qmux.Ping{Sequence: c.nextPing})
	c.nextPing++
	c.timer.Reset(min(pingEvery, time.Until(idle)))
}

// idleAfter is the shorter one of the two idle timeouts.
func (c *Conn) idleAfter() time.Duration {
	theirs := time.Duration(min(c.peer.MaxIdleTimeout, uint64(idleTimeout/time.Millisecond))) * time.Millisecond
	if theirs == 0 {
		return idleTimeout
	}
	return theirs
}
