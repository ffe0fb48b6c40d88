package event

import (
	"testing"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay/plan"
)

func TestTree(t *testing.T) {
	tests := []struct {
		name          string
		relays, zones int
		degree        int
		want          Tree
	}{
		{"two", 2, 1, 0, Tree{Relays: 2, Depth: 1, Degree: 1}},
		{"two, apart", 2, 2, 0, Tree{Relays: 2, Depth: 1, Degree: 1, Crossings: 2}},
		// A star: each root feeds the 15 others.
		{"a star", 16, 1, 0, Tree{Relays: 16, Depth: 1, Degree: 15}},
		// In two zones of 8, each root crosses to the 8 of the other one.
		{"a star over two zones", 16, 2, 0, Tree{Relays: 16, Depth: 1, Degree: 15, Crossings: 16}},
		// The package comment of relay/plan: 74 relays of a zone in two hops.
		{"two hops", 74, 1, 0, Tree{Relays: 74, Depth: 2, Degree: 16}},
		{"three hops", 75, 1, 0, Tree{Relays: 75, Depth: 3, Degree: 16}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := arrange(fleet(tt.relays, tt.zones), tt.degree)
			if err != nil {
				t.Fatal(err)
			}
			if got := treeOf(p); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// Beyond the star a room crosses into each zone once a colour.
func TestCrossings(t *testing.T) {
	p, err := arrange(fleet(60, 3), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := treeOf(p); got.Crossings != 4 {
		t.Errorf("%+v: two trees, each into two zones", got)
	}
}

// The roots of the whole room are in two zones, so no zone takes both trees.
func TestWithout(t *testing.T) {
	for _, relays := range []int{2, 3, 6, 16, 17, 60, 300} {
		for zones := 2; zones <= 6; zones++ {
			if relays < zones {
				continue
			}
			p, err := arrange(fleet(relays, zones), 0)
			if err != nil {
				t.Fatal(err)
			}
			for i := range zones {
				c := without(p, zoneName(i))
				if got, want := c.both+c.one+c.none, relays-inZone(relays, zones, i); got != want {
					t.Errorf("%d relays in %d zones: %d are left, want %d", relays, zones, got, want)
				}
				if c.none != 0 {
					t.Errorf("%d relays in %d zones: without %s %d hear nothing", relays, zones, zoneName(i), c.none)
				}
			}
			if c := without(p, "elsewhere"); c.both != relays {
				t.Errorf("without nobody: %+v", c)
			}
		}
	}
}

// A plan made by hand, both roots in one zone: that one takes everything with it.
func TestWithoutBothRoots(t *testing.T) {
	p, err := plan.New("r", plan.Relay{Name: "a", Zone: "x"}, plan.Relay{Name: "b", Zone: "x"}, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p, _, err = p.Join(plan.Relay{Name: "c", Zone: "y"}); err != nil {
		t.Fatal(err)
	}
	if got := without(p, "x"); got != (cut{none: 1}) {
		t.Errorf("%+v", got)
	}
}

func TestFleet(t *testing.T) {
	count := make(map[string]int)
	names := make(map[string]bool)
	for _, r := range fleet(11, 3) {
		count[r.Zone]++
		names[r.Name] = true
		if r.State != membership.Ready {
			t.Errorf("%s is %v", r.Name, r.State)
		}
	}
	for i, want := range []int{4, 4, 3} {
		if count[zoneName(i)] != want || inZone(11, 3, i) != want {
			t.Errorf("%s has %d relays, inZone says %d, want %d", zoneName(i), count[zoneName(i)], inZone(11, 3, i), want)
		}
	}
	if len(names) != 11 {
		t.Errorf("%d names", len(names))
	}
}
