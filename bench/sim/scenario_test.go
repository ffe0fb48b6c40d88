package sim

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stentor-audio/stentor/client/hop"
)

type candidate = hop.Candidate

// What is wrong with a scenario is said with the line.
func TestBadScenarios(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "it is empty"},
		{"no YAML", "name: [", "line 1"},
		{"unknown key", "name: a\nlisteners: 5\n", "line 2: there is no key listeners"},
		{"unknown key inside", "name: a\nnetwork:\n  zone: 5\n", "line 3: there is no key zone"},
		{"a word for a number", strings.Replace(small, "capacity: 200", "capacity: many", 1), "line 6: cannot take str `many` into int"},
		{"negative capacity", strings.Replace(small, "capacity: 200", "capacity: -5", 1), "line 6: network.capacity: -5: want 1 to 1000000"},
		{"absurd capacity", strings.Replace(small, "capacity: 200", "capacity: 99999999", 1), "want 1 to 1000000"},
		{"negative listeners", strings.Replace(small, "listeners: 300", "listeners: -300", 1), "line 9: arrivals[0].listeners: -300: want 1 to"},
		{"too many listeners", strings.Replace(small, "listeners: 300", "listeners: 99999999", 1), "want 1 to 10000000"},
		{"too many relays", strings.Replace(small, "relays: 4", "relays: 5000", 1), "want 0 to 4096"},
		{"no relays", strings.NewReplacer("relays: 4", "relays: 0", "relays: 3", "relays: 0").Replace(small), "0 relays in all"},
		{"a time without unit", strings.Replace(small, "duration: 60s", "duration: 60", 1), `line 3: "60" is no time`},
		{"a negative time", strings.Replace(small, "duration: 60s", "duration: -60s", 1), "line 3: duration: -1m0s: want 1s to"},
		{"a week", strings.Replace(small, "duration: 60s", "duration: 200h", 1), "want 1s to 24h"},
		{"degree", strings.Replace(small, "capacity: 200", "degree: 2", 1), "network.degree: 2: want 6 to 64"},
		{"packets there are not", small[:strings.Index(small, "rooms:")] + "rooms: {packet: 50ms}\narrivals: [{over: 1s, listeners: 1}]", "rooms.packet: 50ms: want 60ms, 120ms or 0"},
		{"negative processors", strings.Replace(small, "capacity: 200", "cores_shared: -1", 1), "network.cores_shared: -1: want 0 to"},
		{"no number of processors", strings.Replace(small, "capacity: 200", "cores_shared: .nan", 1), "network.cores_shared: NaN: want 0 to"},
		{"two zones of a name", strings.Replace(small, "ams", "par", 1), "want a name of its own"},
		{"nobody comes", "name: a\nduration: 10s\nnetwork: {zones: [{name: a, relays: 1}]}\n", "nobody comes"},
		{"shape", strings.Replace(small, "listeners: 300", "listeners: 300, shape: round", 1), `"round": want even or peak`},
		{"deed", small + "happenings: [{at: 5s, do: explode, relays: 1}]", `"explode": want one of add, kill`},
		{"nobody is struck", small + "happenings: [{at: 5s, do: kill}]", "want whom it happens to"},
		{"role", small + "happenings: [{at: 5s, do: kill, role: king}]", `"king": want red, blue, roots or edge`},
		{"share", small + "happenings: [{at: 5s, do: kill, share: 1.5}]", "1.5: want 0 to 1"},
		{"no number", small + "happenings: [{at: 5s, do: kill, share: .nan}]", "want 0 to 1"},
		{"no such zone", small + "happenings: [{at: 5s, do: kill, zone: rom}]", `there is no zone "rom"`},
		{"too late", small + "happenings: [{at: 500s, do: kill, relays: 1}]", "happenings[0].at: 8m20s: want 0s to 1m0s"},
		{"a split of nothing", small + "happenings: [{at: 5s, do: split, down: 5s}]", "want the zones of one side"},
		{"a split for ever", small + "happenings: [{at: 5s, do: split, zones: [par]}]", "want how long it lasts"},
		{"flap without times", small + "happenings: [{at: 5s, do: flap, relays: 1}]", "want up"},
		{"roll without pause", small + "happenings: [{at: 5s, do: roll}]", "want how long it waits"},
		{"negative promise", small + "expect: {lost: -1}", "expect.lost: -1: want 0 or more"},
		{"absurd promise", small + "expect: {load_spread: 0.5}", "0.5: want 1 to 100"},
		{"huge", "# " + strings.Repeat("x", 2<<20), "at most 1048576"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.text))
			if !errors.Is(err, ErrScenario) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v\nwant %q", err, tt.want)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	if _, err := Open("no-such"); !errors.Is(err, ErrScenario) || !strings.Contains(err.Error(), "zone-loss") {
		t.Errorf("%v: want it to say which there are", err)
	}
	path := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(path, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(path); err != nil || s.Name != "small" {
		t.Errorf("%v, %v", s, err)
	}
}

// Other numbers keep the proportions, and absurd ones are refused.
func TestScaled(t *testing.T) {
	s, err := parse(t, small).scaled(1001, 20)
	if err != nil {
		t.Fatal(err)
	}
	if s.Arrivals[0].Listeners != 1001 || s.Network.Zones[0].Relays+s.Network.Zones[1].Relays+s.Network.Zones[2].Relays != 20 || s.Network.Zones[0].Relays != 8 {
		t.Errorf("%+v, %+v", s.Arrivals, s.Network.Zones)
	}
	for _, bad := range [][2]int{{-1, 0}, {0, -1}, {99_999_999, 0}, {0, 5000}} {
		if _, err := parse(t, small).scaled(bad[0], bad[1]); !errors.Is(err, ErrOptions) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
