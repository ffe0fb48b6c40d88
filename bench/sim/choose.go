package sim

import (
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/relay"
)

// Whom newcomers are sent to, and who stands in for a relay. The choice is that of
// package relay; what is done here is to spare it relays that cannot be chosen.

const (
	// fewRelays are so few that nothing need be spared.
	fewRelays = 240
	// shortZone is how many idle relays of each zone, the first in the room's order,
	// are enough to choose from, if it is not beyond spares.
	shortZone = placement.MaxSpread + lobbyCount + sparesMost
	// sparesMost is how many of them may be busy with those who are under way.
	sparesMost = 9
	// whos is how many kinds of listeners there are for the choice of a standby
	// (relay/lists.go, shares).
	whos = 64
	// listFor is how long the list of stand-ins that a relay has sent is used for
	// others there: relays send theirs once a second at most.
	listFor = time.Second
)

// breadth is how many relays share the newcomers to a room, by the lobby of a relay.
func (w *world) breadth(at *node, rm *room, zone string) int {
	v := w.views[at.zone]
	if v.zoned != v.version {
		clear(v.zones)
		v.zoned = v.version
	}
	z, ok := v.zones[zone]
	if !ok {
		z = relay.ZoneOf(zone, v.reachable(w.byName))
		v.zones[zone] = z
	}
	return at.sent.Breadth(rm.name, z, clock(w.now))
}

// standbySpread is how many relays share the standbys of a relay's listeners.
func (w *world) standbySpread(r *node, rm *room) int {
	relays := 0
	if p := rm.parts[r.id]; p != nil && p.mover.Plan() != nil {
		relays = p.mover.Plan().Len()
	}
	return relay.StandbySpread(r.listeners(rm), r.begun, relays)
}

// A shortlist is the part of a directory that a choice for a room can fall upon.
type shortlist struct {
	version uint64
	relays  []membership.Relay
	whole   bool // that is all of them
}

// shortOf is what a relay of a zone has to look at when it chooses for a room.
func (w *world) shortOf(zone int32, rm *room) *shortlist {
	v := w.views[zone]
	s := &rm.shorts[zone]
	if s.version == v.version {
		return s
	}
	s.version = v.version
	all := v.reachable(w.byName)
	s.relays, s.whole = all, true
	if len(all) <= fewRelays {
		return s
	}
	w.order(rm)
	idle, zones := make([]int, len(w.zones)), 0
	list := make([]membership.Relay, 0, shortZone*len(w.zones))
	for _, id := range rm.order {
		i := v.at[id]
		if i < 0 || v.silent[id] {
			continue
		}
		if r, z := &v.known[i], w.relays[id].zone; r.State == membership.Ready && r.Load < placement.DefaultBound && idle[z] < shortZone {
			idle[z]++
			list = append(list, *r)
		}
	}
	for _, n := range idle {
		if n >= shortZone {
			zones++
		}
	}
	// A primary comes from its own zone, a standby from another, and a busy relay
	// only where there is no idle one left.
	if zones == len(w.zones) && zones > 1 {
		s.relays, s.whole = list, false
	}
	return s
}

// order works out a room's order of all relays, once and when there are more.
func (w *world) order(rm *room) {
	if len(rm.order) == len(w.relays) {
		return
	}
	all := make([]membership.Relay, len(w.relays))
	for i, r := range w.relays {
		all[i] = membership.Relay{Name: r.name}
	}
	rm.order = rm.order[:0]
	for _, i := range placement.Order(rm.name, all) {
		rm.order = append(rm.order, int32(i))
	}
}

// sound reports whether what was chosen from a short directory would have been
// chosen from the whole.
func (s *shortlist) sound(places []membership.Relay, wanted int, pending map[string]int) bool {
	if s.whole {
		return true
	}
	if len(places) < wanted || !s.spares(pending) {
		return false
	}
	for i := range places {
		p := &places[i]
		if filled(p, pending[p.Name]) >= placement.DefaultBound {
			return false
		}
	}
	return true
}

// spares reports whether the short directory has enough idle relays even if those
// that others are on their way to are busy: whom the standbys are shared by must not
// change with what was left out.
func (s *shortlist) spares(pending map[string]int) bool {
	if len(pending) <= sparesMost {
		return true
	}
	crossed := 0
	for i := range s.relays {
		r := &s.relays[i]
		if n := pending[r.Name]; n > 0 && filled(r, n) >= placement.DefaultBound {
			crossed++
		}
	}
	return crossed <= sparesMost
}

// filled is the load of a relay when so many more have come.
func filled(r *membership.Relay, coming int) int {
	return int(r.Load) + coming*100/max(int(r.Capacity), 1)
}

// An answer is what a lobby says.
type answer struct {
	at    time.Duration
	to    []hop.Candidate
	wait  time.Duration
	first int32 // the relay that comes first; -1: none
}

// lobbyCount is how many relays a page asks for.
const lobbyCount = 3

// ask is what the lobby of a relay answers to somebody of a zone.
func (w *world) ask(at *node, rm *room, zone int32, exclude []string, who uint64) answer {
	key := cacheKey{zone, rm.id}
	if keep := w.s.Network.LobbyCache.get(); keep > 0 && len(exclude) == 0 {
		if a, ok := w.cache[key]; ok && w.now-a.at < keep {
			return a
		}
	}
	w.res.Joins.Lobby++
	s := w.shortOf(at.zone, rm)
	o := placement.Options{
		Count: lobbyCount, Exclude: exclude, Spread: w.standbySpread(at, rm),
		Who: who, Pending: at.sent.Pending(s.relays, clock(w.now)),
		Roots: w.liveRoots(at, rm),
	}
	if !w.s.Network.Lost {
		o.Zone = w.zones[zone]
	}
	o.Breadth = w.breadth(at, rm, o.Zone)
	doors, chance := at.doorsWait(w.chances.Float64()), w.chances.Float64()
	places, wait := relay.Direct(rm.name, at.name, s.relays, o, doors, chance)
	w.res.Messages.Placed++
	if !s.sound(places, lobbyCount, o.Pending) && wait == 0 || len(places) == 0 && !s.whole && wait != doors {
		all := w.views[at.zone].reachable(w.byName)
		o.Pending = at.sent.Pending(all, clock(w.now))
		places, wait = relay.Direct(rm.name, at.name, all, o, doors, chance)
		w.res.Messages.Placed++
	}
	a := answer{at: w.now, wait: wait, first: -1}
	if len(places) > 0 {
		at.sent.Add(rm.name, places[0].Name, clock(w.now))
		a.first = w.byName[places[0].Name]
	}
	a.to = w.candidates(places)
	w.checkServed(a, at, o)
	if len(exclude) == 0 && w.s.Network.LobbyCache > 0 {
		w.cache[key] = a
	}
	return a
}

func (w *world) candidates(places []membership.Relay) []hop.Candidate {
	list := make([]hop.Candidate, 0, len(places)+1)
	for i := range places {
		list = append(list, w.relays[w.byName[places[i].Name]].candidate)
	}
	return list
}

// A listCache keeps what a relay last told its clients of who stands in for it.
type listCache struct {
	at    time.Duration
	lists map[listKey][]hop.Candidate
	first []membership.Relay
	begun bool
}

type listKey struct {
	room int32
	who  uint8
}

func (l *listCache) forget() { *l = listCache{} }

func (l *listCache) fresh(now time.Duration) {
	if !l.begun || now-l.at >= listFor {
		*l = listCache{at: now, begun: true, lists: make(map[listKey][]hop.Candidate)}
	}
}

// standIns are the relays that a relay tells a listener of, without itself.
func (w *world) standIns(r *node, rm *room, who uint8) []hop.Candidate {
	r.lists.fresh(w.now)
	key := listKey{rm.id, who % whos}
	if list, ok := r.lists.lists[key]; ok {
		return list
	}
	list := w.candidates(w.findStandIns(r, rm, placement.Options{Who: uint64(who % whos)}))
	r.lists.lists[key] = list
	return list
}

// findStandIns chooses them.
func (w *world) findStandIns(r *node, rm *room, o placement.Options) []membership.Relay {
	s := w.shortOf(r.zone, rm)
	o.Zone, o.Count, o.Exclude = w.zones[r.zone], max(o.Count, placement.DefaultCount), []string{r.name}
	o.Spread, o.Roots = w.standbySpread(r, rm), w.liveRoots(r, rm)
	places := relay.StandIns(rm.name, s.relays, o)
	w.res.Messages.Placed++
	if !s.sound(places, o.Count, nil) {
		places = relay.StandIns(rm.name, w.views[r.zone].reachable(w.byName), o)
		w.res.Messages.Placed++
	}
	return places
}

// firstStandIn is what makes a relay ask for cold standbys beside its own load: the
// first of those that stand in for it, for the first kind of listener.
func (w *world) firstStandIn(r *node) []membership.Relay {
	if len(r.primaries) == 0 {
		return nil
	}
	r.lists.fresh(w.now)
	if r.lists.first == nil {
		rm := w.rooms[w.people[r.primaries[0]].room]
		if r.lists.first = w.findStandIns(r, rm, placement.Options{}); len(r.lists.first) > 1 {
			r.lists.first = r.lists.first[:1]
		}
	}
	if len(r.lists.first) == 0 {
		return nil
	}
	// Its load may have changed since.
	v := w.views[r.zone]
	if i := v.at[w.byName[r.lists.first[0].Name]]; i >= 0 {
		r.lists.first[0].Load = v.known[i].Load
	}
	return r.lists.first
}

// successor is where a session of a listener should go on, by a relay that asks it
// to leave.
func (w *world) successor(r *node, l *listener) string {
	rm := w.rooms[l.room]
	s := w.shortOf(r.zone, rm)
	o := placement.Options{
		Zone: w.zones[r.zone], Count: 1, Exclude: []string{r.name},
		Spread: w.standbySpread(r, rm), Who: uint64(l.who), Roots: w.liveRoots(r, rm),
	}
	places := placement.Place(rm.name, s.relays, o)
	w.res.Messages.Placed++
	if !s.sound(places, 1, nil) {
		places = placement.Place(rm.name, w.views[r.zone].reachable(w.byName), o)
		w.res.Messages.Placed++
	}
	if len(places) == 0 {
		return ""
	}
	return w.relays[w.byName[places[0].Name]].candidate.URL
}

// listeners is how many listen to a room at a relay.
func (r *node) listeners(rm *room) int { return r.serves[rm.id] }

// lobbyAt is the relay that somebody of a zone asks; nil if none answers.
func (w *world) lobbyAt(zone int32) *node {
	ids := w.byZone[zone]
	if n := w.s.Network.Lobbies; n > 0 && n < len(ids) {
		ids = ids[:n]
	}
	for range 4 { // who does not answer is passed over: a page asks up to four
		if len(ids) == 0 {
			break
		}
		if r := w.relays[ids[w.chances.IntN(len(ids))]]; r.alive() {
			return r
		}
	}
	return nil
}

// reachTime is how long a question to a lobby takes there and back, with a new
// connection.
func (w *world) askTime() time.Duration { return 3 * w.c.Time(cost.RTTClient) }
