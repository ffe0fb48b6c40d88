package conn

import (
	"context"

	"github.com/stentor-audio/stentor/protocol/qmux"
	"github.com/stentor-audio/stentor/protocol/session"
)

// stream is both halves of a bidirectional stream.
type stream struct {
	*sendStream
	*receiveStream
}

// arrivals are streams that the peer opened and nobody has accepted yet.
type arrivals struct {
	streams []stream // sendStream is nil where there is none
	wake    chan struct{}
}

// poke wakes who waits on a channel of one place, if anybody does.
func poke(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default: // nil, or woken already
	}
}

// AcceptStream implements [session.Conn].
func (c *Conn) AcceptStream(ctx context.Context) (session.Stream, error) {
	s, err := c.accept(ctx, bidi)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// AcceptUniStream implements [session.Conn].
func (c *Conn) AcceptUniStream(ctx context.Context) (session.ReceiveStream, error) {
	s, err := c.accept(ctx, uni)
	if err != nil {
		return nil, err
	}
	return s.receiveStream, nil
}

func (c *Conn) accept(ctx context.Context, kind int) (stream, error) {
	q := &c.arrived[kind]
	for {
		c.mu.Lock()
		if c.cause != nil {
			c.mu.Unlock()
			return stream{}, c.cause
		}
		if len(q.streams) > 0 {
			s := q.streams[0]
			if q.streams = q.streams[1:]; len(q.streams) > 0 {
				poke(q.wake)
			} else {
				q.streams = nil
			}
			s.accept()
			c.mu.Unlock()
			return s, nil
		}
		c.mu.Unlock()
		select {
		case <-q.wake:
		case <-c.ctx.Done():
		case <-ctx.Done():
			return stream{}, context.Cause(ctx)
		}
	}
}

// OpenStream implements [session.Conn].
func (c *Conn) OpenStream(ctx context.Context) (session.Stream, error) {
	for {
		s, raised, err := c.tryOpen()
		if err != nil {
			return nil, err
		}
		if raised == nil {
			return s, nil
		}
		select {
		case <-raised:
		case <-c.ctx.Done():
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// tryOpen opens a bidirectional stream, or returns a channel that is closed when
// the peer allows another.
func (c *Conn) tryOpen() (_ stream, raised <-chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return stream{}, nil, c.cause
	}
	o := &c.outgoing[bidi]
	if o.next == o.limit {
		if o.raised == nil {
			o.raised = make(chan struct{})
		}
		return stream{}, o.raised, nil
	}
	id := c.nextID(bidi)
	r := c.newReceive(id)
	r.accepted = true
	return stream{c.newSend(id, c.peer.MaxStreamDataBidiRemote), r}, nil, nil
}

// OpenUniStream implements [session.Conn].
func (c *Conn) OpenUniStream() (session.SendStream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return nil, c.cause
	}
	if o := &c.outgoing[uni]; o.next == o.limit {
		return nil, session.ErrNoCredit
	}
	return c.newSend(c.nextID(uni), c.peer.MaxStreamDataUni), nil
}

func (c *Conn) nextID(kind int) uint64 {
	o := &c.outgoing[kind]
	id := o.next<<2 | uint64(kind)<<1
	if !c.opts.Client {
		id |= 1
	}
	o.next++
	return id
}

// opens reports whether this end opens the streams of an id.
func (c *Conn) opens(id uint64) bool { return (id&1 == 0) == c.opts.Client }

// receiver finds the receiving half that a frame is for, and opens it with its
// first. It is nil where that is over: the frame is to be ignored.
func (c *Conn) receiver(id uint64) (*receiveStream, error) {
	if c.opens(id) {
		if kind(id) == uni || id>>2 >= c.outgoing[bidi].next {
			return nil, violation("stream %d is not the peer's to write", id)
		}
		return c.receiving[id], nil
	}
	first, allowed := c.incoming[kind(id)].open(id >> 2)
	if !allowed {
		return nil, errStreamLimit
	}
	if !first {
		return c.receiving[id], nil
	}
	c.refill(kind(id))
	s := stream{receiveStream: c.newReceive(id)}
	if kind(id) == bidi {
		s.sendStream = c.newSend(id, c.peer.MaxStreamDataBidiLocal)
	}
	q := &c.arrived[kind(id)]
	q.streams = append(q.streams, s)
	poke(q.wake)
	return s.receiveStream, nil
}

// retire forgets a half that is over, and lets the peer open another stream once
// both are.
func (c *Conn) retire(id uint64) {
	if c.opens(id) || c.sending[id] != nil || c.receiving[id] != nil {
		return
	}
	c.incoming[kind(id)].finish()
	c.refill(kind(id))
}

// refill tells the peer of further streams it may open, when it is time to.
func (c *Conn) refill(kind int) {
	if limit, raise := c.incoming[kind].refill(); raise {
		c.say(qmux.MaxStreams{Uni: kind == uni, Max: limit})
	}
}
