package relay

import (
	"maps"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/membership"
)

// Those under way count until the relay's load shows them or they must have come.
func TestSent(t *testing.T) {
	type ask struct {
		at   time.Duration
		load uint8
		want int
	}
	for _, tt := range []struct {
		name string
		add  []time.Duration
		asks []ask
	}{
		{"nobody", nil, []ask{{0, 0, 0}}},
		{"counts for two to four seconds", []time.Duration{0, 0, 0}, []ask{{0, 0, 3}, {1900, 0, 3}, {2100, 0, 3}, {4200, 0, 0}}},
		{"the older go first", []time.Duration{0, 0, 2500}, []ask{{2600, 0, 3}, {4600, 0, 1}, {9000, 0, 0}}},
		{"until the load shows them", []time.Duration{0, 0, 0}, []ask{{100, 0, 3}, {200, 5, 0}, {300, 5, 0}}},
		{"at a relay that is busy already", make([]time.Duration, 5), []ask{{100, 40, 5}, {200, 40, 5}, {300, 45, 0}}},
		{"makes nobody full", make([]time.Duration, 500), []ask{{100, 0, 99}}},
		{"makes nobody full who is busy", make([]time.Duration, 500), []ask{{100, 95, 4}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s sent
			start := time.Unix(1_800_000_000, 0)
			for _, at := range tt.add {
				s.add("b", start.Add(at*time.Millisecond))
			}
			for _, a := range tt.asks {
				relays := []membership.Relay{{Name: "a", Capacity: 100}, {Name: "b", Capacity: 100, Load: a.load}}
				want := map[string]int{"b": a.want}
				got := s.pending(relays, start.Add(a.at*time.Millisecond))
				maps.DeleteFunc(got, func(_ string, n int) bool { return n == 0 })
				maps.DeleteFunc(want, func(_ string, n int) bool { return n == 0 })
				if !maps.Equal(got, want) {
					t.Errorf("after %d ms: %v, want %v", a.at, got, want)
				}
			}
		})
	}
}

// A relay that says a load above zero is one like any other: each newcomer is sent
// after it was asked who is under way.
func TestSentOneByOne(t *testing.T) {
	var s sent
	now := time.Unix(1_800_000_000, 0)
	relays := []membership.Relay{{Name: "a", Capacity: 100, Load: 5}}
	for n := range 20 {
		if got := s.pending(relays, now)["a"]; got != n {
			t.Fatalf("%d are under way, want %d", got, n)
		}
		s.add("a", now)
		now = now.Add(10 * time.Millisecond)
	}
}
