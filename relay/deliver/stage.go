package deliver

import (
	"context"
	"strings"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

const (
	// StateTrack is the track of .stentor/rooms/ROOM with what everybody may know of
	// a room, as JSON: what it is now as a group of one frame, and another when that
	// changes.
	StateTrack = "state"
	// StageTrack is the one with all of its state: the whole at first, then what
	// changes (docs/wire.md, 19). Relays and hosts may follow it.
	StageTrack = "stage"
	// OrderTrack begins the name of a track of .stentor/rooms/ROOM: behind it and a
	// space stands an order as JSON, which another relay has carried out by FETCH.
	OrderTrack = "order"
)

// viewEvery is how often what everybody may know is said anew at most: somebody
// may raise a hand each millisecond.
const viewEvery = 100 * time.Millisecond

// A Mirror is somebody who follows all of a room's state.
type Mirror interface {
	// Signal takes the subscription's priority.
	Signal(priority uint8)
	// Next returns what somebody misses who has a revision (0: nothing yet), the
	// revision that makes, when there is more, and how long to wait before that is
	// asked for.
	Next(since uint64) (document []byte, revision uint64, changed <-chan struct{}, pause time.Duration, err error)
	// End says that nobody follows any more.
	End()
}

// A Stage is what a session may follow of rooms.
type Stage interface {
	// View is what everybody may know of a room, and when that has changed. The
	// error refuses.
	View(ctx context.Context, room string) (view func() ([]byte, <-chan struct{}), done func(), err error)
	// Mirror follows all of it.
	Mirror(room string) (Mirror, error)
}

// stageOf is the room whose state a subscription is for.
func stageOf(broadcast protocol.Path, track string) (name string, ok bool) {
	below, ok := broadcast.TrimPrefix(Reports)
	return string(below), ok && below != "" && (track == StateTrack || track == StageTrack)
}

// IsOrder returns the order that a track's name is made of.
func IsOrder(track string) (order string, ok bool) { return strings.CutPrefix(track, OrderTrack+" ") }

var stageInfo = protocol.TrackInfo{MaxLatency: 10_000, Timescale: 1000}

// serveStage sends the state of a room, or what everybody may know of it.
func (d *Deliver) serveStage(ctx context.Context, sub *session.Subscriber, name string) error {
	if err := d.started(ctx); err != nil {
		return err
	}
	if d.cfg.Stage == nil {
		return refusal(room.ErrUnknown)
	}
	if sub.Request.Track == StateTrack {
		return d.serveView(ctx, sub, name)
	}
	m, err := d.cfg.Stage.Mirror(name)
	if err != nil {
		return err
	}
	defer m.End()
	m.Signal(sub.Delivery().Priority)
	if err := sub.Accept(); err != nil {
		return err
	}
	var revision uint64
	for sequence := uint64(0); ; {
		m.Signal(sub.Delivery().Priority)
		document, next, changed, pause, err := m.Next(revision)
		if err != nil {
			return err
		}
		if len(document) > 0 {
			if err := writeDocument(ctx, sub, sequence, document); err != nil {
				return err
			}
			sequence++
			revision = next
		}
		select {
		case <-changed:
		case <-sub.Updated():
			continue
		case <-ctx.Done():
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// serveView sends what everybody may know.
func (d *Deliver) serveView(ctx context.Context, sub *session.Subscriber, name string) error {
	view, done, err := d.cfg.Stage.View(ctx, name)
	if err != nil {
		return err
	}
	defer done()
	if err := sub.Accept(); err != nil {
		return err
	}
	var said string
	for sequence := uint64(0); ; {
		b, changed := view()
		if string(b) != said {
			if err := writeDocument(ctx, sub, sequence, b); err != nil {
				return err
			}
			said = string(b)
			sequence++
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
		if sequence < 2 {
			continue // the first change is told at once
		}
		select {
		case <-time.After(viewEvery):
		case <-ctx.Done():
			return nil
		}
	}
}
