package relay

import (
	"slices"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/relay/admission"
)

// What a relay tells its clients of where to go, as plain functions of what it
// knows.

// listenersAStandby is how many listeners of a room at one relay share a standby:
// when that relay dies, they shall not all fall upon one other.
const listenersAStandby = 100

// relaysAStandby is how many relays of a room share one more.
const relaysAStandby = 16

// StandbySpread is how many relays share the standbys of so many listeners of a
// room at one relay, at which so many sessions a second begin, while so many relays
// take part in the room: [placement.Options.Spread]. Who comes dials its standby a
// moment later, and an audience that comes at once shall not fall upon one other
// then either; and when a relay dies for which others all over the room stood by,
// many relays look for new standbys at once. A room of a few stays on few relays,
// however many come for others.
func StandbySpread(listeners int, joins float64, relays int) int {
	coming := min(max(joins, 0), float64(listeners)/4, placement.MaxSpread)
	return 1 + listeners/listenersAStandby + int(coming) + relays/relaysAStandby
}

// fillRate is what share of its capacity a relay shall have to take of newcomers in
// a second: a join costs as much as seconds of listening, and what comes faster
// makes those late who are in.
const fillRate = 0.02

// A Zone is what takes newcomers there: how many relays, for how many sessions
// altogether, and how many are there already. Its name is empty if it is all zones.
type Zone struct {
	Name           string
	Relays         int
	Capacity, Used float64
}

// ZoneOf adds up the ready relays of a zone; of all zones if it is empty, or if
// none stands there.
func ZoneOf(zone string, relays []membership.Relay) Zone {
	z := Zone{Name: zone}
	for i := range relays {
		if r := &relays[i]; r.State == membership.Ready && (zone == "" || r.Zone == zone) {
			z.Relays++
			z.Capacity += float64(r.Capacity)
			z.Used += float64(r.Capacity) * float64(r.Load) / 100
		}
	}
	if z.Relays == 0 && zone != "" {
		return ZoneOf("", relays)
	}
	return z
}

// Breadth is how many of the zone's relays share the newcomers to a room:
// [placement.Options.Breadth]. own is how many of them this lobby has sent on a
// second lately, and grows by how many sessions a second the zone's loads have
// grown, of which each listener has two. Other lobbies see other newcomers: there
// are as many as the loads tell, but not fewer than came here, nor more than if
// every relay of the zone were asked as often.
func (z Zone) Breadth(own, grows float64) int {
	if !(own > 0) || z.Capacity == 0 {
		return 1
	}
	n, come := float64(z.Relays), own
	if grows > 2*own { // not so if it is no number
		come = min(grows/2, own*n)
	}
	bears := fillRate * z.Capacity / n // newcomers a second and relay
	return 1 + int(min(come/bears, placement.MaxBreadth))
}

// leastRetry is how long whoever finds no place waits at the least.
const leastRetry = time.Second

// Direct is what the lobby of the relay self tells a newcomer to a room: the
// relays to go to, the best first, or how long to wait before asking again. doors
// is how long newcomers to self itself have to wait; chance is from 0 to 1.
func Direct(room, self string, relays []membership.Relay, o placement.Options, doors time.Duration, chance float64) (places []membership.Relay, wait time.Duration) {
	places = placement.Place(room, relays, o)
	switch {
	case len(places) == 0:
		return nil, max(leastRetry, placement.RetryAfter(relays, nil, chance))
	case o.Purpose != placement.Listen || doors <= 0 || places[0].Name != self:
		return places, 0
	}
	o.Exclude = append(slices.Clone(o.Exclude), self)
	places = placement.Place(room, relays, o)
	if len(places) == 0 || places[0].Load >= placement.DefaultBound {
		return nil, doors
	}
	return places, 0
}

// StandIns are the relays where a session may go on when its own, which o
// excludes, is gone: those of other zones than o's first, because a standby shall
// not fall with the relay that it stands in for.
func StandIns(room string, relays []membership.Relay, o placement.Options) []membership.Relay {
	others := placement.Place(room, relays, o)
	near := func(r membership.Relay) int {
		if r.Zone != o.Zone {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(others, func(a, b membership.Relay) int { return near(a) - near(b) })
	return others
}

// Cold reports whether clients are to stand by without a session: there is little
// to spare where they are, or at the first of those that would stand in.
func Cold(here admission.Ladder, others []membership.Relay) bool {
	return here.Cold || len(others) > 0 && admission.At(float64(others[0].Load), 0).Cold
}

// A Sent counts the listeners that a lobby has sent to relays and that their loads
// do not show yet. The zero value has sent nobody.
type Sent = sent

// Add notes a listener of a room sent to a relay.
func (s *sent) Add(room, relay string, now time.Time) { s.add(room, relay, now) }

// Breadth is how many relays of a zone share a room's newcomers now.
func (s *sent) Breadth(room string, z Zone, now time.Time) int { return s.breadth(room, z, now) }

// Pending is how many are under way to each of these relays:
// [placement.Options.Pending].
func (s *sent) Pending(relays []membership.Relay, now time.Time) map[string]int {
	return s.pending(relays, now)
}
