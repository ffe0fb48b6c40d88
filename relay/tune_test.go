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

// What may lie about is a part of the memory, within bounds; where that is not known
// it is little.
func TestJoinHeapOf(t *testing.T) {
	for memory, want := range map[uint64]uint64{0: leastJoinHeap, 1 << 30: leastJoinHeap, 8 << 30: 256 << 20, 1 << 40: mostJoinHeap} {
		if got := joinHeapOf(memory); got != want {
			t.Errorf("of %d: %d, want %d", memory, got, want)
		}
	}
}

// Garbage is collected more seldom from when many come until some time after the
// last of them, and then by the relay, before the runtime would; it may grow by less
// when more of the heap stays.
func TestRelaxed(t *testing.T) {
	const mb = 1 << 20
	x := relaxed{joinHeap: leastJoinHeap}
	for i, step := range []struct {
		joins         int
		heap          heap
		percent       int
		news, collect bool
	}{
		{0, heap{9 * mb, 8 * mb}, gcPercent, false, false},
		{9, heap{900 * mb, 8 * mb}, gcPercent, false, false},
		{10, heap{9 * mb, 36 * mb}, 800, true, false},
		{200, heap{132 * mb, 36 * mb}, 800, false, false},
		{200, heap{133 * mb, 36 * mb}, 800, false, true},
		{200, heap{40 * mb, 40 * mb}, 800, false, false},
		{200, heap{80 * mb, 80 * mb}, 360, true, false},
		{0, heap{80 * mb, 80 * mb}, 360, false, false},
		{0, heap{}, mostPercent, true, false},
		{30, heap{}, mostPercent, false, false},
		{0, heap{}, mostPercent, false, false},
		{0, heap{}, mostPercent, false, false},
		{0, heap{}, mostPercent, false, false},
		{0, heap{}, mostPercent, false, false},
		{0, heap{}, mostPercent, false, false},
		{0, heap{900 * mb, 8 * mb}, gcPercent, true, false},
		{0, heap{}, gcPercent, false, false},
		{50, heap{4 << 30, 4 << 30}, gcPercent, true, false},
	} {
		percent, news, collect := x.look(step.joins, step.heap)
		if percent != step.percent || news != step.news || collect != step.collect {
			t.Errorf("look %d: %d %%, news %v, collect %v; want %+v", i, percent, news, collect, step)
		}
	}
}
