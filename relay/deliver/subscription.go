package deliver

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/fanout"
	"github.com/stentor-audio/stentor/relay/room"
)

const (
	// queueDepth is how many groups a subscription may lag: a little over a
	// second of 20 ms packets, more than a listener could still use.
	queueDepth = 64
	// staleAfter is how old a group that is not the newest may get before it is
	// not worth sending, where the subscriber does not say.
	staleAfter = time.Second
	// endLinger is how long a subscription's FIN waits behind its last group,
	// which travels on another stream and must not be overtaken.
	endLinger = 500 * time.Millisecond
	// maxStreaming is how many growing groups of one subscription may be on
	// their way at once.
	maxStreaming = 64
)

// subscription is one subscription of the session: the [room.Receiver] that the
// track pushes to, and the goroutine that drains it.
type subscription struct {
	deliver *Deliver
	sub     *session.Subscriber
	audio   bool
	level   bool   // the next one is as good
	room    string // "" for none
	queue   *fanout.Queue[*room.Group]

	held []*room.Group // from Begin, sent before the queue

	ended   atomic.Bool // the track has; end is written before
	end     uint64
	updated atomic.Bool // Delivery has changed
	left    atomic.Bool // the request is over

	// Owned by run.
	delivery  protocol.Delivery
	started   bool
	burst     bool          // what is being sent is too much for datagrams
	floor     uint64        // groups below are not sent
	withheld  uint64        // first group held back by Group End, plus one
	resent    []*room.Group // sent by an update; some may stand in the queue as well
	scratch   []byte
	streaming atomic.Int32
}

// Begin implements [room.Receiver].
func (s *subscription) Begin(held []*room.Group) { s.held = held }

// Forwards implements [room.Forwarder].
func (s *subscription) Forwards() bool { return s.deliver.cfg.Relay }

// Insider implements [room.Insider].
func (s *subscription) Insider() bool {
	d := s.deliver
	return d.cfg.Relay || d.onStage(s.room) || !d.follows(s.room)
}

// Push implements [room.Receiver].
func (s *subscription) Push(g *room.Group) {
	if s.queue.Push(g) {
		s.deliver.Counters.Dropped[DropQueue].Add(1)
	}
}

// End implements [room.Receiver].
func (s *subscription) End(next uint64) {
	s.end = next
	s.ended.Store(true)
	s.queue.Poke()
}

// Subscribe implements [session.Publisher].
func (d *Deliver) Subscribe(ctx context.Context, sub *session.Subscriber) error {
	req := sub.Request
	if isTick(req.Broadcast, req.Track) {
		return d.serveTicks(ctx, sub)
	}
	if isRelays(req.Broadcast, req.Track) {
		return d.serveRelays(ctx, sub)
	}
	if name, ok := planOf(req.Broadcast, req.Track); ok {
		return d.servePlan(ctx, sub, name)
	}
	if name, ok := stageOf(req.Broadcast, req.Track); ok {
		return d.serveStage(ctx, sub, name)
	}
	if name, ok := floorOf(req.Broadcast, req.Track); ok {
		return d.serveFloor(ctx, sub, name)
	}
	for attempt := 0; ; attempt++ {
		b, err := d.broadcast(ctx, req.Broadcast)
		if err != nil {
			return err
		}
		t, err := b.Track(ctx, req.Track)
		if err != nil {
			return refusal(err)
		}
		s := &subscription{
			deliver: d,
			sub:     sub,
			audio:   protocol.IsAudioTrack(req.Track),
			level:   req.Track == protocol.TrackLevel,
			room:    roomOf(b.Path),
			queue:   fanout.NewQueue[*room.Group](queueDepth),
		}
		m, err := t.Join(s, sub.Delivery())
		if errors.Is(err, room.ErrUnknown) && attempt < 3 {
			continue // it ended between the two calls; a new one is there
		}
		if err != nil {
			return refusal(err)
		}
		if s.audio {
			d.take(b.Path, 1)
			defer d.take(b.Path, -1)
		}
		defer m.Leave()
		return s.run(ctx, t, m)
	}
}

// run sends groups until the track or ctx ends.
func (s *subscription) run(ctx context.Context, t *room.Track, m *room.Member) error {
	if err := s.sub.Accept(); err != nil {
		return err
	}
	s.delivery = s.sub.Delivery()
	if start := s.delivery.Start; start.OK {
		s.floor = start.Value
	}
	// One channel to wait on, whatever happens: a select of three costs more
	// than the send it waits for.
	s.sub.OnUpdate(func() {
		s.updated.Store(true)
		s.queue.Poke()
	})
	defer context.AfterFunc(ctx, func() {
		s.left.Store(true)
		s.queue.Poke()
	})()
	s.sendHeld(ctx, s.held)
	s.held = nil
	// The flags are looked at before every group: the queue of a session that
	// does not keep up may never be empty.
	for !s.left.Load() {
		if s.updated.Load() && s.updated.Swap(false) {
			s.update(ctx, t, m)
		}
		g, rest, ok := s.queue.Pop()
		switch {
		case ok && slices.Contains(s.resent, g):
		case ok:
			s.send(ctx, g, rest)
		case s.ended.Load():
			return s.finish(ctx, s.end)
		default:
			s.resent = nil
			<-s.queue.Wake()
		}
	}
	return nil
}

// sendHeld sends groups of the ring. A long stretch of the past goes as streams:
// a burst of datagrams would overflow the queue of who reads them.
func (s *subscription) sendHeld(ctx context.Context, held []*room.Group) {
	s.burst = len(held) > maxBurst
	for _, g := range held {
		if s.left.Load() {
			break
		}
		s.send(ctx, g, 0)
	}
	s.burst = false
}

// finish tells the subscriber that the track is over. Its FIN follows when the
// last groups have had time to arrive: the transport does not say when.
func (s *subscription) finish(ctx context.Context, end uint64) error {
	if err := s.sub.End(end); err != nil {
		return err
	}
	wait := time.NewTimer(endLinger + 2*s.sub.Session().Conn().Stats().RTT)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
	return nil
}

// update applies a SUBSCRIBE_UPDATE: groups that the old Group End held back go
// out now if the new one lets them.
func (s *subscription) update(ctx context.Context, t *room.Track, m *room.Member) {
	d := s.sub.Delivery()
	s.delivery = d
	m.Update(d)
	if d.Start.OK {
		s.floor = max(s.floor, d.Start.Value)
	}
	if s.withheld == 0 || (d.End.OK && d.End.Value < s.withheld-1) {
		return
	}
	from := s.withheld - 1
	s.withheld = 0
	s.resent = m.Held(protocol.Seq(from))
	s.sendHeld(ctx, s.resent)
}

// send puts one group on the wire, unless it is not wanted or no longer worth
// it. behind is how many groups wait behind it.
func (s *subscription) send(ctx context.Context, g *room.Group, behind int) {
	d := &s.delivery
	if g.Sequence < s.floor {
		return
	}
	if d.End.OK && g.Sequence > d.End.Value {
		if s.withheld == 0 || g.Sequence+1 < s.withheld {
			s.withheld = g.Sequence + 1
		}
		return
	}
	if behind > 0 && s.audio && time.Since(g.Arrived) > patience(d) {
		s.deliver.Counters.Dropped[DropStale].Add(1)
		return
	}
	if !s.started {
		s.started = true
		if s.floor == 0 {
			s.floor = g.Sequence // what comes late from before is not delivered
		}
		_ = s.sub.Start(g.Sequence) // if it fails, the session is ending
	}
	s.write(ctx, g)
}

// patience is how long a group that is not the newest may wait.
func patience(d *protocol.Delivery) time.Duration {
	if d.MaxLatency >= 1 {
		return time.Duration(min(d.MaxLatency, uint64(staleAfter/time.Millisecond))) * time.Millisecond
	}
	return staleAfter
}

func (s *subscription) write(ctx context.Context, g *room.Group) {
	f, whole := g.Whole()
	switch {
	case whole && (s.audio || s.level) && !s.burst && s.sub.Datagrams() && len(f.Payload) <= maxDatagramPayload:
		s.writeDatagram(g, len(f.Payload))
	case whole && len(f.Payload) <= maxDatagramPayload:
		// Small enough that the stream takes it without waiting.
		var err error
		s.scratch, err = s.sub.WriteGroup(g.Sequence, f, s.scratch)
		s.count(&s.deliver.Counters.Streams, len(f.Payload), err)
		if errors.Is(err, session.ErrNoCredit) && !s.audio {
			s.stream(ctx, g) // a catalog must arrive, whenever there is room
		}
	default:
		s.stream(ctx, g)
	}
}

// maxBurst is how many datagrams may go out at once. Receivers queue 32 and more.
const maxBurst = 24

// maxDatagramPayload leaves room for the Subscribe ID, sequence and timestamp.
const maxDatagramPayload = protocol.MaxDatagram - 24

// bodies lends each send a buffer: SendDatagram copies what it is given.
var bodies = sync.Pool{New: func() any { b := make([]byte, 0, protocol.MaxDatagram); return &b }}

func (s *subscription) writeDatagram(g *room.Group, size int) {
	body := bodies.Get().(*[]byte)
	*body = g.AppendDatagram((*body)[:0], s.sub.Request.ID)
	err := s.sub.SendDatagram(*body)
	bodies.Put(body)
	s.count(&s.deliver.Counters.Datagrams, size, err)
}

// count books what became of a group.
func (s *subscription) count(sent *atomic.Uint64, size int, err error) {
	c := &s.deliver.Counters
	switch {
	case err == nil:
		sent.Add(1)
		c.Bytes.Add(uint64(size))
	case errors.Is(err, session.ErrNoCredit):
		c.Dropped[DropCredit].Add(1)
	default:
		c.Dropped[DropSend].Add(1)
	}
}
