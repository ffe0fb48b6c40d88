package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay/plan"
)

// A world is everything that is simulated. One goroutine owns it.
type world struct {
	s   *Scenario
	c   cost.Constants
	res *Result
	now time.Duration
	queue
	exact bool // every packet is handed to every machine when it comes; for calibration

	zones  []string
	byZone [][]int32 // relays, by zone
	relays []*node
	byName map[string]int32
	views  []*view

	rooms    []*room
	people   []listener
	speakers []*speaker
	waves    []*waveState

	// What chance is for: random.go.
	clocks, chances, coming1, luck, fate *rand.Rand

	// Constants, in the form in which they are used.
	every       time.Duration // a relay looks at its load
	tickEvery   time.Duration
	jitter      time.Duration
	perListener [2]float64 // processors, by length of packet
	perStandby  float64
	perFeed     float64       // processors, of a relay that takes a room from another
	perJoin     float64       // seconds of a processor
	busyUntil   time.Duration // of processors that all share: handshakes
	trips       [][]time.Duration
	clientTrips [][]time.Duration

	side    []int32 // of a split, by zone
	splitAt time.Duration
	cache   map[cacheKey]answer

	// What is counted.
	listening  int
	awakes     int
	mostAwake  int
	refusals   int64
	hops       int64
	lostNow    int64
	overloaded int64
	hopTimes   [7]histogram // by cause
	firstAudio histogram
	lastIn     time.Duration
	readyAt    time.Duration // when capacity last became ready
	events     []*happened
	watching   bool
	before     *Tree
	last       *aftermath // of what happened last; nil while nothing has
	bestLoad   []float64  // of the busiest sample
	bestCount  int
	fault      error
}

type cacheKey struct{ zone, room int32 }

// A waveState is how far an arrival is.
type waveState struct {
	Arrival
	come int
}

func (w *world) push(e event) { w.queue.push(e) }

func (w *world) after(d time.Duration, run func()) {
	w.call(w.now+max(d, 0), run)
}

// newWorld builds a world in which nothing has happened yet.
func newWorld(s *Scenario, c cost.Constants, seed uint64) *world {
	w := &world{
		s: s, c: c, byName: make(map[string]int32), cache: make(map[cacheKey]answer),
		clocks: source(seed, forClocks), chances: source(seed, forChances), coming1: source(seed, forArrivals),
		luck: source(seed, forPeople), fate: source(seed, forStrikes),
		every: c.Time(cost.LoadReport), tickEvery: c.Time(cost.Tick), jitter: c.Time(cost.Jitter),
		perStandby: c.CPUPerStandby(cost.WebTransport).Seconds(), perJoin: c.Time(cost.JoinCPU).Seconds(),
		splitAt: never,
	}
	w.res = &Result{
		Scenario: s.Name, About: s.About, Seed: seed, Disjoint: true, Rooms: s.Rooms.Count,
		Series: Series{EveryMS: w.sampleEvery().Milliseconds()},
	}
	w.perFeed = c.CPUPerListener(cost.QUIC, frame).Seconds()
	for i, packet := range lengths {
		w.perListener[i] = c.CPUPerListener(cost.WebTransport, packet).Seconds()
	}
	for _, z := range s.Network.Zones {
		w.zones = append(w.zones, z.Name)
		w.byZone = append(w.byZone, nil)
		w.side = append(w.side, 0)
	}
	all := w.totalRelays()
	for i := range w.zones {
		w.views = append(w.views, newView(all))
		w.trips = append(w.trips, nil)
		for j := range w.zones {
			w.trips[i] = append(w.trips[i], c.RTT(w.zones[i], w.zones[j]))
		}
	}
	for i := range w.zones {
		w.clientTrips = append(w.clientTrips, nil)
		for j := range w.zones {
			w.clientTrips[i] = append(w.clientTrips[i], w.clientTrip(i, j))
		}
	}
	return w
}

// totalRelays is how many relays there are ever, those that are added included.
func (w *world) totalRelays() int {
	n := 0
	for _, z := range w.s.Network.Zones {
		n += z.Relays
	}
	for _, h := range w.s.Happenings {
		if h.Do == "add" {
			n += h.Relays
		}
	}
	return n
}

// build makes a relay that does not run yet.
func (w *world) build(zone int) *node {
	id := int32(len(w.relays))
	name := fmt.Sprintf("%s-%d", w.zones[zone], len(w.byZone[zone])+1)
	r := &node{id: id, name: name, zone: int32(zone), mute: 0, serves: make(map[int32]int)}
	r.candidate = hop.Candidate{Name: name, Zone: w.zones[zone], URL: "https://" + name + ":4443/room"}
	r.told = membership.Relay{
		Name: name, Zone: w.zones[zone], URL: "https://" + name + ":4443", Addr: name + ":4443",
		Capacity: uint32(w.s.Network.Capacity), Version: "sim",
	}
	w.relays = append(w.relays, r)
	w.byZone[zone] = append(w.byZone[zone], id)
	w.byName[name] = id
	w.res.Relays = max(w.res.Relays, len(w.relays))
	return r
}

// begin lets everything be there that is there at the beginning, and everything be
// due that is to happen.
func (w *world) begin1() {
	for zone, z := range w.s.Network.Zones {
		for range z.Relays {
			r := w.build(zone)
			w.start(r)
		}
	}
	for _, r := range w.relays { // they have been there for long
		r.told.State = membership.Ready
		for _, v := range w.views {
			v.hear(r.id, r.told)
		}
	}
	for i := range w.s.Rooms.Count {
		w.rooms = append(w.rooms, &room{
			id: int32(i), name: fmt.Sprintf("room-%d", i+1), parts: make(map[int32]*part),
			shorts: make([]shortlist, len(w.zones)), newest: make([]*plan.Plan, 2),
		})
	}
	for _, rm := range w.rooms {
		w.after(time.Duration(w.clocks.Int64N(int64(time.Second))), func() { w.speak(rm) })
	}
	for i := range w.s.Arrivals {
		w.waves = append(w.waves, &waveState{Arrival: w.s.Arrivals[i]})
		w.push(event{at: w.waveAt(w.waves[i]), kind: arrive, a: int32(i)})
	}
	for i := range w.s.Happenings {
		h := &w.s.Happenings[i]
		w.call(h.At.get()+warmUp, func() { w.strike(h) })
	}
}

// warmUp is how long speakers are there before the scenario's time begins, so that
// rooms have a plan.
const warmUp = 5 * time.Second

// waveAt is when the next of a wave comes.
func (w *world) waveAt(v *waveState) time.Duration {
	x := (float64(v.come) + w.coming1.Float64()) / float64(v.Listeners)
	if v.Shape == "peak" { // a triangle: half have come in the middle
		if x < 0.5 {
			x = sqrt(x / 2)
		} else {
			x = 1 - sqrt((1-x)/2)
		}
	}
	return max(w.now, warmUp+v.From.get()+time.Duration(x*float64(v.Over)))
}

// next does what is due first.
func (w *world) next() {
	e := w.pop()
	w.now = e.at
	w.res.Messages.Events++
	switch e.kind {
	case call:
		w.called(e)()
	case measure:
		if r := w.relays[e.a]; r.life == e.b && r.alive() {
			w.look(r)
			w.push(event{at: w.now + w.every, kind: measure, a: e.a, b: e.b})
		}
	case announce:
		if r := w.relays[e.a]; r.life == e.b {
			w.announce(r)
		}
	case arrive:
		v := w.waves[e.a]
		v.come++
		w.come(w.rooms[w.luck.IntN(len(w.rooms))], int32(w.zoneOf(w.luck)))
		if v.come < v.Listeners {
			w.push(event{at: w.waveAt(v), kind: arrive, a: e.a})
		}
	case leave:
		w.goHome(e.a)
	case wake:
		if a := w.people[e.a].awake; a != nil && a.wakeAt == e.at {
			a.wakeAt = never
			w.turnOf(e.a)
		}
	case tell:
		w.told(e.a, hop.Session(e.b), e.c)
	case lobby:
		w.atLobby(e.a)
	case turn:
		if p := w.rooms[e.a].parts[e.b]; p != nil && p.turnAt <= e.at {
			w.lookAround(p)
		}
	case flow:
		w.workOut(w.rooms[e.a])
	case patience:
		w.impatient(e.a)
	case chat:
		if s := w.speakers[e.a]; s.wakeAt == e.at {
			s.wakeAt = never
			w.chatOf(s)
		}
	}
}

// zoneOf is where a newcomer is: as many come from a zone as it has relays.
func (w *world) zoneOf(r *rand.Rand) int {
	n := r.IntN(max(w.firstRelays(), 1))
	for i, z := range w.s.Network.Zones {
		if n -= z.Relays; n < 0 {
			return i
		}
	}
	return 0
}

func (w *world) firstRelays() int {
	n := 0
	for _, z := range w.s.Network.Zones {
		n += z.Relays
	}
	return n
}
