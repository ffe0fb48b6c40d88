package relay

import (
	"testing"
	"time"
)

func TestBatchFor(t *testing.T) {
	for _, c := range []struct {
		sessions int
		within   time.Duration
		want     int
	}{
		{0, 30 * time.Second, 10},
		{1000, 30 * time.Second, 10},
		{5000, 30 * time.Second, 34},
		{5000, time.Second, 1000},
		{5000, time.Millisecond, 5000},
		{3, 0, 10},
	} {
		if got := DrainBatch(c.sessions, c.within); got != c.want {
			t.Errorf("%d within %v: %d at a time, want %d", c.sessions, c.within, got, c.want)
		}
	}
}
