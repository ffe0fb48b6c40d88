package placement

import (
	"time"

	"github.com/stentor-audio/stentor/membership"
)

// fullAt is the load from which on a relay takes no listeners.
const fullAt = membership.FullAt

const (
	// retryLeast is how long a newcomer to a full network waits at least: before
	// that, relays have not told that somebody left.
	retryLeast = 2 * time.Second

	// retryMost is how long it waits at most. Longer, and places stay empty;
	// shorter, and those who wait are a load of their own.
	retryMost = 10 * time.Second
)

// load is how busy a relay is in percent, with the listeners that were sent to
// it since it told. A relay without a capacity has no room for them.
func load(r *membership.Relay, pending map[string]int) int {
	if len(pending) == 0 {
		return int(r.Load)
	}
	sent := pending[r.Name]
	switch {
	case sent <= 0:
		return int(r.Load)
	case uint64(sent) >= uint64(r.Capacity):
		return fullAt
	}
	return min(int(r.Load)+sent*100/int(r.Capacity), fullAt)
}

// Full reports whether no relay takes listeners. pending is as in
// [Options.Pending].
func Full(relays []membership.Relay, pending map[string]int) bool {
	for i := range relays {
		if r := &relays[i]; r.State == membership.Ready && load(r, pending) < fullAt {
			return false
		}
	}
	return true
}

// RetryAfter returns how long a listener that finds no place waits until it asks
// again: nothing if the network is not [Full], else 2 to 10 s, as chance from 0
// to 1 has it, so that those who were turned away together do not come back
// together.
func RetryAfter(relays []membership.Relay, pending map[string]int, chance float64) time.Duration {
	if !Full(relays, pending) {
		return 0
	}
	if !(chance >= 0) { // less, or no number
		chance = 0
	}
	chance = min(chance, 1)
	return retryLeast + time.Duration(chance*float64(retryMost-retryLeast))
}
