package storm

import (
	"context"
	"time"
)

// lookEvery is how often this process looks how late its own timers are.
const lookEvery = 5 * time.Millisecond

// own follows how late the timers of this process are, until ctx ends: what it
// sees late of those who are in, it may itself have been late to see, because the
// newcomers' process and the relay stand on the same processors.
func own(ctx context.Context) (late []int64) {
	due := time.Now().Add(lookEvery)
	timer := time.NewTimer(lookEvery)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return late
		}
		now := time.Now()
		// Each look that was due meanwhile would have been as late as it is now.
		for ; !due.After(now); due = due.Add(lookEvery) {
			late = append(late, now.Sub(due).Microseconds())
		}
		timer.Reset(due.Sub(now))
	}
}
