package bench

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stentor-audio/stentor/bench/tally"
	"github.com/stentor-audio/stentor/protocol"
)

func TestHistogram(t *testing.T) {
	if got := histogram(nil); got != nil {
		t.Errorf("of nothing: %v", got)
	}
	points := histogram([]int64{0, 5, 1000, 1001, 10_000})
	share := func(ms float64) float64 {
		for i, p := range points[:len(points)-1] {
			if ms >= p.X*(1-1e-9) && ms < points[i+1].X*(1-1e-9) {
				return p.Y
			}
		}
		return -1
	}
	for ms, want := range map[float64]float64{0.01: 40, 1: 40, 1.5: 0, 10: 20} {
		if got := share(ms); got != want {
			t.Errorf("%g ms: %g %%, want %g", ms, got, want)
		}
	}
}

// No delay is forgotten, and the last bin has an end.
func TestHistogramIsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		delays := rapid.SliceOfN(rapid.Int64Range(0, math.MaxUint32), 1, 50).Draw(t, "delays")
		sorted := merge(delays, nil)
		sum := 0.0
		points := histogram(sorted)
		for _, p := range points {
			sum += p.Y
		}
		last := points[len(points)-1]
		if math.Abs(sum-100) > 1e-6 || last.Y != 0 || last.X < float64(sorted[len(sorted)-1])/1000 {
			t.Fatalf("%g %% until %g ms of %v", sum, last.X, sorted)
		}
	})
}

func TestDistribution(t *testing.T) {
	if got := distribution(nil); got != nil {
		t.Errorf("of nothing: %v", got)
	}
	points := distribution([]int64{0, 1000, 2000, 100_000})
	if first, last := points[0], points[len(points)-1]; first.X != leastDelay || last.X != 100 || last.Y != 100 {
		t.Errorf("from %v to %v", first, last)
	}
	for i := 1; i < len(points); i++ {
		if points[i].X < points[i-1].X || points[i].Y <= points[i-1].Y {
			t.Errorf("%v after %v", points[i], points[i-1])
		}
	}
}

// talked is a side of two listeners with slices of so many groups, of which the
// second listener missed one in ten.
func talked(slots int, slices ...int) *side {
	s := &side{slots: slots}
	total := 0
	for i, groups := range slices {
		d := (time.Duration(groups*slots) * 20 * time.Millisecond).Seconds()
		s.slices = append(s.slices, Slice{StartS: float64(10 * i), Groups: groups, DurationS: d, CPUMs: float64(groups), KernelMs: float64(groups) / 4, RSSBytes: 3000})
		total += groups
	}
	s.grid = tally.New(2, total)
	s.grid.Begin(0)
	for g := range uint64(total) {
		s.grid.Record(0, g, time.Millisecond)
		if g%10 != 0 {
			s.grid.Record(1, g, 3*time.Millisecond)
		}
	}
	s.grid.End(uint64(total))
	s.before.RSS = 1000
	return s
}

func TestSeconds(t *testing.T) {
	got := talked(1, 130, 20).seconds()
	want := []second{
		{at: 0.5, gap: true, rate: 95, lost: 5},
		{at: 1.3, rate: 95, lost: 5}, // the rest is longer than half a second
	}
	if len(got) != len(want) && len(got) < 2 {
		t.Fatalf("%d seconds: %+v", len(got), got)
	}
	if s := got[0]; s.at != 0.5 || !s.gap || s.rate != 95 || s.lost != 5 || len(s.delays) != 95 {
		t.Errorf("the first: at %v, gap %v, rate %v, lost %v, %d delays", s.at, s.gap, s.rate, s.lost, len(s.delays))
	}
	for i, s := range got {
		if s.gap != (i == 0) {
			t.Errorf("second %d begins a slice: %v", i, s.gap)
		}
	}
	if len(over(got, func(s second) float64 { return s.rate })) != len(got)+1 {
		t.Error("a slice's line does not begin with a gap")
	}
}

func TestSecondsOfBundles(t *testing.T) {
	got := talked(6, 50).seconds() // 6 s of 8 1/3 bundles a second
	sum := 0
	for _, s := range got {
		sum += len(s.delays)
	}
	if len(got) != 6 || sum != 95 {
		t.Errorf("%d seconds with %d delays", len(got), sum)
	}
}

func TestCount(t *testing.T) {
	s := talked(3, 100)
	s.holes.Store(7)
	want := count{expected: 600, delivered: 190*3 - 7, lost: 30 + 7, datagrams: 190}
	if got := s.count(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestCost(t *testing.T) {
	s := talked(1, 100, 100, 100)
	s.slices[1].CPUMs = 5000 // the machine was busy with something else
	s.slices[2].Samples = []Sample{{RSSBytes: 9000}}
	c := s.cost()
	if want := 1000.0 * 100 / 190; c.perDatagram != want || c.perListenerSecond != 25_000 || c.perListener != 4000 {
		t.Errorf("%+v, want %v µs a datagram", c, want)
	}
}

func TestHoles(t *testing.T) {
	for _, tt := range []struct {
		name    string
		payload []byte
		want    uint64
	}{
		{"whole", protocol.AppendBundle(nil, [][]byte{{1}, {2}, {3}}), 0},
		{"two missing", protocol.AppendBundle(nil, [][]byte{nil, {2}, nil}), 2},
		{"no bundle", []byte{0xff}, 3},
		{"empty", nil, 3},
	} {
		if got := holes(tt.payload, 3); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
