package session

import (
	"context"
	"fmt"
	"sync"

	"github.com/stentor-audio/stentor/protocol"
)

// A Subscriber is a subscription of the peer that this end serves. Its methods
// may be called from one goroutine at a time.
type Subscriber struct {
	// Request is the opening SUBSCRIBE.
	Request protocol.Subscribe

	session *Session
	stream  Stream
	started bool

	mu       sync.Mutex
	delivery protocol.Delivery
	updated  chan struct{}
	onUpdate func()
}

func (s *Session) serveSubscribe(ctx context.Context, stream Stream, r *protocol.Reader) error {
	req, err := r.Subscribe()
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	sub := &Subscriber{
		Request:  req,
		session:  s,
		stream:   stream,
		delivery: req.Delivery,
		updated:  make(chan struct{}, 1),
	}
	ctx = s.watch(ctx, stream, func() error {
		msg, err := r.SubscribeUpdate()
		if err == nil {
			sub.update(msg.Delivery)
		}
		return err
	})
	return outcome(ctx, s.cfg.Publisher.Subscribe(ctx, sub))
}

func (sub *Subscriber) update(d protocol.Delivery) {
	sub.mu.Lock()
	// A Group Start only ever raises the floor.
	if !d.Start.OK || (sub.delivery.Start.OK && d.Start.Value < sub.delivery.Start.Value) {
		d.Start = sub.delivery.Start
	}
	sub.delivery = d
	notify := sub.onUpdate
	sub.mu.Unlock()
	select {
	case sub.updated <- struct{}{}:
	default:
	}
	if notify != nil {
		notify()
	}
}

// Delivery is what the peer wants now.
func (sub *Subscriber) Delivery() protocol.Delivery {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.delivery
}

// Updated receives after Delivery has changed.
func (sub *Subscriber) Updated() <-chan struct{} { return sub.updated }

// OnUpdate has f called after each change of Delivery from now on, for a
// publisher that would rather not wait on one more channel. f must not block.
func (sub *Subscriber) OnUpdate(f func()) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	sub.onUpdate = f
}

// Session returns the session the subscription came by.
func (sub *Subscriber) Session() *Session { return sub.session }

// Datagrams reports whether the peer said that it reads datagrams, and the
// connection carries them.
func (sub *Subscriber) Datagrams() bool {
	setup, _ := sub.session.Peer()
	return setup.Datagrams && sub.session.conn.Datagrams()
}

// Start tells the peer the first group it will get. It must come before that
// group; calls after the first do nothing.
func (sub *Subscriber) Start(group uint64) error {
	if sub.started {
		return nil
	}
	sub.started = true
	if sub.session.conn.Version() == protocol.Lite04 {
		return nil // said already, by Accept
	}
	_, err := sub.stream.Write(protocol.SubscribeStart{Group: group}.Append(nil))
	return err
}

// Accept says that the subscription is served. moq-lite-05 has no such message;
// moq-lite-04 requires it before anything else.
func (sub *Subscriber) Accept() error {
	if sub.session.conn.Version() != protocol.Lite04 {
		return nil
	}
	_, err := sub.stream.Write(protocol.SubscribeOK04{Delivery: sub.Request.Delivery}.Append(nil))
	return err
}

// End tells the peer the first sequence it will not get: last + 1.
func (sub *Subscriber) End(group uint64) error {
	if sub.session.conn.Version() == protocol.Lite04 {
		return nil
	}
	_, err := sub.stream.Write(protocol.SubscribeEnd{Group: group}.Append(nil))
	return err
}

// SendDatagram sends a body made by [protocol.Datagram.Append]. It copies it and
// may block; see [Conn.SendDatagram].
func (sub *Subscriber) SendDatagram(body []byte) error { return sub.session.conn.SendDatagram(body) }

// OpenGroup starts a group stream. It never waits: without credit it returns
// [ErrNoCredit].
func (sub *Subscriber) OpenGroup(sequence uint64) (*GroupWriter, error) {
	stream, err := sub.session.conn.OpenUniStream()
	if err != nil {
		return nil, err
	}
	w := &GroupWriter{stream: stream, version: sub.session.conn.Version()}
	w.buf = protocol.StreamGroup.Append(w.buf)
	w.buf = protocol.GroupHeader{SubscribeID: sub.Request.ID, Sequence: sequence}.Append(w.buf)
	if _, err := stream.Write(w.buf); err != nil {
		stream.CancelWrite(protocol.CodeCancel)
		return nil, err
	}
	return w, nil
}

// WriteGroup sends a whole group of one frame as a stream, in one write. buf is
// scratch space it may grow and returns. Without credit the error is [ErrNoCredit].
func (sub *Subscriber) WriteGroup(sequence uint64, f protocol.Frame, buf []byte) ([]byte, error) {
	stream, err := sub.session.conn.OpenUniStream()
	if err != nil {
		return buf, err
	}
	buf = protocol.StreamGroup.Append(buf[:0])
	buf = protocol.GroupHeader{SubscribeID: sub.Request.ID, Sequence: sequence}.Append(buf)
	buf = f.Append(buf, 0, sub.session.conn.Version())
	if _, err := stream.Write(buf); err != nil {
		stream.CancelWrite(protocol.CodeCancel)
		return buf, err
	}
	_ = stream.Close() // fails where the peer has read all it wants and said so
	return buf, nil
}
