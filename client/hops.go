package client

import "time"

// A hop is a change of the relay that may still be going on.
type hop struct {
	HopStats
	begun   time.Duration
	arrived time.Duration // when the first frame came over the new session; 0 not yet
	before  uint64        // frames lost until it began
	settled bool          // lost is final
}

const (
	// settledAfter is how long after the first frame over the new session a
	// hop's losses may still come to light: by then every buffer has played what
	// it held.
	settledAfter = 2 * time.Second

	// maxHops bounds what is remembered of a listener that hops all day.
	maxHops = 1000
)

// A hopLog is the history of a Listener's relays. It is told the time, and how
// many frames have been lost so far.
type hopLog struct{ list []hop }

// leave notes the end of a session with a relay.
func (h *hopLog) leave(relay, cause string, age, at time.Duration, lost uint64) {
	if n := len(h.list); n > 0 && h.list[n-1].To == "" {
		return // still on the way
	}
	if len(h.list) == maxHops {
		h.list = append(h.list[:0], h.list[1:]...)
	}
	h.list = append(h.list, hop{
		HopStats: HopStats{AtMS: age.Milliseconds(), From: relay, Cause: cause},
		begun:    at,
		before:   lost,
	})
}

// enter notes a new session.
func (h *hopLog) enter(relay string) {
	if n := len(h.list); n > 0 && h.list[n-1].To == "" {
		h.list[n-1].To = relay
	}
}

// heard notes that a frame came.
func (h *hopLog) heard(at time.Duration) {
	n := len(h.list)
	if n == 0 || h.list[n-1].To == "" || h.list[n-1].arrived != 0 {
		return
	}
	h.list[n-1].arrived = at
	h.list[n-1].TookMS = (at - h.list[n-1].begun).Milliseconds()
}

// open reports whether the last hop's losses are still being counted.
func (h *hopLog) open() bool {
	n := len(h.list)
	return n > 0 && !h.list[n-1].settled
}

// settle counts the losses of the last hop until it is over.
func (h *hopLog) settle(at time.Duration, lost uint64) {
	if !h.open() {
		return
	}
	last := &h.list[len(h.list)-1]
	last.Lost = lost - last.before
	last.settled = last.arrived != 0 && at-last.arrived > settledAfter
}
