package deliver

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/fanout"
	"github.com/stentor-audio/stentor/relay/room"
)

// The tick: a session that subscribed to it gets a group whenever nothing else
// was sent to it for 200 ms, so that silence of the line is never mistaken for
// silence in the room (docs/wire.md, tick).
const (
	TickBroadcast = protocol.Path(".stentor/relay")
	TickTrack     = "tick"

	// TickEvery is how often Tick wants to be called; quietChecks calls without
	// anything sent in between make a tick.
	TickEvery   = 50 * time.Millisecond
	quietChecks = 4
)

var tickInfo = protocol.TrackInfo{MaxLatency: 1000, Timescale: protocol.AudioTimescale}

func isTick(broadcast protocol.Path, track string) bool {
	return broadcast == TickBroadcast && track == TickTrack
}

// ticker is a session's tick. Counting what was sent costs the fan-out nothing
// it does not count anyway, and needs no timer a session.
type ticker struct {
	queue atomic.Pointer[fanout.Queue[*room.Group]]

	// Owned by the caller of Tick.
	sent     uint64
	quiet    int
	sequence uint64
}

// Tick is called every [TickEvery] by one goroutine of the relay. It never
// blocks.
func (d *Deliver) Tick(now time.Time) {
	q := d.tick.queue.Load()
	if q == nil {
		return
	}
	sent := d.Counters.Datagrams.Load() + d.Counters.Streams.Load()
	if sent != d.tick.sent {
		d.tick.sent, d.tick.quiet = sent, 0
		return
	}
	if d.tick.quiet++; d.tick.quiet < quietChecks {
		return
	}
	d.tick.quiet = 0
	q.Push(room.NewWhole(d.tick.sequence, protocol.Frame{Timestamp: uint64(now.UnixMicro())}, now))
	d.tick.sequence++
}

// serveTicks serves the session's subscription to its tick. A second one takes
// the place of the first.
func (d *Deliver) serveTicks(ctx context.Context, sub *session.Subscriber) error {
	s := &subscription{deliver: d, sub: sub, audio: true, queue: fanout.NewQueue[*room.Group](1)}
	if err := sub.Accept(); err != nil {
		return err
	}
	d.tick.queue.Store(s.queue)
	defer d.tick.queue.CompareAndSwap(s.queue, nil)
	for {
		if g, _, ok := s.queue.Pop(); ok {
			s.send(ctx, g, 0)
			continue
		}
		select {
		case <-s.queue.Wake():
		case <-ctx.Done():
			return nil
		}
	}
}
