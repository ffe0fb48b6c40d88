package event

import (
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
)

// lose is what becomes of so many relays of small when the first zone dies.
func lose(t *testing.T, o Options, relays int) *Loss {
	t.Helper()
	o.Relays = relays
	r, err := Make(o)
	if err != nil {
		t.Fatal(err)
	}
	return r.ZoneLoss
}

func TestLoseZone(t *testing.T) {
	o := small(t)
	o.Listeners, o.Zones = 5000, 3
	l := lose(t, o, 10) // 4, 3 and 3; 500 listeners each
	if l.Zone != "zone-1" || l.Relays != 4 || l.Listeners != 2000 {
		t.Errorf("%+v", l)
	}
	if len(l.To) != 2 || l.To[0] != (Share{"zone-2", 3, 1000}) || l.To[1] != (Share{"zone-3", 3, 1000}) {
		t.Errorf("they go to %+v", l.To)
	}
	// (500 × 500 + 16,000) / 850,000, and 5,000 / 6 instead of 500.
	if int(l.Before*10) != 312 || int(l.After*10) != 509 || l.Of != "cpu" || !l.Carried || l.Short != 0 {
		t.Errorf("%+v", l)
	}
	// docs/hops.md: overdue at 60 and 30, 72 more in the worst hop that was
	// measured, and due at 220.
	if !l.Warm || l.Gap != 0 || l.Again != Time(162*time.Millisecond) {
		t.Errorf("%+v", l)
	}
	if l.NoFeed != 0 || l.BothFeeds+l.OneFeed != 6 || l.Depth != 1 {
		t.Errorf("%+v", l)
	}
	if l.Standbys != 4000 || l.Restored <= 0 {
		t.Errorf("%d standbys within %v", l.Standbys, l.Restored)
	}
}

func TestLoseZoneSlowly(t *testing.T) {
	o := small(t)
	o.Listeners = 1000
	var err error
	// A hop that takes 150 ms is 20 ms late: 60 + 30 + 150 - 220.
	if o.Constants, err = o.Constants.With(cost.Hop99, 150, "a test"); err != nil {
		t.Fatal(err)
	}
	if l := lose(t, o, 4); l.Gap != Time(20*time.Millisecond) {
		t.Errorf("a gap of %v", l.Gap)
	}
	// Jitter of 60 ms is a margin of 90.
	if o.Constants, err = o.Constants.With(cost.Jitter, 60, "a test"); err != nil {
		t.Fatal(err)
	}
	if l := lose(t, o, 4); l.Gap != Time(80*time.Millisecond) {
		t.Errorf("a gap of %v", l.Gap)
	}
	// Packets of 120 ms are played 320 ms behind: 120 + 90 + 150 - 340.
	o.Packet = 120 * time.Millisecond
	if l := lose(t, o, 4); l.Gap != Time(20*time.Millisecond) {
		t.Errorf("a gap of %v", l.Gap)
	}
}

// From 70 % on there are no standbys to hop to.
func TestLoseZoneWithoutStandbys(t *testing.T) {
	o := small(t)
	o.Listeners, o.Zones = 4800, 3
	// 1,200 a relay: 72 %. Silent at 230, given up at 430; three round trips of 40
	// ms and 69 for the relay make 619, and it was due at 220.
	l := lose(t, o, 4)
	if l.Warm || l.Gap < Time(400*time.Millisecond) || l.Standbys != 0 {
		t.Errorf("%+v", l)
	}
	if l.Again == Never {
		return
	}
	if l.Again < Time(430*time.Millisecond) || l.Gap < l.Again {
		t.Errorf("%+v", l)
	}
}

// Relays that have become busy ask clients to do without standbys.
func TestLoseZoneAndStandbys(t *testing.T) {
	o := small(t)
	o.Listeners, o.Zones = 3000, 3
	l := lose(t, o, 4) // 750 before; 2 are left, 1,500 each: 90 %
	if !l.Warm || l.Gap != 0 || l.Standbys != 0 || !strings.Contains(strings.Join(l.Shown, "\n"), "without a standby") {
		t.Errorf("%+v", l)
	}
}

func TestOneZone(t *testing.T) {
	o := small(t)
	o.Zones = 1
	r, err := Make(o)
	if err != nil {
		t.Fatal(err)
	}
	if r.ZoneLoss != nil || len(r.Zones) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestFrames(t *testing.T) {
	ms := time.Millisecond
	for gap, want := range map[time.Duration]time.Duration{-50 * ms: 0, 0: 0, 1: 20 * ms, 20 * ms: 20 * ms, 21 * ms: 40 * ms} {
		if got := frames(gap); got != Time(want) {
			t.Errorf("%v: %v, want %v", gap, got, want)
		}
	}
}
