package client

import (
	"context"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// reports is a track of a broadcast of which only the newest group matters.
type reports struct {
	mu      sync.Mutex
	next    uint64 // sequence of the report to come
	newest  protocol.Frame
	changed chan struct{} // closed with each report; nil: nobody waits
}

var reportInfo = protocol.TrackInfo{MaxLatency: 1000, Timescale: 1000}

// add makes the next report.
func (r *reports) add(payload []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.newest = protocol.Frame{Timestamp: uint64(time.Now().UnixMilli()), Payload: payload}
	r.next++
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// get is the newest report, and the sequence of the one to come.
func (r *reports) get() (newest protocol.Frame, next uint64, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.newest, r.next, r.changed
}

// reports is the track of a name, nil if it is none of them.
func (b *broadcast) reports(track string) *reports {
	switch track {
	case protocol.TrackLevel:
		return &b.levels
	case protocol.TrackGuard:
		return &b.guard
	}
	return nil
}

// serveReports sends each report to come, and the one there is. One that is lost is
// not missed: the next comes soon.
func (p publication) serveReports(ctx context.Context, sub *session.Subscriber, r *reports) error {
	var body []byte
	for sent := uint64(0); ; {
		ended := p.view()
		newest, next, changed := r.get()
		if next > sent {
			sent = next
			if err := sub.Start(next - 1); err != nil {
				return err
			}
			body = sendReport(sub, next-1, newest, body)
		}
		if ended.ended {
			return finish(ctx, sub, next)
		}
		select {
		case <-changed:
		case <-ended.changed: // every 20 ms, or at the end
		case <-ctx.Done():
			return nil
		}
	}
}

func sendReport(sub *session.Subscriber, sequence uint64, f protocol.Frame, body []byte) []byte {
	if sub.Datagrams() {
		body = protocol.Datagram{
			SubscribeID: sub.Request.ID, Sequence: sequence, Timestamp: f.Timestamp, Payload: f.Payload,
		}.Append(body[:0])
		if sub.SendDatagram(body) == nil {
			return body
		}
	}
	body, _ = sub.WriteGroup(sequence, f, body) // if not, the next one
	return body
}
