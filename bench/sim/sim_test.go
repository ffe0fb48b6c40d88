package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/bench/scenarios"
	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/relay/plan"
)

// small is a network of three zones with ten relays, and 300 listeners; what happens is
// put behind it.
const small = `
name: small
duration: 60s
network:
  zones: [{name: par, relays: 4}, {name: ams, relays: 3}, {name: fra, relays: 3}]
  capacity: 200
  start: 1s
rooms: {count: 1, speakers: 2}
arrivals: [{from: 0s, over: 10s, listeners: 300}]
`

func parse(t *testing.T, text string) *Scenario {
	t.Helper()
	s, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// simulate runs a scenario whose promises, if it has any, do not matter.
func simulate(t *testing.T, text string, exact bool) (*Result, *world) {
	t.Helper()
	w := newWorld(parse(t, text), cost.Constants{}, 1)
	w.exact = exact
	r, err := w.run(t.Context(), func(string, int, int) {})
	if err != nil && !errors.Is(err, ErrBroken) {
		t.Fatal(err)
	}
	return r, w
}

// Whatever happens to a single relay, nobody with a standby loses a frame, everybody
// who came is either listening, waiting or gone, and the trees become whole.
func TestStrikes(t *testing.T) {
	for _, tt := range []struct{ name, happens string }{
		{"nothing", ""},
		{"an edge dies", "happenings: [{at: 30s, do: kill, role: edge, down: 10s}]"},
		{"the red root dies", "happenings: [{at: 30s, do: kill, role: red, down: 10s}]"},
		{"the blue root dies for good", "happenings: [{at: 30s, do: kill, role: blue}]"},
		{"an edge freezes", "happenings: [{at: 30s, do: freeze, role: edge, down: 2s}]"},
		{"the red root freezes for long", "happenings: [{at: 30s, do: freeze, role: red, down: 10s}]"},
		{"an edge drains", "happenings: [{at: 30s, do: drain, role: edge, deadline: 20s, down: 2s}]"},
		{"the red root drains", "happenings: [{at: 30s, do: drain, role: red, deadline: 20s, down: 2s}]"},
		{"relays are added", "happenings: [{at: 5s, do: add, relays: 3}]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, w := simulate(t, strings.Replace(small, "capacity: 200", "capacity: 2000", 1)+tt.happens, false)
			if r.Lost != 0 || r.Unserved != 0 {
				t.Errorf("%d frames lost, %d not served", r.Lost, r.Unserved)
			}
			for _, h := range r.Happened {
				if h.ConvergeMS < 0 {
					t.Errorf("the trees are not whole at the end, after %s", h.What)
				}
			}
			if strings.Contains(tt.happens, "role") && (len(r.Happened) != 1 || r.Happened[0].Relays != 1) {
				t.Errorf("happened: %v", r.Happened)
			}
			conserved(t, w)
		})
	}
}

// conserved checks that nobody is counted twice, or forgotten.
func conserved(t *testing.T, w *world) {
	t.Helper()
	primaries, standbys := 0, 0
	for _, r := range w.relays {
		sum := 0
		for _, n := range r.serves {
			sum += n
		}
		if sum != len(r.primaries) || r.listening[0]+r.listening[1] != len(r.primaries) {
			t.Errorf("%s: %d listen, %d by room, %v by packet", r.name, len(r.primaries), sum, r.listening)
		}
		for i, id := range r.primaries {
			if l := &w.people[id]; l.primary != r.id || l.inPrimary != int32(i) {
				t.Fatalf("%s lists somebody who is at %d", r.name, l.primary)
			}
		}
		for i, id := range r.standbys {
			if l := &w.people[id]; l.standby != r.id || l.inStandby != int32(i) {
				t.Fatalf("%s lists somebody who stands by at %d", r.name, l.standby)
			}
		}
		primaries += len(r.primaries)
		standbys += len(r.standbys)
		if r.sessions < 0 {
			t.Errorf("%s has %d sessions", r.name, r.sessions)
		}
	}
	listen, stand := 0, 0
	for i := range w.people {
		l := &w.people[i]
		if l.primary != nobody {
			listen++
		}
		if l.standby != nobody {
			stand++
		}
		if l.left && (l.primary != nobody || l.standby != nobody || l.awake != nil) {
			t.Errorf("listener %d has left and is still there", i)
		}
	}
	if listen != primaries || stand != standbys || w.listening != listen {
		t.Errorf("%d listen and %d stand by; relays have %d and %d, %d are counted", listen, stand, primaries, standbys, w.listening)
	}
	if n := w.res.Joins; n.Arrived != len(w.people) || n.Admitted > n.Arrived {
		t.Errorf("%d people, %+v", len(w.people), n)
	}
}

// What is skipped while nothing happens makes no difference: the same hops and the
// same losses as with every packet handed to every machine.
func TestExact(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"warm", strings.Replace(small, "capacity: 200", "capacity: 2000", 1) + "happenings: [{at: 30s, do: kill, role: edge}]"},
		{"cold", small + "happenings: [{at: 30s, do: kill, role: edge}]"},
		{"drain", small + "happenings: [{at: 30s, do: drain, role: edge}]"},
		{"split", strings.Replace(small, "capacity: 200", "capacity: 2000", 1) + "happenings: [{at: 30s, do: split, zones: [par], down: 10s}]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fast, _ := simulate(t, tt.text, false)
			slow, _ := simulate(t, tt.text, true)
			if fast.Lost != slow.Lost || !slices.EqualFunc(fast.Hops, slow.Hops, func(a, b Hops) bool { return a.Cause == b.Cause && a.Count == b.Count }) {
				t.Errorf("skipping: lost %d, hops %s; in full: lost %d, hops %s", fast.Lost, text(fast.Hops), slow.Lost, text(slow.Hops))
			}
			for i := range fast.Hops {
				if d := fast.Hops[i].Took.P50 - slow.Hops[i].Took.P50; d < -5 || d > 5 {
					t.Errorf("a hop for %s takes %d ms, in full %d ms", fast.Hops[i].Cause, fast.Hops[i].Took.P50, slow.Hops[i].Took.P50)
				}
			}
			if fast.Messages.Steps*2 > slow.Messages.Steps {
				t.Errorf("%d steps, in full %d: nothing is skipped", fast.Messages.Steps, slow.Messages.Steps)
			}
		})
	}
}

func text(hops []Hops) string {
	var b strings.Builder
	for _, h := range hops {
		fmt.Fprintf(&b, "%s %d ", h.Cause, h.Count)
	}
	return b.String()
}

// The same seed twice gives the same bytes, and another seed others.
func TestSeed(t *testing.T) {
	scenario := small + "stay: 40s\nhappenings: [{at: 20s, do: flap, share: 0.2, down: 3s, up: 5s, for: 20s}, {at: 30s, do: add, relays: 2}]"
	run := func(seed uint64) []byte {
		r, err := Run(t.Context(), Options{Scenario: parse(t, scenario), Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	one := run(1)
	if !bytes.Equal(one, run(1)) {
		t.Error("the same seed gave something else")
	}
	if bytes.Equal(one, run(2)) {
		t.Error("another seed gave the same")
	}
}

// People who come and go leave nothing behind.
func TestStay(t *testing.T) {
	r, w := simulate(t, small+"stay: 15s\nexpect: {lost: 0}", false)
	if r.Joins.Gone < 100 || r.Lost != 0 {
		t.Errorf("%d have left, %d frames lost", r.Joins.Gone, r.Lost)
	}
	conserved(t, w)
}

// More people than places: the scenario says so, with the shortfall.
func TestShortfall(t *testing.T) {
	s := parse(t, strings.Replace(small, "listeners: 300", "listeners: 5000", 1))
	r, err := Run(t.Context(), Options{Scenario: s})
	if !errors.Is(err, ErrShortfall) {
		t.Fatal(err)
	}
	if r.Shortfall == nil || r.Shortfall.Listeners != 3000 || r.Shortfall.Relays != 15 || r.Shortfall.Limit != "capacity" {
		t.Errorf("shortfall: %+v", r.Shortfall)
	}
	if r.Unserved == 0 || r.Lost != 0 {
		t.Errorf("%d not served, %d frames lost", r.Unserved, r.Lost)
	}
}

// Who is shown an error because all doors are shut is not served, and not all are in.
func TestFailed(t *testing.T) {
	r, w := simulate(t, strings.Replace(small, "capacity: 200", "capacity: 2000\n  join_rate: 1", 1)+"expect: {failed: 0, unserved: 0, all_in: 1m}", false)
	if r.Joins.Failed == 0 || r.Unserved < r.Joins.Failed || r.Joins.AllInMS != -1 {
		t.Errorf("%d failed, %d not served, all in after %d ms", r.Joins.Failed, r.Unserved, r.Joins.AllInMS)
	}
	for _, p := range r.Promises {
		if p.Kept {
			t.Errorf("kept: %+v", p)
		}
	}
	conserved(t, w)
}

// A promise that is broken is an error, and the result says by how much.
func TestPromises(t *testing.T) {
	kept := "expect: {lost: 0, others_lost: 0, struck_gap_p99: 0s, unserved: 0, failed: 0, all_in: 10s, speakers_out: 0s, load_spread: 10, converge: 1m}"
	r, err := Run(t.Context(), Options{Scenario: parse(t, small+kept)})
	if err != nil {
		t.Error(err)
	}
	if len(r.Promises) != 9 {
		t.Errorf("%d promises", len(r.Promises))
	}
	r, err = Run(t.Context(), Options{Scenario: parse(t, small+"happenings: [{at: 5s, do: kill, zone: par}]\nexpect: {load_spread: 1}")})
	if !errors.Is(err, ErrBroken) || r.Promises[0].Kept {
		t.Errorf("%v: %+v", err, r.Promises)
	}
}

// A run that is interrupted has what there was until then, and says so.
func TestInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	r, err := Run(ctx, Options{Scenario: parse(t, small), Progress: func(_ string, done, _ int) {
		if done == 20 {
			stop()
		}
	}})
	if !errors.Is(err, ErrInterrupted) || !r.Partial || r.Joins.Admitted == 0 || r.EndMS < 20_000 || r.EndMS > 40_000 {
		t.Errorf("%v: partial %t, %d let in, %d ms", err, r.Partial, r.Joins.Admitted, r.EndMS)
	}
}

// Every scenario that is shipped can be read, under its own name, and runs with a
// few listeners.
func TestScenarios(t *testing.T) {
	if len(scenarios.Names()) < 8 {
		t.Errorf("scenarios: %v", scenarios.Names())
	}
	for _, name := range scenarios.Names() {
		t.Run(name, func(t *testing.T) {
			s, err := Open(name)
			if err != nil {
				t.Fatal(err)
			}
			if s.Name != name || s.About == "" {
				t.Errorf("it calls itself %q: %q", s.Name, s.About)
			}
			s.Rooms.Count = min(s.Rooms.Count, 50)
			r, err := Run(t.Context(), Options{Scenario: s, Listeners: 200, Relays: 3 * len(s.Network.Zones)})
			if err != nil && !errors.Is(err, ErrBroken) {
				t.Fatal(err)
			}
			if r.Unserved != 0 || r.Joins.Arrived != 200 {
				t.Errorf("%d came, %d not served", r.Joins.Arrived, r.Unserved)
			}
		})
	}
}

// The short directory leads to the choice that the whole one would have.
func TestShortDirectory(t *testing.T) {
	w := newWorld(parse(t, strings.NewReplacer("relays: 4", "relays: 90", "relays: 3", "relays: 90").Replace(small)), cost.Constants{}, 1)
	w.begin1()
	rm, luck := w.rooms[0], source(1, 99)
	short := 0
	for n := range 300 {
		for _, v := range w.views {
			for i := range v.known {
				v.known[i].Load = uint8(5 * luck.IntN(21-n/20))
			}
			v.version++
		}
		r := w.relays[luck.IntN(len(w.relays))]
		s := w.shortOf(r.zone, rm)
		if !s.whole {
			short++
		}
		who := uint8(luck.IntN(whos))
		got := w.standIns(r, rm, who)
		r.lists.forget()
		s.relays, s.whole = w.views[r.zone].reachable(w.byName), true
		if want := w.standIns(r, rm, who); !slices.EqualFunc(got, want, func(a, b candidate) bool { return a.Name == b.Name }) {
			t.Fatalf("%d: %v, want %v", n, got, want)
		}
		r.lists.forget()
	}
	if short < 100 {
		t.Errorf("%d directories were short", short)
	}
}

// Nor does it send newcomers elsewhere, whoever is on the way to whom.
func TestShortDirectoryWithPending(t *testing.T) {
	w := newWorld(parse(t, strings.NewReplacer("relays: 4", "relays: 90", "relays: 3", "relays: 90").Replace(small)), cost.Constants{}, 1)
	w.begin1()
	rm, luck := w.rooms[0], source(1, 98)
	sound := 0
	for n := range 600 {
		for _, v := range w.views {
			for i := range v.known {
				v.known[i].Load = uint8(5 * luck.IntN(12-n/100))
			}
			v.version++
		}
		zone := luck.IntN(len(w.zones))
		s, all := w.shortOf(int32(zone), rm), w.views[zone].reachable(w.byName)
		pending := make(map[string]int)
		for range luck.IntN(60) {
			pending[s.relays[luck.IntN(len(s.relays))].Name] = luck.IntN(150)
		}
		o := placement.Options{Zone: w.zones[zone], Count: lobbyCount, Spread: 1 + luck.IntN(placement.MaxSpread), Who: luck.Uint64(), Pending: pending}
		got := placement.Place(rm.name, s.relays, o)
		if s.whole || !s.sound(got, lobbyCount, pending) {
			continue
		}
		sound++
		if want := placement.Place(rm.name, all, o); !slices.EqualFunc(got, want, membership.Relay.Equal) {
			t.Fatalf("%d: %v, want %v", n, got, want)
		}
	}
	if sound < 100 {
		t.Errorf("%d choices from a short directory were compared", sound)
	}
}

// The plans of a simulated room obey what package plan promises.
func TestTrees(t *testing.T) {
	text := strings.Replace(strings.Replace(small, "relays: 4", "relays: 40", 1), "capacity: 200", "capacity: 10\n  degree: 6", 1)
	r, w := simulate(t, text, false)
	newest := w.rooms[0].newest[0]
	if newest.Len() < 12 || newest.Degree() != 6 {
		t.Fatalf("a plan of %d relays, degree %d", newest.Len(), newest.Degree())
	}
	if r.DegreeMax > 6 || !r.Disjoint || r.DepthMax != newest.Depth() || r.Messages.Checked != r.Messages.Plans {
		t.Errorf("degree %d, disjoint %t, depth %d (%d), %d of %d plans checked", r.DegreeMax, r.Disjoint, r.DepthMax, newest.Depth(), r.Messages.Checked, r.Messages.Plans)
	}
	for _, p := range w.rooms[0].list {
		red, blue, err := newest.Parents(p.r.name)
		if err != nil {
			continue
		}
		if p.held[plan.Red].Old.Parent != red || p.held[plan.Blue].Old.Parent != blue {
			t.Errorf("%s has %v, the plan says %s and %s", p.r.name, p.held, red, blue)
		}
	}
}

// A histogram's quantiles are those of the times themselves.
func TestHistogram(t *testing.T) {
	var h histogram
	for ms := int64(100); ms > 0; ms-- {
		h.add(ms)
	}
	h.note(12345 * time.Millisecond)
	if got := (Times{50, 99, 12345}); h.times().P50 != 51 || h.times().P99 != 100 || h.times().Max != got.Max {
		t.Errorf("%+v", h.times())
	}
	n := 0
	for _, b := range h.bins() {
		n += b.Count
	}
	if n != 101 {
		t.Errorf("%d in the bins", n)
	}
}
