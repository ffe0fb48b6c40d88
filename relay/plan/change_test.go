package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestNew(t *testing.T) {
	tests := []struct {
		name      string
		room      string
		red, blue Relay
		options   Options
		want      error
	}{
		{"one relay", "r", Relay{"a", "x"}, Relay{}, Options{}, nil},
		{"two relays", "r", Relay{"a", "x"}, Relay{"b", "x"}, Options{}, nil},
		{"two zones", "r", Relay{"a", "x"}, Relay{"b", "y"}, Options{Degree: MaxDegree, Epoch: 9}, nil},
		{"no zones", "r", Relay{Name: "a"}, Relay{Name: "b"}, Options{Degree: MinDegree}, nil},
		{"no room", "", Relay{"a", "x"}, Relay{}, Options{}, ErrName},
		{"no relay", "r", Relay{}, Relay{"b", "x"}, Options{}, ErrName},
		{"a long name", "r", Relay{strings.Repeat("a", MaxName+1), "x"}, Relay{}, Options{}, ErrName},
		{"a long zone", "r", Relay{"a", "x"}, Relay{"b", strings.Repeat("y", MaxName+1)}, Options{}, ErrName},
		{"not UTF-8", "r\xff", Relay{"a", "x"}, Relay{}, Options{}, ErrName},
		{"both the same", "r", Relay{"a", "x"}, Relay{"a", "x"}, Options{}, ErrTwice},
		{"degree too low", "r", Relay{"a", "x"}, Relay{}, Options{Degree: MinDegree - 1}, ErrDegree},
		{"degree too high", "r", Relay{"a", "x"}, Relay{}, Options{Degree: MaxDegree + 1}, ErrDegree},
		{"degree negative", "r", Relay{"a", "x"}, Relay{}, Options{Degree: -1}, ErrDegree},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := New(tt.room, tt.red, tt.blue, tt.options)
			checkErr(t, "New", err, tt.want)
			if err != nil {
				return
			}
			checkPlan(t, p)
			blue := tt.blue.Name
			if blue == "" {
				blue = tt.red.Name
			}
			if r, b := p.Roots(); r != tt.red.Name || b != blue {
				t.Errorf("roots %s, %s", r, b)
			}
			if want := (Version{max(1, tt.options.Epoch), tt.red.Name, 0}); p.Version() != want {
				t.Errorf("version %v, want %v", p.Version(), want)
			}
		})
	}
}

func TestChangesThatAreRefused(t *testing.T) {
	p := grown(t, DefaultDegree, 2, 5)
	red, blue := p.Roots()
	before := fmt.Sprint(p)
	_, _, err := p.Join(Relay{Name: red})
	checkErr(t, "one who is there joins", err, ErrTwice)
	_, _, err = p.Join(Relay{})
	checkErr(t, "nobody joins", err, ErrName)
	_, _, err = p.Join(Relay{"new", "\xff"})
	checkErr(t, "from nowhere", err, ErrName)
	_, _, err = p.Leave("stranger")
	checkErr(t, "a stranger leaves", err, ErrUnknown)
	_, _, err = p.WithRoot(Red, "stranger")
	checkErr(t, "a stranger as root", err, ErrUnknown)
	_, _, err = p.WithRoot(Red, blue)
	checkErr(t, "the blue root as red root", err, ErrOtherRoot)
	if q, moved, err := p.WithRoot(Blue, blue); q != p || moved != nil || err != nil {
		t.Errorf("the root as root: %v, %v", moved, err)
	}
	_, _, err = p.Parents("stranger")
	checkErr(t, "a stranger's parents", err, ErrUnknown)
	_, err = p.Children("stranger", Red)
	checkErr(t, "a stranger's children", err, ErrUnknown)
	if got := fmt.Sprint(p); got != before {
		t.Errorf("the plan was changed: %s, was %s", got, before)
	}
}

func TestAFullRoom(t *testing.T) {
	p := grown(t, DefaultDegree, 4, MaxRelays)
	_, _, err := p.Join(Relay{Name: "one more"})
	checkErr(t, "Join", err, ErrTooBig)
	checkPlan(t, p)
}

// Up to Degree relays, wherever they are, everybody takes from both roots.
func TestSmallRoomsAreStars(t *testing.T) {
	for _, zones := range []int{1, 2, 3, 16} {
		for n := 1; n <= DefaultDegree+1; n++ {
			p := grown(t, DefaultDegree, zones, max(n, 2))
			star := true
			for _, r := range p.Relays() {
				red, blue, _ := p.Parents(r.Name)
				star = star && (red == p.Root(Red) || r.Name == p.Root(Red)) && (blue == p.Root(Blue) || r.Name == p.Root(Blue))
			}
			if star != (n <= DefaultDegree) {
				t.Errorf("%d relays in %d zones: star %t", n, zones, star)
			}
		}
	}
}

// The relay with which a room outgrows the star is the only one that may move
// more than one other.
func TestOutgrowingTheStar(t *testing.T) {
	p := grown(t, DefaultDegree, 3, DefaultDegree)
	q, moved, err := p.Join(Relay{"new", "zone-0"})
	if err != nil || len(moved) < 2 || len(moved) > DefaultDegree+1 || !slices.Contains(moved, "new") {
		t.Fatalf("moved %v, %v", moved, err)
	}
	if back, _, err := q.Leave("new"); err != nil || len(Moved(p, back)) > 0 {
		t.Errorf("and back: %v moved, %v", Moved(p, back), err)
	}
}

// A pair of relays in one zone that ends up with one leaves no relay with both
// roots while there is another.
func TestRootsPartWhenTheirZoneShrinks(t *testing.T) {
	for _, leaver := range Colours {
		p, err := New("r", Relay{"a", "x"}, Relay{"b", "x"}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, _, _ = p.Join(Relay{"c", "y"})
		stays := p.Root(leaver.Other())
		p, _, err = p.Leave(p.Root(leaver))
		if err != nil || p.Root(leaver) != "c" || p.Root(leaver.Other()) != stays {
			t.Errorf("the %v root left: %v, %v", leaver, p, err)
		}
		checkPlan(t, p)
	}
}

// The table of the package comment.
func TestDepthTable(t *testing.T) {
	for _, tt := range []struct{ relays, hops int }{{2, 1}, {16, 1}, {17, 2}, {74, 2}, {75, 3}, {586, 3}, {587, 4}, {MaxRelays, 4}} {
		if got := grown(t, DefaultDegree, 1, tt.relays).Depth(); got != tt.hops {
			t.Errorf("%d relays are %d hops deep, want %d", tt.relays, got, tt.hops)
		}
	}
	// Borders, with one relay to a zone: 7 zones hang below each root.
	for _, tt := range []struct{ zones, hops int }{{17, 2}, {29, 2}, {30, 3}} {
		if got := grown(t, DefaultDegree, tt.zones, tt.zones).Depth(); got != tt.hops {
			t.Errorf("%d zones of one relay are %d hops deep, want %d", tt.zones, got, tt.hops)
		}
	}
}
