package relay

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/relay/admission"
)

// fleet is relays in two zones, all with the same load.
func fleet(load uint8) []membership.Relay {
	return []membership.Relay{
		{Name: "a", Zone: "par", Capacity: 100, Load: load, State: membership.Ready},
		{Name: "b", Zone: "par", Capacity: 100, Load: load, State: membership.Ready},
		{Name: "c", Zone: "ams", Capacity: 100, Load: load, State: membership.Ready},
	}
}

func TestDirect(t *testing.T) {
	first := placement.Place("town", fleet(0), placement.Options{Zone: "par"})[0].Name
	others := slices.DeleteFunc([]string{"a", "b", "c"}, func(name string) bool { return name == first })
	for _, tt := range []struct {
		name   string
		relays []membership.Relay
		o      placement.Options
		doors  time.Duration
		places int
		wait   time.Duration
	}{
		{"there is room", fleet(0), placement.Options{Zone: "par"}, 0, 3, 0},
		{"its own doors are busy", fleet(0), placement.Options{Zone: "par"}, 3 * time.Second, 2, 0},
		{"its own doors are busy, and so are others", fleet(placement.DefaultBound), placement.Options{Zone: "par"}, 3 * time.Second, 0, 3 * time.Second},
		{"its own doors are busy, and no other is wanted", fleet(0), placement.Options{Zone: "par", Exclude: others}, 3 * time.Second, 0, 3 * time.Second},
		{"who speaks is not kept waiting", fleet(0), placement.Options{Zone: "par", Purpose: placement.Speak}, 3 * time.Second, 3, 0},
		{"others' doors are not its own", fleet(0), placement.Options{Zone: "par", Exclude: []string{first}}, 3 * time.Second, 2, 0},
		{"all are full", fleet(100), placement.Options{Zone: "par"}, 0, 0, 2 * time.Second},
		{"nobody is there", nil, placement.Options{}, 0, 0, 2 * time.Second},
		{"all are excluded", fleet(0), placement.Options{Exclude: []string{"a", "b", "c"}}, 0, 0, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			places, wait := Direct("town", first, tt.relays, tt.o, tt.doors, 0)
			if len(places) != tt.places || wait != tt.wait {
				t.Errorf("%d places, wait %v; want %d, %v", len(places), wait, tt.places, tt.wait)
			}
		})
	}
}

// As many relays share newcomers as are needed for them to come slowly to each.
func TestBreadth(t *testing.T) {
	five := make([]membership.Relay, 5) // each bears 50 a second
	for i := range five {
		five[i] = membership.Relay{Zone: "par", Capacity: 2500, State: membership.Ready}
	}
	for _, tt := range []struct {
		name       string
		relays     []membership.Relay
		own, grows float64
		want       int
	}{
		{"nobody comes", five, 0, 1000, 1},
		{"a few come", five, 5, 0, 1},
		{"many come here", five, 120, 0, 3},
		{"a few come here, many elsewhere", five, 40, 400, 5},
		{"no more than if all were asked as often", five, 20, 1e6, 3},
		{"very many", five, 1e9, 1e12, 1 + placement.MaxBreadth},
		{"no number", five, math.NaN(), math.NaN(), 1},
		{"no relay", nil, 100, 100, 1},
		{"no capacity", []membership.Relay{{Zone: "par", State: membership.Ready}}, 100, 100, 1},
	} {
		if got := ZoneOf("par", tt.relays).Breadth(tt.own, tt.grows); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestZoneOf(t *testing.T) {
	relays := append(fleet(50), membership.Relay{Zone: "par", Capacity: 100, State: membership.Draining})
	for zone, want := range map[string]Zone{
		"par":     {Name: "par", Relays: 2, Capacity: 200, Used: 100},
		"":        {Relays: 3, Capacity: 300, Used: 150},
		"nowhere": {Relays: 3, Capacity: 300, Used: 150},
	} {
		if got := ZoneOf(zone, relays); got != want {
			t.Errorf("%q: %+v, want %+v", zone, got, want)
		}
	}
}

func TestStandbySpread(t *testing.T) {
	for _, tt := range []struct {
		listeners int
		joins     float64
		relays    int
		want      int
	}{{0, 0, 0, 1}, {99, 0.9, 15, 1}, {100, 0, 16, 3}, {100, 10, 2, 12}, {10, 1000, 2, 3}, {0, -1, 0, 1}, {400, 1e9, 0, 5 + placement.MaxSpread}} {
		if got := StandbySpread(tt.listeners, tt.joins, tt.relays); got != tt.want {
			t.Errorf("%d listeners, %v joins a second, %d relays: %d, want %d", tt.listeners, tt.joins, tt.relays, got, tt.want)
		}
	}
}

// Those who stand in are of another zone first, and never the relay itself.
func TestStandIns(t *testing.T) {
	others := StandIns("town", fleet(0), placement.Options{Zone: "par", Exclude: []string{"a"}})
	if len(others) != 2 || others[0].Name != "c" || others[1].Name != "b" {
		t.Errorf("%v", others)
	}
}

func TestCold(t *testing.T) {
	idle, busy := admission.At(0, 0), admission.At(admission.ColdStandby, 0)
	for _, tt := range []struct {
		name   string
		here   admission.Ladder
		others []membership.Relay
		want   bool
	}{
		{"all idle", idle, fleet(0), false},
		{"busy here", busy, fleet(0), true},
		{"busy there", idle, fleet(admission.ColdStandby), true},
		{"nobody there", idle, nil, false},
	} {
		if got := Cold(tt.here, tt.others); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}
