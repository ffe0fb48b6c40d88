package relay

import (
	"maps"
	"math"
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
				s.add("town", "b", start.Add(at*time.Millisecond))
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
		s.add("town", "a", now)
		now = now.Add(10 * time.Millisecond)
	}
}

// How fast newcomers to a room come is forgotten after a second or two, and is each
// room's own.
func TestSentRate(t *testing.T) {
	var s sent
	start := time.Unix(1_800_000_000, 0)
	for n := range 40 {
		s.add("town", "a", start.Add(time.Duration(n)*25*time.Millisecond))
	}
	for _, tt := range []struct {
		room  string
		after time.Duration
		want  float64
	}{
		{"town", 990 * time.Millisecond, 40},
		{"village", 990 * time.Millisecond, 0},
		{"town", 1990 * time.Millisecond, 40 / 1.99},
		{"town", 2010 * time.Millisecond, 0},
	} {
		if got := s.rate(tt.room, start.Add(tt.after)); math.Abs(got-tt.want) > 0.01*tt.want {
			t.Errorf("%s, after %v: %.1f a second, want %.1f", tt.room, tt.after, got, tt.want)
		}
	}
	if len(s.now)+len(s.older) != 0 {
		t.Error("it remembers rooms to which nobody comes")
	}
}

func TestGrowth(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	var g growth
	for i := range 40 { // 100 a second, told every five seconds
		g = g.follow(float64(i/5*500), start.Add(time.Duration(i)*time.Second))
	}
	if g.rate < 50 || g.rate > 200 {
		t.Errorf("%.0f a second, want about 100", g.rate)
	}
	if again := g.follow(1e9, g.at.Add(growthEvery/2)); again != g {
		t.Errorf("it looked again at once: %+v", again)
	}
	for i := range 40 { // people leave
		g = g.follow(g.used-100, start.Add(time.Duration(40+i)*time.Second))
	}
	if g.rate < 0 || g.rate > 1 {
		t.Errorf("%.2f a second, while people leave", g.rate)
	}
	if g = g.follow(1e6, g.at.Add(time.Hour)); g.rate != 0 {
		t.Errorf("%.0f a second, over an hour", g.rate)
	}
}
