package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
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
		if err := fetchProfile(ctx, r.target.admin, length, r.o.Profile); err != nil && ctx.Err() == nil {
			r.stop(fmt.Errorf("profile: %w", err))
		}
	})
}

func fetchProfile(ctx context.Context, admin string, length time.Duration, file string) error {
	seconds := max(1, int(length/time.Second))
	ctx, stop := context.WithTimeout(ctx, length+10*time.Second)
	defer stop()
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", admin, seconds)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the relay answered %s", resp.Status)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}
