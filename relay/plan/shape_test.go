package plan

import (
	"slices"
	"testing"
)

// Every shape in use, for arrays of any size: parents come first, nobody has
// more children than places, nobody has children on both sides, and children is
// the inverse of parent.
func TestShapes(t *testing.T) {
	for degree := MinDegree; degree <= MaxDegree; degree++ {
		p := &Plan{degree: degree}
		for _, s := range []shape{p.local(), p.trunk()} {
			for n := 1; n < 4*degree*degree; n += 1 + n/7 {
				checkShape(t, s, n)
			}
		}
	}
}

func checkShape(t *testing.T, s shape, n int) {
	t.Helper()
	for side := range 2 {
		children := make([][]int, n)
		for i := range n {
			up := s.parent(i, side, n)
			switch {
			case up < 0:
				if i != side && n > 1 {
					t.Fatalf("%+v, %d entries: %d is a root of side %d", s, n, i, side)
				}
				continue
			case up >= n, up >= i && (i != 0 || up != 1):
				t.Fatalf("%+v, %d entries: the parent of %d on side %d is %d", s, n, i, side, up)
			case up%2 != side:
				t.Fatalf("%+v, %d entries: %d is a parent on side %d", s, n, up, side)
			}
			children[up] = append(children[up], i)
		}
		for i, want := range children {
			got := s.children(nil, i, side, n)
			if !slices.Equal(got, want) {
				t.Fatalf("%+v, %d entries: children of %d on side %d are %v, parents say %v", s, n, i, side, got, want)
			}
			if most := s.rest; len(got) > most || i < 2 && len(got) > s.first {
				t.Fatalf("%+v, %d entries: %d has %d children", s, n, i, len(got))
			}
		}
	}
}

// entryDepth is how deep entry i of n is on the side where it is deeper.
func entryDepth(s shape, i, n int) int {
	deeper := 0
	for side := range 2 {
		d := 0
		for j := s.parent(i, side, n); j >= 0; j = s.parent(j, side, n) {
			d++
		}
		deeper = max(deeper, d)
	}
	return deeper
}

// logCeil is ⌈log_base n⌉.
func logCeil(n, base int) int {
	log := 0
	for m := 1; m < n; m *= base {
		log++
	}
	return log
}

// Every size of a zone up to MaxRelays: no deeper than ⌈log_D n⌉ + 1 for degrees
// from DefaultDegree on, nor than ⌈log_{D/2} n⌉ + 1 for any. The
// last two entries are as deep as any before them.
func TestDepthOfAZone(t *testing.T) {
	for degree := MinDegree; degree <= MaxDegree; degree++ {
		s := (&Plan{degree: degree}).local()
		for n := 1; n <= MaxRelays; n++ {
			d := max(entryDepth(s, n-1, n), entryDepth(s, max(n-2, 0), n))
			if bound := logCeil(n, degree) + 1; degree >= DefaultDegree && d > bound {
				t.Fatalf("degree %d: %d relays are %d deep, want at most %d", degree, n, d, bound)
			}
			if bound := logCeil(n, degree/2) + 1; d > bound {
				t.Fatalf("degree %d: %d relays are %d deep, want at most %d", degree, n, d, bound)
			}
		}
	}
}
