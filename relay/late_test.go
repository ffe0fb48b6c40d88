package relay

import (
	"math"
	"testing"
	"time"
)

func TestExceeded(t *testing.T) {
	edges := []float64{math.Inf(-1), 0, 0.001, 0.010, 0.100, math.Inf(1)}
	for _, tt := range []struct {
		name           string
		counts, before []uint64
		want           time.Duration
	}{
		{"nothing", []uint64{0, 5, 0, 0, 0}, []uint64{0, 5, 0, 0, 0}, 0},
		{"none waited", []uint64{0, 1000, 0, 0, 0}, []uint64{0, 5, 0, 0, 0}, 0},
		{"one in two hundred", []uint64{0, 199, 0, 0, 1}, make([]uint64, 5), 0},
		{"one in fifty", []uint64{0, 49, 0, 1, 0}, make([]uint64, 5), 10 * time.Millisecond},
		{"all", []uint64{0, 0, 0, 0, 7}, make([]uint64, 5), 100 * time.Millisecond},
		{"long ago", []uint64{0, 100, 0, 0, 900}, []uint64{0, 0, 0, 0, 900}, 0},
		{"a few of each", []uint64{0, 970, 20, 5, 5}, make([]uint64, 5), time.Millisecond},
	} {
		if got := exceeded(tt.counts, tt.before, edges); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Timers count from the worst but one, and what is old falls out.
func TestLateness(t *testing.T) {
	var l lateness
	l.waited() // from now on
	l.note(time.Hour)
	if got := l.look(); got >= time.Hour {
		t.Errorf("one late timer: %v", got)
	}
	l.note(time.Hour)
	if got := l.look(); got != time.Hour {
		t.Errorf("two late timers: %v", got)
	}
	for range beats {
		l.note(time.Millisecond)
	}
	if got := l.look(); got >= time.Hour {
		t.Errorf("later: %v", got)
	}
}
