package placement

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/stentor-audio/stentor/membership"
)

func TestRoots(t *testing.T) {
	r := func(name, zone string, s membership.State) membership.Relay {
		return membership.Relay{Name: name, Zone: zone, State: s}
	}
	const ok, drains, starts = membership.Ready, membership.Draining, membership.Starting
	tests := []struct {
		name   string
		relays []membership.Relay
		want   [][2]string // one of these
	}{
		{"nobody", nil, [][2]string{{"", ""}}},
		{"one", []membership.Relay{r("a", "x", ok)}, [][2]string{{"a", ""}}},
		{"two in a zone", []membership.Relay{r("a", "x", ok), r("b", "x", ok)}, [][2]string{{"a", "b"}, {"b", "a"}}},
		{"three, one in another zone", []membership.Relay{r("a", "x", ok), r("b", "x", ok), r("c", "y", ok)},
			[][2]string{{"a", "c"}, {"b", "c"}, {"c", "a"}, {"c", "b"}}},
		{"the other zone only drains", []membership.Relay{r("a", "x", ok), r("b", "x", ok), r("c", "y", drains)},
			[][2]string{{"a", "b"}, {"b", "a"}}},
		{"one ready", []membership.Relay{r("a", "x", starts), r("b", "x", ok), r("c", "x", drains)}, [][2]string{{"b", "c"}}},
		{"none ready", []membership.Relay{r("a", "x", starts), r("b", "x", 9), r("c", "x", drains)}, [][2]string{{"c", "a"}}},
		{"no zones", []membership.Relay{r("a", "", ok), r("b", "", ok)}, [][2]string{{"a", "b"}, {"b", "a"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i := range 50 {
				red, blue := Roots(fmt.Sprintf("room-%d", i), tt.relays)
				if got := [2]string{red.Name, blue.Name}; !slices.Contains(tt.want, got) {
					t.Fatalf("Roots = %v, want one of %v", got, tt.want)
				}
			}
		})
	}
}

// TestRootsAreKnown pins the order: relays of different versions must agree.
func TestRootsAreKnown(t *testing.T) {
	relays := network(10, 3)
	for room, want := range map[string][2]string{
		"":          {"relay-0002", "relay-0003"},
		"town-hall": {"relay-0002", "relay-0003"},
		"demo":      {"relay-0004", "relay-0008"},
	} {
		red, blue := Roots(room, relays)
		if got := [2]string{red.Name, blue.Name}; got != want {
			t.Errorf("%q: %v, want %v", room, got, want)
		}
	}
}

func TestRootsOfAnyNetwork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		relays := anyNetwork(t)
		room := rapid.String().Draw(t, "room")
		red, blue := Roots(room, relays)
		if again, other := Roots(room, shuffled(relays)); !red.Equal(again) || !blue.Equal(other) {
			t.Fatal("the order of the slice matters")
		}
		if (red.Name == "") != (len(relays) == 0) || (blue.Name == "") != (len(relays) < 2) {
			t.Fatalf("roots %q and %q of %d relays", red.Name, blue.Name, len(relays))
		}
		if red.Name == blue.Name && red.Name != "" {
			t.Fatalf("%q is both", red.Name)
		}
		if n := ready(relays); n > 0 && !isReady(red) || n > 1 && !isReady(blue) {
			t.Fatalf("%s %q and %s %q, with %d ready", red.State, red.Name, blue.State, blue.Name, n)
		}
		if red.Zone == blue.Zone {
			for _, r := range relays {
				if isReady(r) && r.Zone != red.Zone && isReady(red) {
					t.Fatalf("both in zone %q, and %q is ready in %q", red.Zone, r.Name, r.Zone)
				}
			}
		}
	})
}

// TestRootsAreBalanced: each of 50 relays is root of about as many rooms.
func TestRootsAreBalanced(t *testing.T) {
	const rooms, n = 50_000, 50
	for _, zones := range []int{1, 2, 5, 50} {
		count := make(map[string]int)
		relays := network(n, zones)
		for i := range rooms {
			red, blue := Roots(fmt.Sprintf("room-%d", i), relays)
			count[red.Name]++
			count[blue.Name]++
		}
		// 2000 each, with a standard deviation of 45.
		for name, c := range count {
			if c < 1800 || c > 2200 {
				t.Errorf("%d zones: %s is root of %d rooms, want about %d", zones, name, c, 2*rooms/n)
			}
		}
	}
}

// TestRootsHardlyMove: a relay that comes or goes takes or leaves its own place
// among the two, and changes nothing for any room it is no root of.
func TestRootsHardlyMove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		relays := network(rapid.IntRange(2, 30).Draw(t, "relays"), rapid.IntRange(1, 5).Draw(t, "zones"))
		room := rapid.String().Draw(t, "room")
		comes := rapid.SampledFrom(relays).Draw(t, "comes or goes").Name
		red, blue := Roots(room, without(relays, comes))
		red2, blue2 := Roots(room, relays)
		before, after := []string{red.Name, blue.Name}, []string{red2.Name, blue2.Name}
		for _, r := range after {
			if r != comes && !slices.Contains(before, r) {
				t.Fatalf("%v became %v when %s came", before, after, comes)
			}
		}
		if !slices.Contains(after, comes) && !slices.Equal(before, after) {
			t.Fatalf("%v became %v, though %s is none of them", before, after, comes)
		}
	})
}

func TestKeepRoots(t *testing.T) {
	relays := network(4, 2) // 0 and 2, 1 and 3 share a zone
	names := names(relays)
	// state returns the snapshot with some relays in a state, or gone.
	const gone = membership.State(100)
	state := func(s membership.State, which ...int) []membership.Relay {
		all := slices.Clone(relays)
		for _, i := range which {
			all[i].State = s
		}
		return slices.DeleteFunc(all, func(r membership.Relay) bool { return r.State == gone })
	}
	tests := []struct {
		name      string
		relays    []membership.Relay
		held      [2]string
		red, blue []string // one of these
	}{
		{"both stay", relays, [2]string{names[0], names[1]}, names[:1], names[1:2]},
		{"both stay, though in one zone", relays, [2]string{names[0], names[2]}, names[:1], names[2:3]},
		{"red went", state(gone, 0), [2]string{names[0], names[1]}, names[2:3], names[1:2]},
		{"blue went", state(gone, 1), [2]string{names[0], names[1]}, names[:1], names[3:4]},
		{"both went", state(gone, 0, 1), [2]string{names[0], names[1]}, names[2:], names[2:]},
		{"red drains", state(membership.Draining, 0), [2]string{names[0], names[1]}, names[2:3], names[1:2]},
		{"blue has restarted", state(membership.Starting, 1), [2]string{names[0], names[1]}, names[:1], names[3:4]},
		{"both drain: blue first", state(membership.Draining, 0, 1), [2]string{names[0], names[1]}, names[:1], names[3:4]},
		{"both drain: then red", state(membership.Draining, 0, 1), [2]string{names[0], names[3]}, names[2:3], names[3:4]},
		{"all drain", state(membership.Draining, 0, 1, 2, 3), [2]string{names[0], names[1]}, names[:1], names[1:2]},
		{"red went, blue drains", without(state(membership.Draining, 1), names[0]), [2]string{names[0], names[1]}, names[2:3], names[1:2]},
		{"a second relay came", relays, [2]string{names[0], ""}, names[:1], []string{names[1], names[3]}},
		{"none yet", relays, [2]string{}, names, names},
		{"the same twice", relays, [2]string{names[0], names[0]}, names[:1], []string{names[1], names[3]}},
		{"the last one", state(gone, 1, 2, 3), [2]string{names[0], names[1]}, names[:1], []string{""}},
		{"nobody", nil, [2]string{names[0], names[1]}, []string{""}, []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i := range 20 {
				red, blue := KeepRoots(fmt.Sprintf("room-%d", i), tt.relays, tt.held)
				if !slices.Contains(tt.red, red.Name) || !slices.Contains(tt.blue, blue.Name) {
					t.Fatalf("%q and %q, want of %v and of %v", red.Name, blue.Name, tt.red, tt.blue)
				}
				if red.Name != "" && red.Name == blue.Name {
					t.Fatalf("%q is both", red.Name)
				}
			}
		})
	}
}

// TestOneTreeMovesAtATime in any history, and once the network is quiet both
// roots stay where they are.
func TestOneTreeMovesAtATime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		room := rapid.String().Draw(t, "room")
		var held [2]string
		for range rapid.IntRange(1, 10).Draw(t, "snapshots") {
			relays := anyNetwork(t)
			for round := 0; ; round++ {
				red, blue := KeepRoots(room, relays, held)
				if again, other := KeepRoots(room, shuffled(relays), held); !red.Equal(again) || !blue.Equal(other) {
					t.Fatal("the order of the slice matters")
				}
				now := [2]string{red.Name, blue.Name}
				if now[0] != "" && now[0] == now[1] {
					t.Fatalf("%q is both", now[0])
				}
				lives := find(relays, held[0]).Name != "" || find(relays, held[1]).Name != ""
				if lives && now[0] != held[0] && now[1] != held[1] {
					t.Fatalf("%v became %v at once", held, now)
				}
				for i, root := range []membership.Relay{red, blue} {
					if was := find(relays, held[i]); isReady(was) && root.Name != was.Name && held[0] != held[1] {
						t.Fatalf("%q was ready and lost its tree to %q", was.Name, root.Name)
					}
				}
				if now == held {
					if n := ready(relays); n > ready([]membership.Relay{red, blue}) && ready([]membership.Relay{red, blue}) < 2 {
						t.Fatalf("stays with %s %q and %s %q, with %d ready", red.State, red.Name, blue.State, blue.Name, n)
					}
					break
				}
				held = now
				if round > 3 {
					t.Fatal("does not come to rest")
				}
			}
		}
	})
}
