package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// finishedFor is how long a subscription the publisher has ended goes on taking
// groups: a FIN may overtake the last of them.
const finishedFor = time.Second

// A Sink takes what a subscription delivers. Both methods may run at the same
// time as each other and themselves.
type Sink interface {
	// Datagram takes a group that came as one datagram. It must not block and
	// owns the payload.
	Datagram(sequence uint64, f protocol.Frame)
	// Group takes a group stream and reads it to its end. It has a goroutine of
	// its own and may block; g is stopped when it returns.
	Group(ctx context.Context, g *GroupReader)
}

// A Subscription is a request of ours that the peer serves.
type Subscription struct {
	// Request is what was asked for, with its Subscribe ID.
	Request protocol.Subscribe

	session *Session
	sink    Sink
	stream  Stream

	writeMu sync.Mutex // serialises Update and Close

	mu    sync.Mutex
	start protocol.OptSeq // first group the peer said it will send
	err   error           // why it ended
	done  chan struct{}
}

// Subscribe asks for a track. req.ID is chosen here. Groups go to sink from now
// on, possibly before Subscribe returns. The caller must know the track's
// TRACK_INFO already; see [Session.TrackInfo].
func (s *Session) Subscribe(ctx context.Context, req protocol.Subscribe, sink Sink) (*Subscription, error) {
	sub := &Subscription{session: s, sink: sink, done: make(chan struct{})}
	stream, err := s.conn.OpenStream(ctx)
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	// The ID is known here before the peer can hear of it: its groups may
	// arrive at once.
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return nil, fmt.Errorf("subscribe: %w", ErrClosed)
	}
	req.ID = s.nextID
	s.nextID++
	sub.Request, sub.stream = req, stream
	s.subscriptions[req.ID] = sub
	startReceiver := !s.receiving && s.conn.Version() == protocol.Lite05
	s.receiving = true
	// Both goroutines are counted while the lock says that Run has not ended.
	if startReceiver {
		s.tasks.Go(func() { s.receiveDatagrams() })
	}
	s.mu.Unlock()

	b := protocol.StreamSubscribe.Append(nil)
	if _, err := stream.Write(req.Append(b)); err != nil {
		s.forget(sub, err)
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	s.mu.Lock()
	ended := s.ended
	if !ended {
		s.tasks.Go(sub.readResponses)
	}
	s.mu.Unlock()
	if ended {
		s.forget(sub, ErrClosed)
		return nil, fmt.Errorf("subscribe: %w", ErrClosed)
	}
	return sub, nil
}

// forget ends a subscription and drops it from the session's table.
func (s *Session) forget(sub *Subscription, err error) {
	s.mu.Lock()
	delete(s.subscriptions, sub.Request.ID)
	s.mu.Unlock()
	sub.mu.Lock()
	defer sub.mu.Unlock()
	select {
	case <-sub.done:
	default:
		sub.err = err
		close(sub.done)
	}
}

func (s *Session) subscription(id uint64) *Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subscriptions[id]
}

func (s *Session) endSubscriptions(cause error) {
	s.mu.Lock()
	s.ended = true
	subs := make([]*Subscription, 0, len(s.subscriptions))
	for _, sub := range s.subscriptions {
		subs = append(subs, sub)
	}
	s.mu.Unlock()
	for _, sub := range subs {
		s.forget(sub, cause)
	}
}

// Done is closed when the subscription has ended; Err then says why.
func (sub *Subscription) Done() <-chan struct{} { return sub.done }

// Err is why the subscription ended: io.EOF when the track did, nil while it
// runs.
func (sub *Subscription) Err() error {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.err
}

// Start is the first group the peer said it delivers, once it has said so.
func (sub *Subscription) Start() protocol.OptSeq {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.start
}

// Update replaces what the subscription asks for.
func (sub *Subscription) Update(d protocol.Delivery) error {
	sub.writeMu.Lock()
	defer sub.writeMu.Unlock()
	if _, err := sub.stream.Write(protocol.SubscribeUpdate{Delivery: d}.Append(nil)); err != nil {
		return fmt.Errorf("subscribe update: %w", err)
	}
	return nil
}

// Close withdraws the subscription. Nothing reaches the sink any more once it
// has returned, but a Group call that runs already.
func (sub *Subscription) Close() {
	sub.session.forget(sub, context.Canceled)
	sub.writeMu.Lock()
	_ = sub.stream.Close()
	sub.writeMu.Unlock()
	sub.stream.CancelRead(protocol.CodeCancel)
}

// readResponses reads SUBSCRIBE_START, _END and _DROP until the publisher ends
// the stream.
func (sub *Subscription) readResponses() {
	s := sub.session
	r := protocol.NewReader(sub.stream)
	for {
		msg, err := r.SubscribeResponse(s.conn.Version())
		if err != nil {
			sub.finish(err)
			return
		}
		switch m := msg.(type) {
		case protocol.SubscribeStart:
			sub.mu.Lock()
			sub.start = protocol.Seq(m.Group)
			sub.mu.Unlock()
		case protocol.SubscribeOK04, protocol.SubscribeEnd, protocol.SubscribeDrop:
			// END is the sequence the FIN will stop at; the FIN says it too, and
			// the groups that are still on their way have a second to come.
		}
	}
}

// finish ends the subscription after the publisher did. Its last groups may
// still be on their way.
func (sub *Subscription) finish(err error) {
	if errors.Is(err, io.EOF) {
		linger := time.NewTimer(finishedFor)
		defer linger.Stop()
		select {
		case <-linger.C:
		case <-sub.done: // closed here, or the session ended
		}
		_ = sub.stream.Close()
	} else {
		reset(sub.stream, CodeOf(err))
	}
	sub.session.forget(sub, err)
}

// receiveDatagrams hands each datagram to its subscription. Whatever does not
// fit is dropped without a word, as the protocol asks.
func (s *Session) receiveDatagrams() {
	ctx := s.conn.Context()
	for {
		b, err := s.conn.ReceiveDatagram(ctx)
		if err != nil {
			return
		}
		d, err := protocol.ParseDatagram(b)
		if err != nil {
			continue
		}
		if sub := s.subscription(d.SubscribeID); sub != nil {
			sub.sink.Datagram(d.Sequence, protocol.Frame{Timestamp: d.Timestamp, Payload: d.Payload})
		}
	}
}
