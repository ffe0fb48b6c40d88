package playout

import (
	"slices"
	"time"
)

const maxAsks = 3 // times one frame is asked for

// Holes appends to dst the sequences to FETCH now, oldest first: those missing
// for which something newer came, at least Config.Reorder ago, and whose
// repair, one round trip away, is in time. A sequence is given out once; again
// only when the round trip and 20 ms went by without it, or after
// [Buffer.FetchFailed], and three times at most.
//
// The round trip is the caller's measure to where it would fetch.
func (b *Buffer) Holes(now, roundTrip time.Duration, dst []uint64) []uint64 {
	if b.win.missing == 0 {
		return dst
	}
	delay, old := b.est.Delay(now), len(dst)
	start := b.line.media + time.Duration(b.win.end-b.line.newest)*Frame
	for seq := b.win.end; seq > b.win.next; {
		seq--
		start -= Frame // a hole is given up at the latest moment that fits
		e := b.win.at(seq)
		if e.here {
			start = e.media
			continue
		}
		if e.ask(now, b.needed(start, delay), roundTrip, b.cfg.Reorder) {
			dst = append(dst, seq)
		}
	}
	slices.Reverse(dst[old:])
	return dst
}

// needed is when a frame must be here at the latest.
func (b *Buffer) needed(media, delay time.Duration) time.Duration {
	if b.talking {
		return b.due(media, delay) + b.lag
	}
	return b.due(media, delay)
}

// FetchFailed takes back that a sequence was asked for: the next Holes gives
// it out again if there still is time, for instance at another relay.
func (b *Buffer) FetchFailed(sequence uint64) { b.win.fetchFailed(sequence) }

func (w *window) fetchFailed(seq uint64) {
	if seq >= w.next && seq < w.end {
		w.at(seq).asking = false
	}
}

// ask reports whether the hole is to be fetched at now, and notes that it is.
func (e *entry) ask(now, needed, roundTrip, reorder time.Duration) bool {
	switch {
	case e.left:
		return false
	case e.asks >= maxAsks:
		return false
	case now-e.noticed < reorder, needed-now <= roundTrip:
		return false
	case e.asking && now-e.asked < roundTrip+Frame:
		return false
	}
	e.asking, e.asked = true, now
	e.asks++
	return true
}
