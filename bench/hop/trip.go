package hop

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/bench/tally"
)

// A Trip is how long a round trip takes, in milliseconds, as programs see it: packets
// keep their order, so where there are many of them each is as late as the latest,
// and processors take their time. A simulation wants this and not what the network
// was made with.
type Trip struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// trips is how often each relay is connected to.
const trips = 20

// trip is the round trip between a host and the relays: that of TCP's handshake.
func (r *run) trip(ctx context.Context, from host) Trip {
	var mu sync.Mutex
	var all []int64
	var connecting sync.WaitGroup
	for _, relay := range r.relays {
		connecting.Go(func() {
			for range trips {
				began := time.Now()
				conn, err := from.dial(ctx, "tcp", relay.listen)
				if err != nil {
					return
				}
				took := time.Since(began).Microseconds()
				_ = conn.Close()
				mu.Lock()
				all = append(all, took)
				mu.Unlock()
			}
		})
	}
	connecting.Wait()
	slices.Sort(all)
	ms := func(q float64) float64 { return hundredths(float64(tally.Quantile(all, q)) / 1000) }
	return Trip{P50: ms(0.5), P99: ms(0.99)}
}
