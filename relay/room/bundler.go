package room

import (
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// A bundler feeds a derived track from its base: a member there, a source here.
type bundler struct {
	base, derived *Track

	starting sync.Mutex // held by start, taken before mu

	mu      sync.Mutex
	packer  packer
	timer   *time.Timer
	armed   time.Time // when the timer fires
	member  *Member
	fresh   bool // the base had nothing when it was joined
	stopped bool
}

func newBundler(base, derived *Track, size int) *bundler {
	return &bundler{base: base, derived: derived, packer: packer{size: size}}
}

// start joins the base track. It is called before each member joins the derived
// one, so that what the base's ring has is in the derived ring by then: who names
// no start gets the newest bundle and not five seconds of old ones. It reports
// whether this call has joined a base that held nothing yet.
func (b *bundler) start(d protocol.Delivery) (fresh bool) {
	b.starting.Lock()
	defer b.starting.Unlock()
	b.mu.Lock()
	running := b.member != nil || b.stopped
	b.mu.Unlock()
	if running {
		return false
	}
	// From the ring's whole bundles on, so that a listener who hops here and
	// names a start finds the bundles it missed.
	m, err := b.base.Join(b, b.baseDelivery(d))
	if err != nil {
		b.derived.broadcast.drop(b.derived)
		b.derived.finish()
		return false
	}
	b.mu.Lock()
	b.member = m
	fresh, stopped := b.fresh, b.stopped
	b.mu.Unlock()
	if stopped {
		m.Leave()
	}
	return fresh
}

// baseDelivery is how the bundler subscribes to its base: from the first packet
// its first member asks for, else from whatever the base's ring has.
func (b *bundler) baseDelivery(d protocol.Delivery) protocol.Delivery {
	base := protocol.Delivery{Priority: d.Priority}
	switch {
	case d.Start.OK && d.Start.Value <= protocol.MaxInteger/uint64(b.packer.size):
		base.Start = protocol.Seq(d.Start.Value * uint64(b.packer.size))
	case b.base.Counts().Groups > 0:
		base.Start = protocol.Seq(0)
	}
	return base
}

func (b *bundler) stop() {
	b.mu.Lock()
	b.stopped = true
	if b.timer != nil {
		b.timer.Stop()
	}
	m := b.member
	b.mu.Unlock()
	if m != nil {
		m.Leave()
	}
}

// Begin implements [Receiver].
func (b *bundler) Begin(held []*Group) {
	b.mu.Lock()
	b.fresh = len(held) == 0
	b.mu.Unlock()
	for _, g := range held {
		b.Push(g)
	}
}

// Push implements [Receiver].
func (b *bundler) Push(g *Group) {
	f, whole := g.Whole()
	if !whole {
		return // a group of several frames has no place in a bundle
	}
	timestamp, opus, err := protocol.ParseLegacy(f.Payload)
	if err != nil || len(opus) == 0 {
		return // checked where it came in; an end marker is no packet
	}
	b.mu.Lock()
	done := b.packer.add(g.Sequence, timestamp, opus, g.Arrived)
	b.arm()
	b.mu.Unlock()
	b.write(done, g.Arrived)
}

// arm sets the timer for the open bundle that is due first. b.mu is held.
func (b *bundler) arm() {
	if b.stopped || len(b.packer.open) == 0 {
		return
	}
	due := b.packer.open[0].due
	for _, open := range b.packer.open[1:] {
		if open.due.Before(due) {
			due = open.due
		}
	}
	if b.timer != nil && !b.armed.After(due) {
		return // it fires early enough and looks again
	}
	if b.timer != nil {
		b.timer.Stop()
	}
	b.armed = due
	b.timer = time.AfterFunc(time.Until(due), b.expire)
}

// expire sends what has waited long enough.
func (b *bundler) expire() {
	now := time.Now()
	b.mu.Lock()
	b.timer = nil
	done, _ := b.packer.expire(now)
	b.arm()
	b.mu.Unlock()
	b.write(done, now)
}

func (b *bundler) write(done []openBundle, now time.Time) {
	for _, open := range done {
		b.derived.Write(open.group(now))
	}
}

// End implements [Receiver].
func (b *bundler) End(uint64) {
	b.mu.Lock()
	done := b.packer.rest()
	b.mu.Unlock()
	b.write(done, time.Now())
	t := b.derived
	t.broadcast.drop(t)
	t.finish()
}
