package placement

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stentor-audio/stentor/membership"
)

// loads returns ready relays, one a zone name and load.
func loads(zoneAndLoad ...any) []membership.Relay {
	var relays []membership.Relay
	for i := 0; i < len(zoneAndLoad); i += 2 {
		relays = append(relays, membership.Relay{
			Name:     string(rune('a' + i/2)),
			Zone:     zoneAndLoad[i].(string),
			Load:     uint8(zoneAndLoad[i+1].(int)),
			Capacity: 1000,
			State:    membership.Ready,
		})
	}
	return relays
}

func TestPlace(t *testing.T) {
	drains := func(relays []membership.Relay, which ...int) []membership.Relay {
		for _, i := range which {
			relays[i].State = membership.Draining
		}
		return relays
	}
	tests := []struct {
		name   string
		relays []membership.Relay
		o      Options
		want   [][]string // what may be at each place
	}{
		{"nobody", nil, Options{}, nil},
		{"one relay", loads("x", 0), Options{}, [][]string{{"a"}}},
		{"all relays full", loads("x", 100, "y", 100), Options{}, nil},
		{"no relay ready", drains(loads("x", 0, "y", 0), 0, 1), Options{}, nil},
		{"its zone, then another", loads("x", 0, "y", 0, "x", 0), Options{Zone: "y"}, [][]string{{"b"}, {"a", "c"}, {"a", "c"}}},
		{"its zone, the standby elsewhere", loads("x", 0, "y", 0, "x", 0), Options{Zone: "x"}, [][]string{{"a", "c"}, {"b"}, {"a", "c"}}},
		{"a zone nobody knows", loads("x", 0, "y", 0), Options{Zone: "z"}, [][]string{{"a", "b"}, {"a", "b"}}},
		{"no other zone", loads("x", 0, "x", 0), Options{Zone: "x"}, [][]string{{"a", "b"}, {"a", "b"}}},
		{"its zone is beyond the bound", loads("x", 80, "y", 75), Options{Zone: "x"}, [][]string{{"b"}, {"a"}}},
		{"a bound of its own", loads("x", 80, "y", 75), Options{Zone: "x", Bound: 90}, [][]string{{"a"}, {"b"}}},
		{"all beyond the bound, the least busy", loads("x", 95, "y", 85, "z", 90), Options{Zone: "x"}, [][]string{{"b"}, {"c"}, {"a"}}},
		{"a busy standby elsewhere before an idle one here", loads("x", 0, "x", 0, "y", 95), Options{Zone: "x"}, [][]string{{"a", "b"}, {"c"}, {"a", "b"}}},
		{"a full standby is none", loads("x", 0, "x", 0, "y", 100), Options{Zone: "x"}, [][]string{{"a", "b"}, {"a", "b"}}},
		{"excluded", loads("x", 0, "y", 0), Options{Zone: "x", Exclude: []string{"a", "nobody"}}, [][]string{{"b"}}},
		{"one that drains", drains(loads("x", 0, "x", 0), 0), Options{Zone: "x"}, [][]string{{"b"}}},
		{"one wanted", loads("x", 0, "y", 0), Options{Zone: "x", Count: 1}, [][]string{{"a"}}},
		{"more wanted than there are", loads("x", 0, "y", 0), Options{Zone: "x", Count: 1 << 30}, [][]string{{"a"}, {"b"}}},
		{"less than none wanted", loads("x", 0), Options{Count: -1}, [][]string{{"a"}}},
		{"others were sent there", loads("x", 40, "y", 0), Options{Zone: "x", Pending: map[string]int{"a": 400}}, [][]string{{"b"}, {"a"}}},
		{"so many that it is full", loads("x", 40, "y", 0), Options{Zone: "x", Pending: map[string]int{"a": math.MaxInt}}, [][]string{{"b"}}},
		{"less than none were sent", loads("x", 40, "y", 0), Options{Zone: "x", Pending: map[string]int{"a": -9}}, [][]string{{"a"}, {"b"}}},

		{"a speaker goes to the roots", loads("x", 100, "y", 100, "z", 0), Options{Purpose: Speak, Zone: "y", Roots: [2]string{"a", "b"}}, [][]string{{"b"}, {"a"}, {"c"}}},
		{"red first without a zone", loads("x", 0, "y", 0, "z", 0), Options{Purpose: Speak, Roots: [2]string{"b", "a"}}, [][]string{{"b"}, {"a"}, {"c"}}},
		{"a root is excluded", loads("x", 0, "x", 0, "z", 0), Options{Purpose: Speak, Roots: [2]string{"a", "c"}, Exclude: []string{"c"}}, [][]string{{"a"}, {"b"}}},
		{"a root drains", drains(loads("x", 0, "x", 0, "y", 0, "y", 0), 1), Options{Purpose: Speak, Roots: [2]string{"a", "b"}}, [][]string{{"a"}, {"c", "d"}, {"c", "d"}}},
		{"the roots are gone", loads("x", 0, "y", 0), Options{Purpose: Speak, Zone: "y", Roots: [2]string{"p", "q"}}, [][]string{{"b"}, {"a"}}},
		{"one relay for a speaker", loads("x", 0, "y", 0), Options{Purpose: Speak, Count: 1, Roots: [2]string{"b", "a"}}, [][]string{{"b"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i := range 20 {
				got := names(Place(fmt.Sprintf("room-%d", i), tt.relays, tt.o))
				if len(got) != len(tt.want) {
					t.Fatalf("%v, want %v", got, tt.want)
				}
				for i, name := range got {
					if !slices.Contains(tt.want[i], name) || slices.Contains(got[:i], name) {
						t.Fatalf("%v, want %v", got, tt.want)
					}
				}
			}
		})
	}
}

func TestPlaceInAnyNetwork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		relays := anyNetwork(t)
		room := rapid.String().Draw(t, "room")
		o := Options{
			Purpose: rapid.SampledFrom([]Purpose{Listen, Speak}).Draw(t, "purpose"),
			Zone:    rapid.SampledFrom([]string{"", "par", "fra", "nowhere"}).Draw(t, "zone"),
			Count:   rapid.IntRange(-1, 20).Draw(t, "count"),
			Bound:   rapid.Uint8Max(110).Draw(t, "bound"),
			Spread:  rapid.IntRange(-1, 60).Draw(t, "spread"),
			Breadth: rapid.IntRange(-1, 20).Draw(t, "breadth"),
			Who:     rapid.Uint64().Draw(t, "who"),
			Pending: rapid.MapOf(rapid.StringMatching(`[a-z]`), rapid.IntRange(-5, 500)).Draw(t, "pending"),
			Exclude: rapid.SliceOf(rapid.StringMatching(`[a-z]`)).Draw(t, "exclude"),
		}
		given := slices.Clone(relays)
		placed := Place(room, relays, o)
		if !slices.EqualFunc(given, relays, membership.Relay.Equal) {
			t.Fatal("it changed what it was given")
		}
		if again := Place(room, shuffled(relays), o); !slices.Equal(names(placed), names(again)) {
			t.Fatalf("the order of the slice matters: %v, %v", names(placed), names(again))
		}
		if n := o.withDefaults().Count; len(placed) > n {
			t.Fatalf("%d relays, %d wanted", len(placed), n)
		}
		open := func(r membership.Relay) bool {
			return isReady(r) && !slices.Contains(o.Exclude, r.Name) &&
				(o.Purpose == Speak || load(&r, o.Pending) < fullAt)
		}
		for i, r := range placed {
			if !open(r) {
				t.Fatalf("%q is %s and %d %% busy", r.Name, r.State, r.Load)
			}
			if slices.Contains(names(placed[:i]), r.Name) {
				t.Fatalf("%q twice: %v", r.Name, names(placed))
			}
		}
		if (len(placed) == 0) != !slices.ContainsFunc(relays, open) {
			t.Fatalf("%d placed", len(placed))
		}
		if len(placed) > 1 && placed[0].Zone == placed[1].Zone {
			for _, r := range relays {
				if open(r) && r.Zone != placed[0].Zone {
					t.Fatalf("primary and standby are in zone %q, though %q is in %q", placed[0].Zone, r.Name, r.Zone)
				}
			}
		}
		if len(o.Exclude) == 0 && o.Purpose == Listen && (len(placed) == 0) != Full(relays, o.Pending) {
			t.Fatalf("%d placed, and the network is full: %v", len(placed), Full(relays, o.Pending))
		}
	})
}

// TestPrimariesHardlyMove: a relay that comes takes listeners only to itself;
// one that goes moves only its own.
func TestPrimariesHardlyMove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		relays := network(rapid.IntRange(2, 30).Draw(t, "relays"), rapid.IntRange(1, 5).Draw(t, "zones"))
		for i := range relays {
			relays[i].Load = uint8(rapid.IntRange(0, 15).Draw(t, "load") * 5) // some room left
		}
		room := rapid.String().Draw(t, "room")
		comes := rapid.SampledFrom(relays).Draw(t, "comes or goes").Name
		o := Options{Zone: rapid.SampledFrom([]string{"", "zone-0", "zone-1"}).Draw(t, "zone"), Count: 1}
		after := Place(room, relays, o)[0].Name
		before := Place(room, without(relays, comes), o)[0].Name
		if after != comes && after != before {
			t.Fatalf("%q became %q when %q came", before, after, comes)
		}
	})
}

// TestASmallRoomStaysTogether and a large one takes one relay after the other.
func TestASmallRoomStaysTogether(t *testing.T) {
	relays := network(20, 2)
	used := make(map[string]int)
	const listeners = 5000
	for i := range listeners {
		o := Options{Zone: fmt.Sprintf("zone-%d", i%2), Who: rand.Uint64()}
		placed := Place("room", relays, o)
		if placed[0].Zone != o.Zone || placed[1].Zone == o.Zone {
			t.Fatalf("from %s to %s, standby in %s", o.Zone, placed[0].Zone, placed[1].Zone)
		}
		n := placed[0].Name
		used[n]++
		for j := range relays {
			if relays[j].Name == n {
				relays[j].Load = uint8(used[n] * 100 / int(relays[j].Capacity))
			}
		}
		if i == 900 && len(used) != 2 {
			t.Errorf("900 listeners of two zones are on %d relays", len(used))
		}
	}
	// 2500 in each zone, 500 to a relay.
	if len(used) != 10 {
		t.Errorf("%d listeners are on %d relays: %v", listeners, len(used), used)
	}
	for name, n := range used {
		if n > 1000*DefaultBound/100 {
			t.Errorf("%s has %d listeners", name, n)
		}
	}
}

// TestManyRoomsAreBalanced: the listeners of many small rooms spread over all
// relays.
func TestManyRoomsAreBalanced(t *testing.T) {
	relays := network(50, 5)
	count := make(map[string]int)
	for i := range 20_000 {
		placed := Place(fmt.Sprintf("room-%d", i), relays, Options{Zone: fmt.Sprintf("zone-%d", i%5)})
		count[placed[0].Name]++
	}
	// 400 each, with a standard deviation of 19.
	for _, r := range relays {
		if n := count[r.Name]; n < 310 || n > 490 {
			t.Errorf("%s is primary of %d rooms, want about 400", r.Name, n)
		}
	}
}

// TestAStormFillsUpEvenly: ten times what one relay takes comes between two
// announcements of its load, and each lobby counts whom it has sent.
func TestAStormFillsUpEvenly(t *testing.T) {
	relays := network(20, 1)
	pending := make(map[string]int)
	for range 10_000 {
		pending[Place("room", relays, Options{Pending: pending})[0].Name]++
	}
	for name, n := range pending {
		if n > 1000 {
			t.Errorf("%s was sent %d listeners, and takes 1000", name, n)
		}
	}
}

// TestStandbysAreSpread over as many relays as wanted, all elsewhere.
func TestStandbysAreSpread(t *testing.T) {
	relays := network(80, 4)
	for _, spread := range []int{0, 1, 2, 5, MaxSpread, 1000} {
		count := make(map[string]int)
		primary := Place("room", relays, Options{})[0]
		for range 10_000 {
			placed := Place("room", relays, Options{Spread: spread, Who: rand.Uint64()})
			if placed[0].Name != primary.Name || placed[1].Zone == primary.Zone {
				t.Fatalf("%v", names(placed))
			}
			count[placed[1].Name]++
		}
		if want := min(max(spread, 1), MaxSpread); len(count) != want {
			t.Errorf("spread %d: %d standbys, want %d", spread, len(count), want)
		}
	}
	// Two relays elsewhere, and many at home: no standby at home.
	few := append(network(20, 1), loads("y", 0, "y", 0)...)
	for range 1000 {
		placed := Place("room", few, Options{Zone: "zone-0", Spread: 5, Who: rand.Uint64()})
		if placed[1].Zone != "y" {
			t.Fatalf("standby %s in %s", placed[1].Name, placed[1].Zone)
		}
	}
}

// TestNewcomersAreSpread over as many idle relays of their zone as wanted; a busy
// one has no part in it.
func TestNewcomersAreSpread(t *testing.T) {
	relays := network(40, 2)
	relays[0].Load = DefaultBound // in zone-0
	for _, breadth := range []int{-1, 0, 1, 2, 7, MaxBreadth, 1000} {
		count := make(map[string]int)
		for range 10_000 {
			placed := Place("room", relays, Options{Zone: "zone-0", Breadth: breadth, Who: rand.Uint64()})
			if len(placed) != DefaultCount || placed[0].Zone != "zone-0" || placed[1].Zone != "zone-1" || placed[0].Name == relays[0].Name {
				t.Fatalf("%v", names(placed))
			}
			count[placed[0].Name]++
		}
		want := min(max(breadth, 1), MaxBreadth)
		if len(count) != want {
			t.Errorf("breadth %d: %d relays, want %d", breadth, len(count), want)
		}
		for name, n := range count {
			if mean := 10_000 / want; n < mean/2 || n > 2*mean {
				t.Errorf("breadth %d: %s gets %d of 10,000", breadth, name, n)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	full, room := loads("x", 100, "y", 100), loads("x", 100, "y", 95)
	tests := []struct {
		name    string
		relays  []membership.Relay
		pending map[string]int
		chance  float64
		want    time.Duration
	}{
		{"room left", room, nil, 0.5, 0},
		{"full", full, nil, 0, 2 * time.Second},
		{"full, later", full, nil, 0.5, 6 * time.Second},
		{"full, last", full, nil, 1, 10 * time.Second},
		{"what is no chance", full, nil, 7, 10 * time.Second},
		{"what is less than none", full, nil, -7, 2 * time.Second},
		{"what is no number", full, nil, math.NaN(), 2 * time.Second},
		{"no relay", nil, nil, 0, 2 * time.Second},
		{"filled up since", room, map[string]int{"b": 50}, 0, 2 * time.Second},
		{"not quite", room, map[string]int{"b": 49}, 0, 0},
		{"no capacity", []membership.Relay{{Name: "b", State: membership.Ready}}, map[string]int{"b": 1}, 0, 2 * time.Second},
		{"the idle one drains", append(full, membership.Relay{Name: "c", State: membership.Draining}), nil, 0, 2 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := RetryAfter(tt.relays, tt.pending, tt.chance); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// A listener in Lyon goes to its own zone and stands by elsewhere.
func ExamplePlace() {
	relays := []membership.Relay{
		{Name: "lyon-1", Zone: "lyon", Capacity: 5000, Load: 95, State: membership.Ready},
		{Name: "lyon-2", Zone: "lyon", Capacity: 5000, Load: 40, State: membership.Ready},
		{Name: "milan-1", Zone: "milan", Capacity: 5000, Load: 40, State: membership.Ready},
		{Name: "milan-2", Zone: "milan", Capacity: 5000, State: membership.Draining},
	}
	for _, r := range Place("town-hall", relays, Options{Zone: "lyon"}) {
		fmt.Println(r.Name)
	}
	// Output:
	// lyon-2
	// milan-1
	// lyon-1
}

// The order of a room is that in which idle relays of one zone are taken.
func TestOrder(t *testing.T) {
	var relays []membership.Relay
	for i := range 12 {
		relays = append(relays, membership.Relay{Name: string(rune('a' + i)), Zone: "z", Capacity: 10, State: membership.Ready})
	}
	placed := Place("town", relays, Options{Zone: "z", Count: len(relays)})
	for i, at := range Order("town", relays) {
		if relays[at].Name != placed[i].Name {
			t.Fatalf("%d: %s, want %s", i, relays[at].Name, placed[i].Name)
		}
	}
}
