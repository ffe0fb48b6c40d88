package sim

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
)

// What comes of each thing that happens is counted by itself.
func TestAftermath(t *testing.T) {
	text := strings.Replace(small, "capacity: 200", "capacity: 2000", 1)
	r, _ := simulate(t, text+"happenings: [{at: 30s, do: kill, role: edge}, {at: 45s, do: kill, role: edge}]", false)
	if len(r.Happened) != 2 {
		t.Fatalf("%+v", r.Happened)
	}
	hops := 0
	for _, h := range r.Happened {
		if h.Listeners == 0 || h.Moved != h.Listeners || h.Hops != h.Listeners || h.Lost != 0 || h.Took.P50 <= 0 || h.Spread < 1 {
			t.Errorf("%+v", h)
		}
		hops += h.Hops
	}
	if hops != r.Hops[0].Count {
		t.Errorf("%d hops of %d", hops, r.Hops[0].Count)
	}
	r, _ = simulate(t, text+"happenings: [{at: 30s, do: add, relays: 2}]", false)
	if h := r.Happened[0]; h.Moved != 0 || h.Hops != 0 || h.Took != (Times{}) {
		t.Errorf("relays that come move nobody: %+v", h)
	}
}

// Listeners take the packets that they ask for, else those that relays wish for.
func TestPacketAskedFor(t *testing.T) {
	for _, tt := range []struct {
		rooms string
		long  bool
	}{{"", false}, {", packet: 60ms", false}, {", packet: 120ms", true}} {
		text := strings.NewReplacer("capacity: 200", "capacity: 2000", "speakers: 2", "speakers: 2"+tt.rooms).Replace(small)
		r, w := simulate(t, text, false)
		if r.Lost != 0 || r.Unserved != 0 {
			t.Errorf("%q: %d lost, %d not served", tt.rooms, r.Lost, r.Unserved)
		}
		for id := range w.people {
			if w.people[id].long != tt.long {
				t.Fatalf("%q: listener %d has long packets: %v", tt.rooms, id, w.people[id].long)
			}
		}
		if got, want := w.delayOf(&w.people[0]), map[bool]time.Duration{false: 200, true: 320}[tt.long]; got != want*time.Millisecond {
			t.Errorf("%q: a delay of %v", tt.rooms, got)
		}
	}
}

// Where all handshakes are made on the same few processors, they wait for each other.
func TestSharedProcessors(t *testing.T) {
	const happens = "happenings: [{at: 30s, do: drain, role: edge, deadline: 20s}]"
	var took [2]int64
	for i, shared := range []string{"", "cores_shared: 0.1"} {
		text := strings.Replace(small, "capacity: 200", "capacity: 2000\n  "+shared, 1)
		r, _ := simulate(t, text+happens, false)
		took[i] = r.Happened[0].Took.P50
	}
	if took[1] <= took[0] {
		t.Errorf("hops take %d ms, and %d where all share a tenth of a processor", took[0], took[1])
	}
}

// A relay sends to the relays that it feeds, too.
func TestFeedsCount(t *testing.T) {
	_, w := simulate(t, strings.Replace(small, "capacity: 200", "egress: 100000", 1), false)
	fed, rate := 0, 0.0
	for _, r := range w.relays {
		_, packets := w.demand(r)
		rate += packets
		for _, p := range r.parts {
			fed += p.feeds
		}
	}
	listening := float64(w.listening) * cost.Rate(lengths[0])
	if others := len(w.rooms[0].list) - 2; fed < 2*others || rate < listening+float64(fed)*49 {
		t.Errorf("%d feeds for %d relays that are no roots, %.0f packets a second of which %.0f go to listeners", fed, others, rate, listening)
	}
}

// What stands beside measurements in docs/scale.md can be read and run.
func TestCompared(t *testing.T) {
	files, err := filepath.Glob("../scenarios/compare/*.yaml")
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	c, err := cost.Read("../scenarios/compare/constants.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		s, err := Open(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(t.Context(), Options{Scenario: s, Constants: c})
		if err != nil || r.Unserved > 0 || r.Joins.Failed > 0 {
			t.Errorf("%s: %v, %d not served", file, err, r.Unserved)
		}
		if slices.ContainsFunc(r.Happened, func(h Happening) bool { return h.Relays == 0 }) {
			t.Errorf("%s: nobody was struck: %+v", file, r.Happened)
		}
	}
}
