package plan

import (
	"slices"
	"testing"
)

// Degree 6 has 3 places at a root, so 2 feeds 4 to 9 in red and 3 feeds them in
// blue; 4 feeds 10 to 15 in red.
func TestWant(t *testing.T) {
	p := grown(t, 6, 1, 20)
	name := func(i int) string { return p.zones[0].relays[i] }
	tests := []struct {
		name      string
		self      string
		out       []int // who will not do, in either colour
		red, blue int   // -1: nobody
		root      [2]bool
		ask       bool
	}{
		{"as planned", name(12), nil, 4, 5, [2]bool{}, false},
		{"the red root", name(0), nil, -1, 1, [2]bool{true, false}, false},
		{"the blue root", name(1), nil, 0, -1, [2]bool{false, true}, false},
		{"a parent will not do: its own", name(12), []int{4}, 2, 5, [2]bool{}, true},
		{"nor its own: the root", name(12), []int{4, 2}, 0, 5, [2]bool{}, true},
		{"nor the root: nobody", name(12), []int{4, 2, 0}, -1, 5, [2]bool{}, true},
		{"others do not matter", name(12), []int{6, 13, 19}, 4, 5, [2]bool{}, false},
		{"a root's parent will not do", name(0), []int{1}, -1, -1, [2]bool{true, false}, true},
		{"not in the plan", "new", nil, 0, 1, [2]bool{}, true},
		{"not in the plan, a root will not do", "new", []int{0}, -1, 1, [2]bool{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := p.Want(tt.self, func(relay string, _ Colour) bool {
				return !slices.ContainsFunc(tt.out, func(i int) bool { return name(i) == relay })
			})
			want := Want{Root: tt.root, Ask: tt.ask}
			for c, i := range []int{tt.red, tt.blue} {
				if i >= 0 {
					want.Parents[c] = name(i)
				}
			}
			if got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}
