package membership

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	tests := []struct {
		relays int
		urgent bool
		want   time.Duration
	}{
		{1, false, 2 * time.Second},
		{40, false, 2 * time.Second},
		{41, false, 2050 * time.Millisecond},
		{200, false, 10 * time.Second},
		{2000, false, 100 * time.Second},
		{1, true, 200 * time.Millisecond},
		{2000, true, 200 * time.Millisecond},
	}
	last := time.Unix(1_700_000_000, 0)
	for _, tt := range tests {
		if got := (pace{last: last}).due(tt.relays, tt.urgent).Sub(last); got != tt.want {
			t.Errorf("%d relays, urgent %v: %v after the last, want %v", tt.relays, tt.urgent, got, tt.want)
		}
	}
}
