package relay

import (
	"context"
	"math"
	runtimemetrics "runtime/metrics"
	"slices"
	"sync"
	"time"
)

// lateness is how late things happen in this process: timers, and goroutines that
// could run and wait for a processor. A packet passes half a dozen of those, so
// what one in a hundred of them waits is what packets wait; timers also show when
// the machine runs something else.
type lateness struct {
	before []uint64 // of the runtime's histogram, at the last look

	mu   sync.Mutex
	late [beats]time.Duration
	next int
}

// run sets timers until ctx ends.
func (l *lateness) run(ctx context.Context) {
	due := time.Now().Add(beat)
	timer := time.NewTimer(beat)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		l.note(now.Sub(due))
		if due = due.Add(beat); due.Before(now) {
			due = now.Add(beat) // those that were missed are one
		}
		timer.Reset(due.Sub(now))
	}
}

func (l *lateness) note(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.late[l.next%beats] = d
	l.next++
}

// look is how late it has become since the last look: the worst timer but one, or
// what one in a hundred goroutines waited. One goroutine calls it.
func (l *lateness) look() time.Duration {
	l.mu.Lock()
	sorted := l.late
	l.mu.Unlock()
	slices.Sort(sorted[:])
	return max(sorted[beats-2], l.waited())
}

// waited is what one in a hundred goroutines has waited since the last look.
func (l *lateness) waited() time.Duration {
	sample := []runtimemetrics.Sample{{Name: "/sched/latencies:seconds"}}
	runtimemetrics.Read(sample)
	h := sample[0].Value.Float64Histogram()
	before := l.before
	l.before = slices.Clone(h.Counts)
	if len(before) != len(h.Counts) {
		return 0
	}
	return exceeded(h.Counts, before, h.Buckets)
}

// exceeded is the lower edge of the bucket in which the 99th of a hundred lies of
// what was counted between two looks. There is one edge more than buckets; the
// outer ones may be infinite.
func exceeded(counts, before []uint64, edges []float64) time.Duration {
	var total uint64
	for i := range counts {
		total += counts[i] - before[i]
	}
	if total == 0 {
		return 0
	}
	beyond := total / 100
	for i := len(counts) - 1; i >= 0; i-- {
		n := counts[i] - before[i]
		if n > beyond {
			edge := edges[i]
			if math.IsInf(edge, 0) || edge < 0 {
				return 0
			}
			return time.Duration(edge * float64(time.Second))
		}
		beyond -= n
	}
	return 0
}
