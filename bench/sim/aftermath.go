package sim

import "math"

// An aftermath is what is counted from one thing that happens until the next.
type aftermath struct {
	what  *happened
	where []int32 // who listened where when it happened, by listener
	lost  int64   // until then
	hops  histogram
}

// mark begins to count what comes of something.
func (w *world) mark(h *happened) {
	w.reckon()
	a := &aftermath{what: h, where: make([]int32, len(w.people)), lost: w.lostNow + w.overloaded}
	for id := range w.people {
		a.where[id] = w.people[id].primary
	}
	w.last = a
}

// reckon takes down what has come of the last thing that happened.
func (w *world) reckon() {
	a := w.last
	if a == nil {
		return
	}
	w.last = nil
	h := a.what
	h.Lost = w.lostNow + w.overloaded - a.lost
	h.Hops, h.Took = a.hops.n, a.hops.times()
	for id, was := range a.where {
		if l := &w.people[id]; was != nobody && !l.left && l.primary != was {
			h.Moved++
		}
	}
	h.Spread = w.unevenness()
}

// unevenness is how many listeners the relay with the most has, over the mean of those
// that have any; 0 if none has.
func (w *world) unevenness() float64 {
	most, sum, n := 0, 0, 0
	for _, r := range w.relays {
		if here := len(r.primaries); here > 0 && r.alive() {
			most, sum, n = max(most, here), sum+here, n+1
		}
	}
	if n == 0 {
		return 0
	}
	return math.Round(100*float64(most*n)/float64(sum)) / 100
}
