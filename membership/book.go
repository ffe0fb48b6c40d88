package membership

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// publishInterval is the least time between two snapshots, so that a network
	// of many relays does not make a new one for every packet of gossip.
	publishInterval = 50 * time.Millisecond

	// maxLost is how many relays that went away are remembered, the last ones.
	maxLost = 256

	// lostFor is how long they are.
	lostFor = 24 * time.Hour
)

// A book holds the claims that gossip brings and makes snapshots of them: of
// each name one relay.
type book struct {
	own string // this process's member name

	mu      sync.Mutex
	closed  bool
	claims  map[string]claim             // by member name
	holders map[string]string            // relay name to the member that had it in the last snapshot
	lost    map[netip.AddrPort]time.Time // gossip addresses of relays that vanished

	stale chan struct{} // holds one when claims are newer than view
	view  atomic.Pointer[view]
}

// A view is what Snapshot and Watch return. It never changes; next is closed
// when there is a newer one.
type view struct {
	relays []Relay
	next   chan struct{}
}

func newBook(member string, self Relay) *book {
	b := &book{
		own:     member,
		claims:  map[string]claim{member: {member: member, relay: self}},
		holders: map[string]string{self.Name: member},
		lost:    make(map[netip.AddrPort]time.Time),
		stale:   make(chan struct{}, 1),
	}
	b.view.Store(&view{relays: []Relay{self}, next: make(chan struct{})})
	return b
}

// put enters what is known of a relay, and reports whether it is new.
func (b *book) put(c claim) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	before, known := b.claims[c.member]
	b.claims[c.member] = c
	delete(b.lost, c.gossip)
	if !known || !before.relay.Equal(c.relay) {
		b.markStale()
	}
	return !known
}

// drop takes a relay out. One that was not about to go is remembered: if a
// split of the network took it away, it is still there, and has to be asked.
func (b *book) drop(member string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, known := b.claims[member]
	if b.closed || !known || member == b.own {
		return false
	}
	delete(b.claims, member)
	b.markStale()
	if c.relay.State != Draining {
		b.remember(c.gossip)
	}
	return true
}

func (b *book) remember(at netip.AddrPort) {
	b.lost[at] = time.Now()
	for len(b.lost) > maxLost {
		oldest := at
		for other, since := range b.lost {
			if since.Before(b.lost[oldest]) {
				oldest = other
			}
		}
		delete(b.lost, oldest)
	}
}

// known returns the gossip addresses of the other members and of those that
// vanished.
func (b *book) known() (members, lost []netip.AddrPort) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for member, c := range b.claims {
		if member != b.own {
			members = append(members, c.gossip)
		}
	}
	maps.DeleteFunc(b.lost, func(_ netip.AddrPort, since time.Time) bool {
		return time.Since(since) > lostFor
	})
	return members, slices.Collect(maps.Keys(b.lost))
}

// size is how many members there are, this one included.
func (b *book) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.claims)
}

// close makes the book deaf: memberlist's timers may outlive it.
func (b *book) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}

func (b *book) markStale() {
	select {
	case b.stale <- struct{}{}:
	default:
	}
}

// publish makes a snapshot of the claims.
func (b *book) publish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settle()
	relays := make([]Relay, 0, len(b.holders))
	for _, member := range b.holders {
		relays = append(relays, b.claims[member].relay)
	}
	slices.SortFunc(relays, func(x, y Relay) int { return cmp.Compare(x.Name, y.Name) })
	old := b.view.Swap(&view{relays: relays, next: make(chan struct{})})
	close(old.next)
}

// settle finds out which member holds each name.
func (b *book) settle() {
	holders := make(map[string]string, len(b.claims))
	for _, c := range b.claims {
		name := c.relay.Name
		if at, taken := holders[name]; !taken || b.prefers(c, b.claims[at]) {
			holders[name] = c.member
		}
	}
	b.holders = holders
}

// prefers says whether x rather than y holds their name: this relay does, then
// who has taken over, then who had it before. A newcomer that finds its name in
// use disturbs nobody while it goes away.
func (b *book) prefers(x, y claim) bool {
	holder := b.holders[x.relay.Name]
	switch {
	case x.member == b.own || y.member == b.own:
		return x.member == b.own
	case x.relay.Generation != y.relay.Generation:
		return x.relay.Generation > y.relay.Generation
	case x.member == holder || y.member == holder:
		return x.member == holder
	}
	return outranks(x, y)
}
