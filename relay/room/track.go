package room

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// A Receiver takes a track's groups for one subscription. None of its methods
// may block: they run on the way of every other listener's frames.
type Receiver interface {
	// Begin comes once and first, with the held groups the subscription starts
	// with, oldest first.
	Begin(held []*Group)
	// Push takes a group that has just come in, in order of arrival.
	Push(g *Group)
	// End says that the track has ended before the group next.
	End(next uint64)
}

// A Track is one track of a broadcast at this relay: its last groups and the
// subscriptions that receive them. All methods may be called from anywhere.
type Track struct {
	// Name is the track's name within its broadcast.
	Name string

	broadcast *Broadcast

	// Set before ready is closed, constant afterwards.
	ready   chan struct{}
	info    protocol.TrackInfo
	err     error    // why the track cannot be had
	bundler *bundler // of a derived track

	// Counters, read by anyone.
	groups     atomic.Uint64
	duplicates atomic.Uint64
	late       atomic.Uint64
	repaired   atomic.Uint64

	resuming atomic.Int32 // groups that are fetched because their copies broke

	mu      sync.Mutex
	repair  repairer
	cache   cache
	members []*Member // grown in place and copied to shrink: a fan-out reads it unlocked
	floor   floor     // what of the track is for listeners
	feeds   map[*source]*running
	linger  *time.Timer // runs while there are no members
	ended   bool
	end     uint64
}

// A Member is one subscription's place in a track.
type Member struct {
	track    *Track
	receiver Receiver

	mu       sync.Mutex
	delivery protocol.Delivery
}

func newTrack(b *Broadcast, name string) *Track {
	return &Track{
		Name:      name,
		broadcast: b,
		ready:     make(chan struct{}),
		feeds:     make(map[*source]*running),
		cache:     cache{maxGroups: maxGroups, maxBytes: maxBytes},
	}
}

const (
	// maxGroups bounds a ring: 20 s of 20 ms packets.
	maxGroups = 1024
	// maxBytes bounds what one track holds; its newest group stays in any case.
	maxBytes = 32 << 20
	// minKeep is what a ring holds at the least, so that a listener who hops
	// here finds what it missed; maxKeep is what a publisher may ask for.
	minKeep = 5 * time.Second
	maxKeep = 30 * time.Second
)

// setInfo makes the track ready.
func (t *Track) setInfo(info protocol.TrackInfo) {
	t.info = info
	keep := time.Duration(min(info.MaxLatency, uint64(maxKeep/time.Millisecond))) * time.Millisecond
	if protocol.IsAudioTrack(t.Name) {
		keep = max(keep, minKeep)
	}
	t.cache.keep = keep
	close(t.ready)
}

// Info is the track's TRACK_INFO.
func (t *Track) Info() protocol.TrackInfo { return t.info }

// Write brings a group and reports whether it was the first copy of it and taken.
// It never blocks.
func (t *Track) Write(g *Group) bool {
	if g.Sequence > protocol.MaxInteger {
		t.late.Add(1) // not every peer could read it, and no track lives that long
		return false
	}
	t.mu.Lock()
	if t.ended {
		t.mu.Unlock()
		return false
	}
	before, running := t.cache.newest, t.cache.any
	verdict := t.cache.insert(g)
	if verdict == accepted && running && g.Sequence > before {
		t.gap(before, g.Sequence)
	}
	members := t.members
	if t.floor.hides(g.Sequence) {
		members = t.floor.insiders
	}
	t.mu.Unlock()
	switch verdict {
	case duplicate:
		t.duplicates.Add(1)
		return false
	case tooOld:
		t.late.Add(1)
		return false
	}
	t.groups.Add(1)
	for i, m := range members {
		m.receiver.Push(g)
		if i%yieldEvery == yieldEvery-1 {
			runtime.Gosched()
		}
	}
	return true
}

// yieldEvery is after how many pushes a fan-out lets the listeners' goroutines
// run that it has woken. Woken all at once they overflow the processor's own run
// queue, and each costs a lock and a cold cache (docs/benchmarks.md).
const yieldEvery = 32

// Join adds a subscription. The receiver gets what is held from d.Start on (the
// newest group where it names none), then everything that comes. It returns
// [ErrUnknown] if the track has ended meanwhile; asking the broadcast for it
// again may then give a new one.
func (t *Track) Join(r Receiver, d protocol.Delivery) (*Member, error) {
	m := &Member{track: t, receiver: r, delivery: d}
	start := d.Start
	if t.bundler != nil && t.bundler.start(d) && !start.OK {
		start = protocol.Seq(0) // whatever has come meanwhile came after it asked
	}
	t.mu.Lock()
	if t.ended {
		t.mu.Unlock()
		return nil, ErrUnknown
	}
	r.Begin(t.floor.pick(r, t.cache.from(start)))
	t.members = append(t.members, m)
	t.floor.join(m)
	first := len(t.members) == 1
	if t.linger != nil {
		t.linger.Stop()
		t.linger = nil
	}
	t.mu.Unlock()
	if first {
		t.broadcast.activate(t)
	} else {
		t.notify()
	}
	return m, nil
}

// Leave ends a subscription. A Push that runs at this moment may still arrive.
func (m *Member) Leave() {
	t := m.track
	t.mu.Lock()
	i := slices.Index(t.members, m)
	if i < 0 {
		t.mu.Unlock()
		return
	}
	fewer := make([]*Member, 0, max(len(t.members)-1, cap(t.members)/2))
	fewer = append(fewer, t.members[:i]...)
	t.members = append(fewer, t.members[i+1:]...)
	t.floor.leave(m)
	last := len(t.members) == 0
	t.mu.Unlock()
	if last {
		t.broadcast.idle(t)
	} else {
		t.notify()
	}
}

// Update replaces what the subscription asks for.
func (m *Member) Update(d protocol.Delivery) {
	m.mu.Lock()
	m.delivery = d
	m.mu.Unlock()
	m.track.notify()
}

// Held returns the groups the track holds from start on that are for the member,
// oldest first.
func (m *Member) Held(start protocol.OptSeq) []*Group {
	t := m.track
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.floor.pick(m.receiver, t.cache.from(start))
}

// Members is how many subscriptions the track has.
func (t *Track) Members() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.members)
}

// Listeners is how many of the members are listeners: a derived track's place in
// its base is none, nor is another relay (see [Forwarder]).
func (t *Track) Listeners() int {
	n := 0
	for _, m := range t.snapshot() {
		switch r := m.receiver.(type) {
		case *bundler, *standIn:
		case Forwarder:
			if !r.Forwards() {
				n++
			}
		default:
			n++
		}
	}
	return n
}

// A Forwarder is a Receiver that may be another relay's.
type Forwarder interface{ Forwards() bool }

// Counts are a track's counters since it was opened.
type Counts struct {
	Groups, Duplicates, Late, Repaired uint64
	Newest                             uint64
}

// Counts returns the track's counters.
func (t *Track) Counts() Counts {
	t.mu.Lock()
	newest := t.cache.newest
	t.mu.Unlock()
	return Counts{Groups: t.groups.Load(), Duplicates: t.duplicates.Load(), Late: t.late.Load(), Repaired: t.repaired.Load(), Newest: newest}
}

// notify tells the feeds that what the members want may have changed.
func (t *Track) notify() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.feeds {
		select {
		case f.changed <- struct{}{}:
		default:
		}
	}
}

// wants is what a feed should ask its source for: the members' wishes combined,
// from the first group this track does not have all of. live leaves out where the
// members want to start.
func (t *Track) wants(live bool) protocol.Delivery {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := combine(t.members)
	switch {
	case t.cache.any && t.cache.groups[t.cache.newest].growing():
		d.Start = protocol.Seq(t.cache.newest) // another copy of it, should the first break
	case t.cache.any:
		d.Start = protocol.Seq(t.cache.newest + 1)
	case live:
		d.Start = protocol.OptSeq{}
	}
	return d
}

// combine makes one subscription's parameters out of many's: the highest
// priority, ordered if all want it, the most patient latency, the earliest start
// and the latest end. A member that names no start wants the newest group: where
// others have all groups before theirs, that is the one before the earliest.
func combine(members []*Member) protocol.Delivery {
	var d protocol.Delivery
	newest := false
	for i, m := range members {
		m.mu.Lock()
		o := m.delivery
		m.mu.Unlock()
		newest = newest || !o.Start.OK
		if i == 0 {
			d = o
			continue
		}
		d.Priority = max(d.Priority, o.Priority)
		d.Ordered = d.Ordered && o.Ordered
		d.MaxLatency = max(d.MaxLatency, o.MaxLatency)
		if o.Start.OK && (!d.Start.OK || o.Start.Value < d.Start.Value) {
			d.Start = o.Start
		}
		if !o.End.OK {
			d.End = protocol.OptSeq{}
		} else if d.End.OK {
			d.End.Value = max(d.End.Value, o.End.Value)
		}
	}
	if newest && d.Start.OK && d.Start.Value > 0 {
		d.Start.Value--
	}
	return d
}

// finish ends the track for all of its members.
func (t *Track) finish() { t.finishIf(func() bool { return true }) }

// finishIdle ends the track unless somebody has joined, and reports whether it
// has ended.
func (t *Track) finishIdle() bool {
	return t.finishIf(func() bool { return len(t.members) == 0 })
}

// finishIf ends the track if the condition, asked under its lock, allows, and
// reports whether it has ended now or before.
func (t *Track) finishIf(allowed func() bool) bool {
	t.mu.Lock()
	if t.ended || !allowed() {
		defer t.mu.Unlock()
		return t.ended
	}
	t.ended = true
	if t.cache.any {
		t.end = t.cache.newest + 1
	}
	members := t.members
	t.members, t.floor = nil, floor{}
	for _, f := range t.feeds {
		f.stop()
	}
	if t.linger != nil {
		t.linger.Stop()
	}
	if t.repair.timer != nil {
		t.repair.timer.Stop()
	}
	end := t.end
	t.mu.Unlock()
	if t.bundler != nil {
		t.bundler.stop()
	}
	for _, m := range members {
		m.receiver.End(end)
	}
	return true
}
