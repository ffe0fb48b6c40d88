package client

import (
	"time"

	"github.com/stentor-audio/stentor/client/hop"
)

const (
	// settledAfter is how long after a hop its losses may still come to light: by
	// then every buffer has played what it held.
	settledAfter = 2 * time.Second

	// lostEvery is how often the frames lost are counted, and lostKept how many
	// counts are kept: a hop is known when it is over, and one that took longer
	// than they reach back is charged with what was lost since.
	lostEvery = 100 * time.Millisecond
	lostKept  = 100

	// maxHops bounds what is remembered of a listener that hops all day.
	maxHops = 1000
)

// A hopped is a hop that is over, though its losses may not be.
type hopped struct {
	HopStats
	before uint64        // frames lost until it began
	until  time.Duration // when what is lost is not its any more
}

// A lostCount is how many frames had been lost at a time.
type lostCount struct {
	at   time.Duration
	lost uint64
}

// A hopLog is the history of a Listener's relays. It is told the time since the
// Listener began, and how many frames have been lost so far.
type hopLog struct {
	list   []hopped
	counts []lostCount // oldest first
}

// hopped notes what the machine reports.
func (h *hopLog) hopped(e hop.Effect, at time.Duration) {
	begun := max(at-e.Took, 0)
	h.close(begun)
	if len(h.list) == maxHops {
		h.list = append(h.list[:0], h.list[1:]...)
	}
	next := hopped{
		HopStats: hopStats(e, at),
		before:   h.lostAt(begun),
		until:    at + settledAfter,
	}
	if n := len(h.counts); n > 0 {
		next.Lost = h.counts[n-1].lost - next.before
	}
	h.list = append(h.list, next)
}

// hopStats is what there is to say about a hop that was over at a time.
func hopStats(e hop.Effect, at time.Duration) HopStats {
	return HopStats{
		AtMS:   max(at-e.Took, 0).Milliseconds(),
		From:   e.From,
		To:     e.To,
		Cause:  e.Cause.String(),
		TookMS: e.Took.Milliseconds(),
	}
}

// close lets the last hop be over where another begins.
func (h *hopLog) close(at time.Duration) {
	if n := len(h.list); n > 0 && h.list[n-1].until > at {
		last := &h.list[n-1]
		last.until = at
		last.Lost = max(h.lostAt(at), last.before) - last.before
	}
}

// count takes the frames lost so far and charges the last hop with its share.
func (h *hopLog) count(at time.Duration, lost uint64) {
	if len(h.counts) == lostKept {
		h.counts = append(h.counts[:0], h.counts[1:]...)
	}
	h.counts = append(h.counts, lostCount{at, lost})
	if n := len(h.list); n > 0 && at <= h.list[n-1].until+lostEvery {
		h.list[n-1].Lost = lost - h.list[n-1].before
	}
}

// lostAt is how many frames had been lost at a time: by the newest count before
// it, or else the oldest there is.
func (h *hopLog) lostAt(at time.Duration) uint64 {
	var lost uint64
	for i, c := range h.counts {
		if i > 0 && c.at > at {
			break
		}
		lost = c.lost
	}
	return lost
}
