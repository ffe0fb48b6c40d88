package membership

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// converge starts n relays at once, all at one seed and 20 ms from each other,
// and returns how long it took until each knew all.
func converge(t testing.TB, n int) time.Duration {
	f := newFleet(t)
	f.net.Latency = func() time.Duration { return 10 * time.Millisecond }
	start := time.Now()
	for i := range n {
		f.start(fmt.Sprintf("r%03d", i))
	}
	for _, m := range f.all {
		if err := m.eventually("complete", func(relays []Relay) bool { return len(relays) == n }); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(start)
	f.stopAll()
	f.all = nil
	return took
}

// TestManyRelaysConverge: 100 relays that start at the same moment find each
// other, though their seed takes 64 of them at a time.
func TestManyRelaysConverge(t *testing.T) {
	n := 100
	if testing.Short() {
		n = 40
	}
	synctest.Test(t, func(t *testing.T) {
		t.Logf("%d relays in %v", n, converge(t, n))
	})
}

// BenchmarkConverge reports how long relays in one process, on a network in
// memory, take to find each other by the real clock.
func BenchmarkConverge(b *testing.B) {
	for _, n := range []int{10, 50, 200} {
		b.Run(fmt.Sprintf("relays=%d", n), func(b *testing.B) {
			var took time.Duration
			for b.Loop() {
				took += converge(b, n)
			}
			b.ReportMetric(took.Seconds()/float64(b.N), "s/converge")
		})
	}
}
