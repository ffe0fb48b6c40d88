package deliver

import "sync/atomic"

// A Drop is why a group did not reach a subscriber. It is also the label of the
// metric stentor_dropped_total (docs/operating.md).
type Drop int

const (
	// DropQueue says that the session did not keep up and its queue was full.
	DropQueue Drop = iota
	// DropStale says that the group waited longer than the subscriber's Max Latency, or
	// a second.
	DropStale
	// DropCredit says that the peer allows no further stream.
	DropCredit
	// DropSend says that the connection refused it, mostly because it is closing.
	DropSend
	drops
)

var dropNames = [drops]string{"queue", "stale", "credit", "send"}

func (d Drop) String() string { return dropNames[d] }

// Counters are what one session was sent. The session's goroutines write them;
// anyone may read.
type Counters struct {
	Datagrams atomic.Uint64
	Streams   atomic.Uint64
	Bytes     atomic.Uint64 // of payload, without headers
	Dropped   [drops]atomic.Uint64
}

// Lost is how many groups the session should have had and was not sent. What a
// closing connection refused does not count.
func (c *Counters) Lost() (n uint64) {
	for _, why := range []Drop{DropQueue, DropStale, DropCredit} {
		n += c.Dropped[why].Load()
	}
	return n
}

// Totals is a sum of Counters.
type Totals struct {
	Datagrams, Streams, Bytes uint64
	Dropped                   [drops]uint64
}

// Add adds what c counts now.
func (t *Totals) Add(c *Counters) {
	t.Datagrams += c.Datagrams.Load()
	t.Streams += c.Streams.Load()
	t.Bytes += c.Bytes.Load()
	for i := range c.Dropped {
		t.Dropped[i] += c.Dropped[i].Load()
	}
}

// EachDrop calls f with every reason's name and count.
func (t *Totals) EachDrop(f func(reason string, n uint64)) {
	for i, n := range t.Dropped {
		f(dropNames[i], n)
	}
}
