package client

import (
	"math"
	"time"
)

// A histogram counts durations in buckets that are each 2 % wider than the one
// before, from 10 µs to a minute: percentiles come out within 2 %, and its size
// does not depend on how long it counts.
type histogram struct {
	counts [histogramBuckets]uint32
	n      uint64
	max    time.Duration
}

const (
	histogramBuckets = 800
	histogramFirst   = 10 * time.Microsecond
	histogramGrowth  = 1.02
)

func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	h.counts[histogramBucket(d)]++
	h.n++
	h.max = max(h.max, d)
}

func histogramBucket(d time.Duration) int {
	if d <= histogramFirst {
		return 0
	}
	i := int(math.Log(float64(d)/float64(histogramFirst)) / math.Log(histogramGrowth))
	return min(i, histogramBuckets-1)
}

// quantile returns the duration that a share q of all is not above, 0 to 1.
func (h *histogram) quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := uint64(math.Ceil(q * float64(h.n)))
	var seen uint64
	for i, c := range h.counts {
		seen += uint64(c)
		if seen >= max(rank, 1) && i < histogramBuckets-1 { // the last has no upper edge
			upper := float64(histogramFirst) * math.Pow(histogramGrowth, float64(i+1))
			return min(time.Duration(upper), h.max)
		}
	}
	return h.max
}
