package floor

import (
	"context"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/room"
)

const (
	// earPriority is that of a listener to speech, which most of it is for anyway.
	earPriority = 80
	// earRetry is how long a track that cannot be had is left alone: publishers
	// that are not Stentor's have no levels, and say so each time.
	earRetry = 5 * time.Second
)

// An ear listens to one broadcast to say how loud it is.
type ear struct {
	broadcast *room.Broadcast
	stop      context.CancelFunc

	mu    sync.Mutex
	meter meter
}

// listen listens until ctx ends.
func (e *ear) listen(ctx context.Context) {
	var parts sync.WaitGroup
	parts.Go(func() { e.take(ctx, protocol.TrackAudio, e.packet) })
	parts.Go(func() { e.take(ctx, protocol.TrackLevel, e.report) })
	parts.Wait()
}

// take takes a track, again whenever it ends.
func (e *ear) take(ctx context.Context, name string, each func(*room.Group)) {
	for ctx.Err() == nil {
		if t, err := e.broadcast.Track(ctx, name); err == nil {
			in := &intake{each: each, ended: make(chan struct{})}
			if m, err := t.Join(in, protocol.Delivery{Priority: earPriority}); err == nil {
				select {
				case <-in.ended:
				case <-ctx.Done():
				}
				m.Leave()
			}
		}
		select {
		case <-time.After(earRetry):
		case <-ctx.Done():
		}
	}
}

func (e *ear) packet(g *room.Group) {
	f, whole := g.Whole()
	if !whole {
		return
	}
	_, opus, err := protocol.ParseLegacy(f.Payload)
	if err != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.meter.packet(g.Sequence, len(opus), g.Arrived)
}

func (e *ear) report(g *room.Group) {
	payload, ok := small(g)
	if !ok {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.meter.report(payload, g.Arrived)
}

// small is what a group of one small frame has in it, if it has come whole.
func small(g *room.Group) ([]byte, bool) {
	if f, whole := g.Whole(); whole {
		return f.Payload, true
	}
	return nil, false
}

// now is the broadcast as it is at a moment.
func (e *ear) now(now time.Time, name protocol.Path) present {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := &e.meter
	return present{
		name: name, publisher: e.broadcast.Publisher, level: m.hold(now), paused: m.paused(now),
		any: m.any, newest: m.newest, begun: m.begun,
	}
}

// intake is an ear's place in a track.
type intake struct {
	each  func(*room.Group)
	once  sync.Once
	ended chan struct{}
}

// Begin implements [room.Receiver]. What was held is over.
func (in *intake) Begin(held []*room.Group) {
	if n := len(held); n > 0 {
		in.each(held[n-1])
	}
}

// Push implements [room.Receiver].
func (in *intake) Push(g *room.Group) { in.each(g) }

// End implements [room.Receiver].
func (in *intake) End(uint64) { in.once.Do(func() { close(in.ended) }) }

// Insider implements [room.Insider].
func (in *intake) Insider() bool { return true }

// Forwards implements [room.Forwarder]: an ear is no listener.
func (in *intake) Forwards() bool { return true }
