package relay

import (
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
	for _, tt := range []struct {
		name   string
		relays []membership.Relay
		o      placement.Options
		doors  time.Duration
		places int
		wait   time.Duration
	}{
		{"there is room", fleet(0), placement.Options{Zone: "par"}, 0, 3, 0},
		{"its own doors are busy", fleet(0), placement.Options{Zone: "par"}, 3 * time.Second, 0, 3 * time.Second},
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
