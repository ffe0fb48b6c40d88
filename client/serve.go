package client

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// dropCounts are frames that a subscription did not get, by reason.
type dropCounts struct {
	lagged   atomic.Uint64 // left the ring before the session took them
	noCredit atomic.Uint64 // the peer allowed no further group stream
	stopped  atomic.Uint64 // the peer stopped the group stream
}

// creditPause is how long to wait for stream credit where a group must not be
// left out: the catalog has only one.
const creditPause = 50 * time.Millisecond

// Subscribe serves a subscription from the ring.
func (p publication) Subscribe(ctx context.Context, sub *session.Subscriber) error {
	if err := p.knows(sub.Request.Broadcast, sub.Request.Track); err != nil {
		return err
	}
	p.serve(+1)
	defer p.serve(-1)
	if err := sub.Accept(); err != nil {
		return err
	}
	if sub.Request.Track == protocol.TrackCatalog {
		return p.serveCatalog(ctx, sub)
	}
	// Whether the peer reads datagrams stands in its SETUP.
	if _, err := sub.Session().PeerSetup(ctx); err != nil {
		return err
	}
	if r := p.reports(sub.Request.Track); r != nil {
		return p.serveReports(ctx, sub, r)
	}
	return p.serveAudio(ctx, sub)
}

func (p publication) serveCatalog(ctx context.Context, sub *session.Subscriber) error {
	if d := sub.Delivery(); !d.Start.OK || d.Start.Value == 0 {
		if err := sub.Start(0); err != nil {
			return err
		}
		for ctx.Err() == nil {
			_, err := sub.WriteGroup(0, protocol.Frame{Payload: p.catalog}, nil)
			if !errors.Is(err, session.ErrNoCredit) {
				break // sent, or stopped by the peer, or the session is ending
			}
			_ = sleep(ctx, creditPause)
		}
	}
	if !p.untilEnded(ctx) {
		return nil
	}
	return finish(ctx, sub, 1)
}

// A feeder hands one subscription the frames of the ring.
type feeder struct {
	p    publication
	sub  *session.Subscriber
	next uint64 // sequence to send next
	body []byte // scratch
}

func (p publication) serveAudio(ctx context.Context, sub *session.Subscriber) error {
	f := &feeder{p: p, sub: sub}
	now := p.view()
	f.next = now.next
	switch start := sub.Delivery().Start; {
	case start.OK:
		f.next = max(start.Value, now.oldest)
	case now.next > 0:
		f.next = now.next - 1 // the newest there is
	}
	for {
		now = p.view()
		if err := f.send(now); err != nil {
			return err
		}
		if now.ended {
			return finish(ctx, sub, now.next)
		}
		select {
		case <-now.changed:
		case <-sub.Updated():
		case <-ctx.Done():
			return nil
		}
	}
}

// send brings the subscription up to date.
func (f *feeder) send(now view) error {
	d := f.sub.Delivery()
	if d.Start.OK {
		f.next = max(f.next, d.Start.Value) // an update raises the floor
	}
	for f.next < now.next && (!d.End.OK || f.next <= d.End.Value) {
		frame, ok := f.p.frame(f.next)
		if !ok {
			oldest := f.p.view().oldest
			f.p.dropped.lagged.Add(oldest - f.next)
			f.next = oldest
			continue
		}
		if err := f.sendFrame(frame, now.next-f.next); err != nil {
			return err
		}
		f.next++
	}
	return nil
}

// backlog is how many frames behind the newest one is not live any more: a peer
// that resumes. Its transport queues no more than 128 datagrams on their way in,
// and what it asks for again should not be lost again.
const backlog = 16

// sendFrame sends one frame as a datagram where the peer reads them and the
// transport carries it, and as a group stream otherwise.
func (f *feeder) sendFrame(frame held, behind uint64) error {
	if err := f.sub.Start(f.next); err != nil {
		return err
	}
	if f.sub.Datagrams() && behind < backlog {
		f.body = protocol.Datagram{
			SubscribeID: f.sub.Request.ID,
			Sequence:    f.next,
			Timestamp:   frame.timestamp,
			Payload:     frame.payload,
		}.Append(f.body[:0])
		if len(f.body) <= protocol.MaxDatagram && f.sub.SendDatagram(f.body) == nil {
			return nil
		}
	}
	var err error
	f.body, err = f.sub.WriteGroup(f.next, protocol.Frame{Timestamp: frame.timestamp, Payload: frame.payload}, f.body)
	switch {
	case err == nil:
	case f.sub.Session().Context().Err() != nil:
		return err
	case errors.Is(err, session.ErrNoCredit):
		f.p.dropped.noCredit.Add(1)
	default:
		f.p.dropped.stopped.Add(1) // the peer did not want this one
	}
	return nil
}

// endLinger is how long a subscription outlives its last group: its FIN must not
// overtake the groups, and the transport does not tell when they have arrived.
const endLinger = 200 * time.Millisecond

// finish ends a subscription; next is the first sequence that will not come.
func finish(ctx context.Context, sub *session.Subscriber, next uint64) error {
	if err := sub.End(next); err != nil {
		return err
	}
	_ = sleep(ctx, endLinger)
	return nil
}
