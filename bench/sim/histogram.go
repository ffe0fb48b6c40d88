package sim

import (
	"math"
	"time"
)

func sqrt(x float64) float64 { return math.Sqrt(x) }

// A histogram counts times in milliseconds, up to ten seconds one by one and above
// in steps of a hundred. The zero value is empty.
type histogram struct {
	fine   []int32
	coarse []int32
	n      int
	most   int64
}

const fineMS = 10_000

func (h *histogram) note(d time.Duration) { h.add(d.Milliseconds()) }

func (h *histogram) add(ms int64) {
	ms = max(ms, 0)
	h.n++
	h.most = max(h.most, ms)
	if ms < fineMS {
		h.fine = grown(h.fine, int(ms))
		h.fine[ms]++
		return
	}
	i := int((ms - fineMS) / 100)
	h.coarse = grown(h.coarse, i)
	h.coarse[i]++
}

func grown(counts []int32, i int) []int32 {
	for len(counts) <= i {
		counts = append(counts, 0)
	}
	return counts
}

// each calls f for every time that was noted, in ascending order, with how often.
func (h *histogram) each(f func(ms int64, n int)) {
	for ms, n := range h.fine {
		if n > 0 {
			f(int64(ms), int(n))
		}
	}
	for i, n := range h.coarse {
		if n > 0 {
			f(fineMS+100*int64(i)+99, int(n))
		}
	}
}

// quantile is the nearest rank's.
func (h *histogram) quantile(q float64) (at int64) {
	rank, seen := int(math.Ceil(q*float64(h.n)-1e-9)), 0
	found := false
	h.each(func(ms int64, n int) {
		if seen += n; !found && seen >= rank {
			at, found = min(ms, h.most), true
		}
	})
	return at
}

func (h *histogram) times() Times {
	return Times{P50: h.quantile(0.5), P99: h.quantile(0.99), Max: h.most}
}

// bins are what there is, in steps that grow.
func (h *histogram) bins() []Bin {
	bins := []Bin{}
	upTo := func(ms int64) int64 {
		step := int64(10)
		switch {
		case ms >= 10_000:
			step = 1000
		case ms >= 1000:
			step = 100
		}
		return (ms/step + 1) * step
	}
	h.each(func(ms int64, n int) {
		at := upTo(ms)
		if len(bins) == 0 || bins[len(bins)-1].UpTo != at {
			bins = append(bins, Bin{UpTo: at})
		}
		bins[len(bins)-1].Count += n
	})
	return bins
}
