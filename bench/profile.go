package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/stentor-audio/stentor/bench/process"
)

// profileAtMost is how long a profile may take: the relay's admin server gives a
// request ten seconds.
const profileAtMost = 8 * time.Second

// profile takes a CPU profile of the relay in a slice of the given length. One
// that cannot be had ends the measurement: it was asked for.
func (r *run) profile(ctx context.Context, length time.Duration) {
	if r.o.Profile == "" {
		return
	}
	length = min(length, profileAtMost)
	r.tasks.Go(func() {
		if err := process.Profile(ctx, r.target.admin, length, r.o.Profile); err != nil && ctx.Err() == nil {
			r.stop(fmt.Errorf("profile: %w", err))
		}
	})
}
