package tally

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRecord(t *testing.T) {
	type arrival struct {
		listener int
		sequence uint64
		delay    time.Duration
		first    bool
	}
	tests := []struct {
		name       string
		begin      bool
		arrivals   []arrival
		end        uint64
		groups     int
		delivered  uint64
		duplicates uint64
		delays     []int64
	}{
		{name: "before it began nothing counts", arrivals: []arrival{{0, 10, 5, false}}, end: 11},
		{
			name: "what is before, in and behind the time", begin: true,
			arrivals: []arrival{
				{0, 9, time.Millisecond, false},
				{0, 10, 2 * time.Millisecond, true},
				{1, 12, time.Millisecond, true},
				{1, 13, time.Millisecond, false},
				{1, math.MaxUint64, time.Millisecond, false},
			},
			end: 13, groups: 3, delivered: 2, delays: []int64{1000, 2000},
		},
		{
			name: "a second copy is a duplicate, and the first one's delay stays", begin: true,
			arrivals: []arrival{{0, 10, 3 * time.Microsecond, true}, {0, 10, time.Microsecond, false}, {1, 10, 4 * time.Microsecond, true}},
			end:      12, groups: 2, delivered: 2, duplicates: 1, delays: []int64{3, 4},
		},
		{
			name: "delays that no cell can hold are bounded", begin: true,
			arrivals: []arrival{{0, 10, -time.Second, true}, {1, 10, math.MaxInt64, true}},
			end:      11, groups: 1, delivered: 2, delays: []int64{0, math.MaxUint32 - 1},
		},
		{
			name: "a group that came although it was never sent is not among the groups", begin: true,
			arrivals: []arrival{{0, 11, time.Millisecond, true}},
			end:      11, groups: 1, delivered: 1,
		},
		{name: "an end before the beginning", begin: true, end: 3},
		{name: "an end behind the grid", begin: true, end: 99, groups: 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := New(2, 3)
			if tt.begin {
				g.Begin(10)
			}
			for _, a := range tt.arrivals {
				if got := g.Record(a.listener, a.sequence, a.delay); got != a.first {
					t.Errorf("Record(%d, %d) = %v, want %v", a.listener, a.sequence, got, a.first)
				}
			}
			g.End(tt.end)
			if g.Groups() != tt.groups || g.Delivered() != tt.delivered || g.Duplicates() != tt.duplicates {
				t.Errorf("groups %d, delivered %d, duplicates %d; want %d, %d, %d",
					g.Groups(), g.Delivered(), g.Duplicates(), tt.groups, tt.delivered, tt.duplicates)
			}
			if got := g.Delays(0, g.Groups()); !slices.Equal(got, tt.delays) {
				t.Errorf("delays %v, want %v", got, tt.delays)
			}
		})
	}
}

func TestColumn(t *testing.T) {
	g := New(1, 3)
	if _, ok := g.Column(0); ok {
		t.Error("a grid that has not begun has a column")
	}
	g.Begin(0)
	for sequence, want := range map[uint64]int{0: 0, 2: 2} {
		if got, ok := g.Column(sequence); !ok || got != want {
			t.Errorf("column of %d is %d, %v", sequence, got, ok)
		}
	}
	if _, ok := g.Column(3); ok {
		t.Error("a column behind the last")
	}
}

func TestDelay(t *testing.T) {
	g := New(1, 2)
	g.Begin(7)
	g.Record(0, 7, 0)
	if d, ok := g.Delay(0, 0); !ok || d != 0 {
		t.Errorf("a delay of nothing is %v, %v", d, ok)
	}
	if d, ok := g.Delay(0, 1); ok || d != 0 {
		t.Errorf("nothing that came is %v, %v", d, ok)
	}
}

func TestListenersRecordAtOnce(t *testing.T) {
	const listeners, groups = 8, 500
	g := New(listeners, groups)
	g.Begin(100)
	var all sync.WaitGroup
	for l := range listeners {
		all.Go(func() {
			for i := range groups {
				g.Record(l, 100+uint64(i), time.Duration(i)*time.Microsecond)
			}
		})
	}
	all.Wait()
	g.End(100 + groups)
	if got := g.Delivered(); got != listeners*groups || g.Filled(0, groups) != listeners*groups {
		t.Errorf("delivered %d, filled %d", got, g.Filled(0, groups))
	}
}

// Whatever comes, in whatever order, the counts of a part and of its rest are
// those of the whole.
func TestPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		listeners, groups := rapid.IntRange(1, 5).Draw(t, "listeners"), rapid.IntRange(1, 20).Draw(t, "groups")
		first := rapid.Uint64Range(0, 1000).Draw(t, "first")
		g := New(listeners, groups)
		g.Begin(first)
		seen := make(map[[2]uint64]bool)
		sent := rapid.IntRange(0, groups).Draw(t, "sent")
		for range rapid.IntRange(0, 60).Draw(t, "arrivals") {
			if sent == 0 {
				break
			}
			l := rapid.IntRange(0, listeners-1).Draw(t, "listener")
			s := first + uint64(rapid.IntRange(0, sent-1).Draw(t, "group"))
			if g.Record(l, s, time.Millisecond) == seen[[2]uint64{uint64(l), s}] {
				t.Fatalf("Record(%d, %d) does not tell a first copy from a second", l, s)
			}
			seen[[2]uint64{uint64(l), s}] = true
		}
		g.End(first + uint64(sent))
		cut := rapid.IntRange(-1, groups+1).Draw(t, "cut")
		if g.Filled(0, cut)+g.Filled(cut, groups) != len(seen) || int(g.Delivered()) != len(seen) {
			t.Fatalf("filled %d + %d, want %d", g.Filled(0, cut), g.Filled(cut, groups), len(seen))
		}
		if g.Expected(0, cut)+g.Expected(cut, groups) != listeners*sent {
			t.Fatalf("expected %d + %d, want %d", g.Expected(0, cut), g.Expected(cut, groups), listeners*sent)
		}
		if len(g.Delays(0, cut)) != g.Filled(0, cut) {
			t.Fatalf("%d delays of %d cells", len(g.Delays(0, cut)), g.Filled(0, cut))
		}
	})
}
