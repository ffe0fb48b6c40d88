package uplink

import (
	"testing"
	"time"

	"github.com/stentor-audio/stentor/relay/plan"
)

// A verdict goes the way of a way: tried, working, interrupted, dead.
func TestVerdict(t *testing.T) {
	v := OpenVerdict(epoch)
	for _, tt := range []struct {
		at   time.Duration
		up   bool
		live int
		want plan.Health
	}{
		{0, false, 0, plan.Trying},
		{time.Second, true, 1, plan.Working},
		{10 * time.Second, false, 0, plan.Working},
		{10*time.Second + brokenFor, false, 0, plan.Dead},
		{20 * time.Second, true, 1, plan.Working},
	} {
		v.Told(epoch.Add(tt.at), tt.up, tt.live)
		if got := v.Assess(epoch.Add(tt.at), 1); got != tt.want || v.Health() != tt.want || v.Live() != tt.live {
			t.Errorf("after %v: %v, want %v", tt.at, got, tt.want)
		}
	}
	if !v.Steady() {
		t.Error("it works and is not steady")
	}
}

// A keeper is the attendance's: the red root of the directory makes the first plan
// after a second, and lets in who asks.
func TestKeeperOfSimulations(t *testing.T) {
	var k Keeper
	s := Situation{Self: "a", Room: "town", Roots: []string{"a", "b"}, Known: listed("a", "b", "c")}
	if p, at, err := k.Next(epoch, s); p != nil || err != nil || at.Sub(epoch) != foundAfter {
		t.Fatalf("%v, %v, %v", p, at, err)
	}
	p, _, err := k.Next(epoch.Add(foundAfter), s)
	if err != nil || p == nil || p.Len() != 2 {
		t.Fatalf("%v, %v", p, err)
	}
	s.Plan, s.Asking = p, map[string]bool{"b": true, "c": true}
	now := epoch.Add(2 * time.Second)
	if _, at, _ := k.Next(now, s); at.Sub(now) != gather {
		t.Errorf("asked again after %v", at.Sub(now))
	}
	if p, _, err = k.Next(now.Add(gather), s); err != nil || p == nil || !p.Has("c") {
		t.Errorf("%v, %v", p, err)
	}
}
