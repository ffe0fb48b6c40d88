package plan

import (
	"slices"
	"testing"
)

// In order, oldest first.
var versions = []Version{
	{1, "paris", 0},
	{1, "paris", 1},
	{1, "paris", 900},
	{1, "tokyo", 0}, // another who also began: all its plans are newer than paris's
	{1, "tokyo", 3},
	{2, "milan", 0},
	{2, "milan", 1},
	{3, "paris", 0},
	{1 << 40, "lyon", 0},
}

func TestVersionsAreInOneOrder(t *testing.T) {
	for i, v := range versions {
		for j, w := range versions {
			if got := v.Newer(w); got != (i > j) {
				t.Errorf("%v newer than %v: %t", v, w, got)
			}
			if got := v.Compare(w); (got > 0) != (i > j) || (got < 0) != (i < j) {
				t.Errorf("%v compared with %v: %d", v, w, got)
			}
		}
	}
}

func TestReplaces(t *testing.T) {
	first := grown(t, DefaultDegree, 1, 3)
	second, _, err := first.Join(Relay{Name: "later"})
	if err != nil {
		t.Fatal(err)
	}
	taken, _, err := first.TakeOver("relay-0001")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		plan, had *Plan
		room      string
		want      error
	}{
		{"nothing held", first, nil, "town-hall", nil},
		{"nothing held, another room", first, nil, "lobby", ErrRoom},
		{"the next", second, first, "town-hall", nil},
		{"the next, another room", second, first, "lobby", ErrRoom},
		{"the same again", first, first, "town-hall", ErrOld},
		{"the one before", first, second, "town-hall", ErrOld},
		{"a takeover of an older plan", taken, second, "town-hall", nil},
		{"from a keeper that was taken over from", second, taken, "town-hall", ErrOld},
	}
	for _, tt := range tests {
		checkErr(t, tt.name, tt.plan.Replaces(tt.had, tt.room), tt.want)
	}
}

func TestTakeOver(t *testing.T) {
	for _, zones := range []int{1, 2, 5} {
		p := grown(t, 6, zones, 60)
		red, blue := p.Roots()
		q, moved, err := p.TakeOver(blue, red)
		if err != nil {
			t.Fatal(err)
		}
		if want := (Version{2, blue, 0}); q.Version() != want {
			t.Errorf("%d zones: version %v, want %v", zones, q.Version(), want)
		}
		// One tree moves: in blue only the relay that is in another place.
		var both []string
		for _, name := range moved {
			_, was, _ := p.Parents(name)
			_, now, _ := q.Parents(name)
			if was != now {
				both = append(both, name)
			}
		}
		if len(both) > 1 || len(both) == 1 && both[0] != q.Root(Red) {
			t.Errorf("%d zones: %v moved in blue, too", zones, both)
		}
	}
}

func TestTakeOverRefuses(t *testing.T) {
	p := grown(t, DefaultDegree, 2, 9)
	red, blue := p.Roots()
	_, _, err := p.TakeOver("stranger", red)
	checkErr(t, "a stranger", err, ErrUnknown)
	_, _, err = p.TakeOver(blue, red, blue)
	checkErr(t, "one who is dead", err, ErrUnknown)
	q, moved, err := p.TakeOver(blue, "stranger")
	if err != nil || len(moved) > 0 || q.Len() != p.Len() {
		t.Errorf("a stranger is dead: %v moved, %v", moved, err)
	}
	if q, _, err = p.TakeOver("relay-0005", red, blue); err != nil {
		t.Fatal(err)
	}
	checkPlan(t, q)
	if q.Has(red) || q.Has(blue) || q.Version() != (Version{2, "relay-0005", 0}) {
		t.Errorf("both roots are dead: %v", q.Version())
	}
}

func TestBothSidesOfASplitEndWithOnePlan(t *testing.T) {
	p := grown(t, DefaultDegree, 2, 20)
	red, blue := p.Roots()
	ours := p // the red root's side loses sight of the other zone
	for _, r := range p.Relays() {
		if r.Zone != "zone-0" {
			ours, _, _ = ours.Leave(r.Name)
		}
	}
	theirs, _, err := p.TakeOver(blue, red)
	if err != nil {
		t.Fatal(err)
	}
	checkErr(t, "the red root hears the other side", theirs.Replaces(ours, "town-hall"), nil)
	checkErr(t, "the blue root hears the other side", ours.Replaces(theirs, "town-hall"), ErrOld)
	if slices.ContainsFunc(theirs.Relays(), func(r Relay) bool { return r.Name == red }) {
		t.Errorf("%s is in the plan that goes on; it has to join again", red)
	}
}
