package relay

import (
	"slices"
	"testing"
)

func TestWaveIsOver(t *testing.T) {
	for _, c := range []struct {
		name     string
		sessions []int // a second apart
		trims    []int // at which of them
	}{
		{"nobody", []int{0, 0, 0}, nil},
		{"too few to matter", []int{0, 40, 49, 49, 49}, nil},
		{"once after a wave", []int{0, 200, 400, 600, 600, 600, 600}, []int{4}},
		{"still growing a little", []int{0, 1000, 2000, 2010, 2020}, []int{3}},
		{"creeping up", []int{600, 600, 601, 660, 668, 669}, []int{1, 4}},
		{"a second wave", []int{600, 600, 900, 900}, []int{1, 3}},
		{"the same wave again", []int{600, 600, 100, 100, 600, 600}, []int{1, 5}},
		{"leaving", []int{600, 600, 300, 300, 300}, []int{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w wave
			var trims []int
			for i, n := range c.sessions {
				if w.over(n) {
					trims = append(trims, i)
				}
			}
			if !slices.Equal(trims, c.trims) {
				t.Errorf("trimmed at %v, want %v", trims, c.trims)
			}
		})
	}
}

// Garbage is collected more seldom from when many come until some time after the
// last of them.
func TestRelaxed(t *testing.T) {
	var x relaxed
	for i, step := range []struct {
		joins   int
		live    uint64
		percent int
		news    bool
	}{
		{0, 8 << 20, gcPercent, false},
		{9, 8 << 20, gcPercent, false},
		{10, 8 << 20, 600, true},
		{200, 8 << 20, 600, false},
		{0, 8 << 20, 600, false},
		{0, 8 << 20, 600, false},
		{30, 8 << 20, 600, false},
		{0, 8 << 20, 600, false},
		{0, 8 << 20, 600, false},
		{0, 8 << 20, 600, false},
		{0, 8 << 20, 600, false},
		{0, 8 << 20, 600, false},
		{0, 8 << 20, gcPercent, true},
		{0, 8 << 20, gcPercent, false},
		{50, 0, mostPercent, true},
		{50, 4 << 30, gcPercent, false},
	} {
		if percent, news := x.look(step.joins, step.live); percent != step.percent || news != step.news {
			t.Errorf("look %d: %d %%, news %v; want %d %%, %v", i, percent, news, step.percent, step.news)
		}
	}
}
