package hop

import (
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
		if got := sameHost(tt.a, tt.b); got != tt.want {
			t.Errorf("sameHost(%q, %q) = %v", tt.a, tt.b, got)
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
