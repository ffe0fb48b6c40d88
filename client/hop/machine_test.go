package hop

import (
	"slices"
	"testing"
	"time"
)

func TestMargin(t *testing.T) {
	tests := []struct {
		name string
		late []float64 // ms, one every 100 ms
		rest float64   // ms without arrivals, then one in time
		want float64
	}{
		{"nothing came", nil, 0, 30},
		{"in time", []float64{0, 0, 0}, 0, 30},
		{"a little late", []float64{0, 20, 5}, 0, 30},
		{"half as much again", []float64{0, 40, 5}, 0, 60},
		{"never more than a delay of 200 ms can bear", []float64{0, 400}, 0, 120},
		{"the first was late", []float64{40, 0, 40}, 0, 60},
		{"still known after 5 s", []float64{0, 40}, 6000, 60},
		{"forgotten after 10 s", []float64{0, 40}, 11000, 30},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var a arrivals
			now := time.Duration(0)
			for _, late := range tt.late {
				a.observe(now, time.Hour+dur(late), false)
				now += 100 * time.Millisecond
			}
			if tt.rest > 0 {
				a.observe(now+dur(tt.rest), time.Hour, false)
			}
			if got := a.margin(); got != dur(tt.want) {
				t.Errorf("margin = %v, want %v ms", got, tt.want)
			}
		})
	}
}

func TestSameRelay(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"https://a.example:443/hall", "https://A.example/other?jwt=x", true},
		{"moqt://a.example:4443", "https://a.example:4443/", true},
		{"https://[::1]:4443", "https://[::1]:4443/r", true},
		{"https://a.example:4443", "https://a.example:4444", false},
		{"https://a.example", "https://a.example.evil", false},
		{"https://a.example", "https://a.example@evil", false},
		{"", "", false},
		{"::", "::", false},
		{"a.example:4443", "a.example:4443", false},
	}
	for _, tt := range tests {
		b := book{}
		b.list([]Candidate{{Name: "a", URL: tt.a}, {Name: "b", URL: tt.b}}, 0)
		if got := len(b.entries) == 1; got != tt.want {
			t.Errorf("%q and %q are one relay: %v", tt.a, tt.b, got)
		}
	}
}

// listening is a machine with a primary and a standby, to which a group has come.
func listening(t testing.TB) *Machine {
	m := New(Options{})
	for i, e := range []Event{
		{Kind: Candidates, Candidates: []Candidate{{Name: "a", URL: "https://a"}, {Name: "b", URL: "https://b"}}},
		{Kind: Dialled, Session: 1, Ticks: true},
		{Kind: Announced, Session: 1, Track: 1},
		{Kind: Now},
		{Kind: Dialled, Session: 2, Ticks: true},
		{Kind: Announced, Session: 2, Track: 1},
		{Kind: Arrived, Session: 1, Track: 1, Frames: 3},
	} {
		m.Step(dur(float64([]int{0, 40, 45, 290, 330, 335, 340}[i])), e)
	}
	if _, _, ok := m.Standby(); !ok {
		t.Fatal("no standby")
	}
	return m
}

// A track that is withheld is no reason to try the standby, and goes on by itself.
func TestWithheldTrackRests(t *testing.T) {
	run := func(m *Machine, from, until time.Duration) (subscribed int) {
		for now := from; now < until; now += 10 * time.Millisecond {
			effects := m.Step(now, Event{})
			if now%(200*time.Millisecond) == 0 { // the line is alive
				effects = append(slices.Clone(effects), m.Step(now, Event{Kind: Ticked, Session: 1})...)
			}
			for _, e := range effects {
				if e.Kind == Subscribe && e.Session == 2 {
					subscribed++
				}
			}
		}
		return subscribed
	}
	const second = time.Second
	if n := run(listening(t), 340*time.Millisecond, 5*second); n == 0 {
		t.Fatal("a track that falls silent is not tried elsewhere: the test tests nothing")
	}
	m := listening(t)
	m.Step(340*time.Millisecond, Event{Kind: Withheld, Track: 1})
	m.Step(340*time.Millisecond, Event{Kind: Withheld, Track: 99}) // of which nothing is known
	m.Step(340*time.Millisecond, Event{Kind: Withheld})
	if n := run(m, 340*time.Millisecond, 30*second); n != 0 {
		t.Errorf("tried elsewhere %d times", n)
	}
	m.Step(30*second, Event{Kind: Arrived, Session: 1, Track: 1, Frames: 3, Sequence: 300, Timestamp: 30 * second})
	if m.track(1).state != talking {
		t.Error("it does not go on")
	}
	// Told while it is being tried: that ends.
	late := listening(t)
	if n := run(late, 340*time.Millisecond, 500*time.Millisecond); n != 1 || late.track(1).state != alarmed {
		t.Fatalf("tried %d times, state %d", n, late.track(1).state)
	}
	ended := false
	for _, e := range late.Step(500*time.Millisecond, Event{Kind: Withheld, Track: 1}) {
		ended = ended || e.Kind == Unsubscribe && e.Session == 2 && e.Track == 1
	}
	if n := run(late, 500*time.Millisecond, 20*second); !ended || n != 0 {
		t.Errorf("the trial ended: %v, and %d more began", ended, n)
	}
}

func TestGroupCostsNoAllocation(t *testing.T) {
	m := listening(t)
	now, e := m.now, Event{Kind: Arrived, Session: 1, Track: 1, Frames: 3}
	effects := 0
	got := testing.AllocsPerRun(1000, func() {
		now += 60 * time.Millisecond
		e.Sequence += 3
		e.Timestamp += 60 * time.Millisecond
		if at, ok := m.Deadline(); ok && at <= now {
			effects += len(m.Step(at, Event{}))
		}
		effects += len(m.Step(now, e))
	})
	if got != 0 || effects != 0 {
		t.Errorf("%v allocations a group, %d effects", got, effects)
	}
}

// What is remembered of tracks is bounded, and those that are there stay.
func TestManyTracks(t *testing.T) {
	m := listening(t)
	for id := range Track(10_000) {
		m.Step(m.now, Event{Kind: Announced, Session: 1, Track: 2 + id})
		m.Step(m.now, Event{Kind: Ended, Session: 1, Track: 2 + id})
	}
	if len(m.tracks) > maxTracks || m.track(1) == nil {
		t.Errorf("%d tracks, the first one is %v", len(m.tracks), m.track(1))
	}
}

func BenchmarkGroup(b *testing.B) {
	m := listening(b)
	now, e := m.now, Event{Kind: Arrived, Session: 1, Track: 1, Frames: 3}
	b.ReportAllocs()
	for b.Loop() {
		now += 60 * time.Millisecond
		e.Sequence += 3
		e.Timestamp += 60 * time.Millisecond
		m.Step(now, e)
	}
}
