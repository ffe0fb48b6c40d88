package hop

import (
	"context"
	"sync"
	"time"
)

const (
	// lookEvery is how often a process looks at the clock to see whether it was
	// kept from running, and stalled how much later than that is told.
	lookEvery = 5 * time.Millisecond
	stalled   = 10 * time.Millisecond
	// maxStalls bounds what is kept; the oldest goes.
	maxStalls = 10_000
)

// A stall is a time in which a process did not get to run, in µs since 1970.
type stall struct{ from, to int64 }

// stalls are those of this process: with many of them, what is late may have
// been here all the while.
type stalls struct {
	mu  sync.Mutex
	all []stall
}

// watch looks at the clock until ctx ends.
func (s *stalls) watch(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-tick.C:
			now := time.Now()
			s.look(last, now)
			last = now
		case <-ctx.Done():
			return
		}
	}
}

// look notes that the process ran at two times and not between them.
func (s *stalls) look(last, now time.Time) {
	if now.Sub(last) < lookEvery+stalled {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == maxStalls {
		s.all = s.all[1:]
	}
	s.all = append(s.all, stall{last.UnixMicro(), now.UnixMicro()})
}

// longest is the longest one that has a part in a time, in ms; 0 if there is
// none.
func (s *stalls) longest(from, to int64) (ms int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.all {
		if one.from < to && one.to > from {
			ms = max(ms, (one.to-one.from)/1000)
		}
	}
	return ms
}
