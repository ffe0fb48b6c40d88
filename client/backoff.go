package client

import (
	"context"
	"time"
)

const (
	// firstPause and longestPause are what the other implementations of the
	// protocol use: a pause is drawn from half of it to the whole, so that the
	// listeners of a relay that died do not come back as one.
	firstPause   = time.Second
	longestPause = 5 * time.Second

	// provenAfter is how long a session must have lived for the next pause to
	// be a first one again.
	provenAfter = time.Second
)

// A backoff spaces attempts. The zero value has made none.
type backoff struct{ pause time.Duration }

// next returns how long to wait before another attempt, after one that kept a
// session for lived. random is in [0, 1).
func (b *backoff) next(lived time.Duration, random float64) time.Duration {
	if b.pause == 0 || lived > provenAfter {
		b.pause = firstPause
	}
	wait := b.pause/2 + time.Duration(random*float64(b.pause/2))
	b.pause = min(2*b.pause, longestPause)
	return wait
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
