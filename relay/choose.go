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

// StandbySpread is how many relays share the standbys of so many listeners of a
// room at one relay: [placement.Options.Spread].
func StandbySpread(listeners int) int { return 1 + listeners/listenersAStandby }

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
	case o.Purpose == placement.Listen && doors > 0 && places[0].Name == self:
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

// Add notes a listener sent to a relay.
func (s *sent) Add(relay string, now time.Time) { s.add(relay, now) }

// Pending is how many are under way to each of these relays:
// [placement.Options.Pending].
func (s *sent) Pending(relays []membership.Relay, now time.Time) map[string]int {
	return s.pending(relays, now)
}
