package plan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stentor-audio/stentor/relay/plan"
)

// Ten relays in two zones, with a degree so small that they are no star.
func ExamplePlan_Tree() {
	p, err := plan.New("town-hall", plan.Relay{Name: "lyon-0", Zone: "lyon"}, plan.Relay{Name: "oslo-0", Zone: "oslo"}, plan.Options{Degree: 6})
	for i := 1; i < 5 && err == nil; i++ {
		p, _, err = p.Join(plan.Relay{Name: fmt.Sprint("lyon-", i), Zone: "lyon"})
		if err == nil {
			p, _, err = p.Join(plan.Relay{Name: fmt.Sprint("oslo-", i), Zone: "oslo"})
		}
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range plan.Colours {
		fmt.Println(c)
		for _, n := range p.Tree(c) {
			fmt.Println(strings.Repeat("  ", n.Depth) + n.Relay)
		}
	}
	// Output:
	// red
	// lyon-0
	//   lyon-1
	//   lyon-2
	//     lyon-4
	//   lyon-3
	//   oslo-1
	//     oslo-0
	//     oslo-2
	//     oslo-3
	//       oslo-4
	// blue
	// oslo-0
	//   lyon-1
	//     lyon-0
	//     lyon-2
	//     lyon-3
	//       lyon-4
	//   oslo-1
	//   oslo-2
	//     oslo-4
	//   oslo-3
}

// The drawing of the package comment, and what it says of the death of 2.
func TestTheDrawing(t *testing.T) {
	p, err := plan.New("r", plan.Relay{Name: "0", Zone: "x"}, plan.Relay{Name: "1", Zone: "x"}, plan.Options{Degree: 6})
	for _, name := range strings.Fields("2 3 4 5 6 7 8 9 a b c") {
		zone := "x"
		if name >= "a" {
			zone = "y"
		}
		if err == nil {
			p, _, err = p.Join(plan.Relay{Name: name, Zone: zone})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	want := [2]map[string]string{
		{"0": "1 2 3 a", "2": "4 5 6 7 8 9", "a": "b c"},
		{"1": "0 2 3 b", "3": "4 5 6 7 8 9", "b": "a c"},
	}
	for _, c := range plan.Colours {
		for _, n := range p.Tree(c) {
			if got := strings.Join(n.Children, " "); got != want[c][n.Relay] {
				t.Errorf("%s feeds %q in %v, want %q", n.Relay, got, c, want[c][n.Relay])
			}
		}
	}
	q, moved, err := p.Leave("2")
	if got := strings.Join(moved, " "); err != nil || got != "9 4 5 6 7 8" {
		t.Errorf("without 2, %s moved, %v", got, err)
	}
	if red, blue, err := q.Parents("9"); red != "0" || blue != "1" || err != nil {
		t.Errorf("9 takes from %s and %s, %v", red, blue, err)
	}
}

func TestNodesAsJSON(t *testing.T) {
	p, err := plan.New("r", plan.Relay{Name: "a", Zone: "x"}, plan.Relay{Name: "b", Zone: "y"}, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(p.Tree(plan.Blue))
	want := `[{"relay":"b","zone":"y","depth":0,"children":["a"]},` +
		`{"relay":"a","zone":"x","depth":1,"parent":"b","children":[],"borders":1}]`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

func TestBelow(t *testing.T) {
	p, err := plan.New("r", plan.Relay{Name: "0"}, plan.Relay{Name: "1"}, plan.Options{Degree: 6})
	for i := 2; i < 20 && err == nil; i++ {
		p, _, err = p.Join(plan.Relay{Name: fmt.Sprint(i)})
	}
	if err != nil {
		t.Fatal(err)
	}
	// Degree 6 has 3 places at a root: 2 feeds 4 to 9, in red, and 3 in blue.
	tests := []struct {
		relay, top string
		red, blue  bool
	}{
		{"4", "2", true, false},
		{"4", "3", false, true},
		{"4", "0", true, false},
		{"19", "1", false, true},
		{"0", "1", false, true},
		{"1", "0", true, false},
		{"2", "4", false, false},
		{"2", "2", false, false},
		{"stranger", "0", false, false},
		{"4", "stranger", false, false},
	}
	for _, tt := range tests {
		if red, blue := p.Below(tt.relay, tt.top, plan.Red), p.Below(tt.relay, tt.top, plan.Blue); red != tt.red || blue != tt.blue {
			t.Errorf("%s below %s: %t, %t, want %t, %t", tt.relay, tt.top, red, blue, tt.red, tt.blue)
		}
	}
}
