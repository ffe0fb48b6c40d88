package placement

import (
	"slices"

	"github.com/stentor-audio/stentor/membership"
)

// Purpose is what a newcomer comes for.
type Purpose uint8

const (
	// Listen is for those who subscribe.
	Listen Purpose = iota
	// Speak is for those who publish. Relays keep capacity for them that
	// listeners cannot take, so their load is not looked at.
	Speak
)

const (
	// DefaultCount is how many relays a newcomer is told: one to go to, one to
	// stand by, one should either be gone.
	DefaultCount = 3

	// MaxCount is how many it is told at most.
	MaxCount = 16

	// DefaultBound is the load from which on a relay is left to those who are
	// in. A relay announces its load every few seconds, and newcomers that are
	// sent to it until then still find a place in the rest.
	DefaultBound = membership.BusyAt

	// MaxSpread is how many relays share the standbys of a room at most.
	MaxSpread = 48

	// MaxBreadth is how many relays of a zone share a room's newcomers at most.
	MaxBreadth = 16
)

// Options say who is to be placed. The zero value is a listener of whom nothing
// is known.
type Options struct {
	// Purpose is what the newcomer comes for.
	Purpose Purpose

	// Zone is the newcomer's. If it is empty, or no relay stands in it, all zones
	// are the same to it.
	Zone string

	// Count is how many relays are wanted. Zero or less means [DefaultCount];
	// above [MaxCount] counts as that.
	Count int

	// Exclude are the names of relays that the newcomer does not want: the one
	// that it leaves, those that it has tried.
	Exclude []string

	// Bound is the load in percent from which on a relay takes listeners only if
	// all others are as busy. Zero means [DefaultBound].
	Bound uint8

	// Pending is how many listeners were sent to a relay, by its name, since its
	// load was heard. They count as if they were there. May be nil.
	Pending map[string]int

	// Spread is how many relays share the standbys of the listeners of one relay,
	// so that when it dies they do not all fall upon the same other. Those relays
	// should carry the room already, so it grows with the room. Zero means 1;
	// above [MaxSpread] counts as that.
	Spread int

	// Breadth is how many relays share the newcomers, so that an audience which
	// comes at once does not fall upon one relay. Zero means 1; above [MaxBreadth]
	// counts as that. See [Breadth].
	Breadth int

	// Who is a random number of the newcomer, which chooses among those. The
	// standby is chosen by its lowest bits.
	Who uint64

	// Roots are the names of the room's roots, if it is live: speakers are sent
	// to them. Empty names mean what [Roots] says.
	Roots [2]string
}

func (o Options) withDefaults() Options {
	if o.Count <= 0 {
		o.Count = DefaultCount
	}
	o.Count = min(o.Count, MaxCount)
	if o.Bound == 0 {
		o.Bound = DefaultBound
	}
	o.Spread = min(max(o.Spread, 1), MaxSpread)
	o.Breadth = min(max(o.Breadth, 1), MaxBreadth)
	return o
}

// Place returns the relays that a newcomer to a room is sent to, the best first:
// its primary, its standby, then others to try. All are ready, none is listed
// twice, and listeners are not sent to one that is full. There may be fewer than
// wanted, down to none: see [RetryAfter].
//
// The primary of a listener is the first relay in the room's order that has
// room left (see [Options.Bound]), in the listener's zone before others; if all
// are beyond the bound, the least busy. So a small room stays on one relay a
// zone, and one that grows spills over to the next. If people come fast, it is one
// of the first few of those (see [Options.Breadth]).
//
// The two relays of a speaker are the roots of the room, which saves its voice a
// step to each tree; the one in its zone first.
//
// The standby is in another zone than the primary, if any relay there can be
// had, even a busier one.
func Place(room string, relays []membership.Relay, o Options) []membership.Relay {
	o = o.withDefaults()
	p := placing{o: o, room: hash(room), relays: relays, chosen: make([]candidate, 0, MaxCount)}
	if o.Purpose == Speak {
		p.takeRoots(room)
	}
	if len(p.chosen) == 0 {
		p.takeOne(o.Breadth, o.Who>>44, p.forPrimary)
	}
	if len(p.chosen) == 0 {
		return nil // nobody can be had
	}
	if len(p.chosen) == 1 && o.Count > 1 {
		zone := relays[p.chosen[0].at].Zone
		p.takeOne(o.Spread, o.Who, func(r *membership.Relay) int { return p.forStandby(r, zone) })
	}
	if len(p.chosen) > 1 && o.Breadth > 1 && o.Count > len(p.chosen) {
		p.takeOne(o.Breadth, o.Who>>22, p.forPrimary)
	}
	p.takeFirst(o.Count-len(p.chosen), p.forPrimary)

	placed := make([]membership.Relay, len(p.chosen))
	for i, c := range p.chosen {
		placed[i] = relays[c.at]
	}
	return placed
}

// A placing is one call of Place.
type placing struct {
	o      Options
	room   uint64
	relays []membership.Relay
	chosen []candidate
}

// takeFirst adds the first n relays by class.
func (p *placing) takeFirst(n int, class func(*membership.Relay) int) {
	if n > 0 {
		p.chosen = first(n, p.chosen, p.room, p.relays, class)
	}
}

// takeRoots adds the roots that can be had.
func (p *placing) takeRoots(room string) {
	names := p.o.Roots
	if names == [2]string{} {
		red, blue := Roots(room, p.relays)
		names = [2]string{red.Name, blue.Name}
	}
	p.takeFirst(min(2, p.o.Count), func(r *membership.Relay) int {
		switch {
		case !slices.Contains(names[:], r.Name) || !p.open(r):
			return never
		case r.Zone == p.o.Zone:
			return 0
		case r.Name == names[0]:
			return 1
		}
		return 2
	})
}

// takeOne adds one of the best n relays by class, as who has it: only those of one
// class are as good as the first.
func (p *placing) takeOne(n int, who uint64, class func(*membership.Relay) int) {
	var space [max(MaxSpread, MaxBreadth)]candidate
	best := first(n, space[:0], p.room, p.relays, class)
	equal := slices.IndexFunc(best, func(c candidate) bool { return c.class != best[0].class })
	if equal < 0 {
		equal = len(best)
	}
	if equal > 0 {
		p.chosen = append(p.chosen, best[who%uint64(equal)])
	}
}

// forStandby is the class of a relay as the one to stand by for one in a zone: idle
// ones elsewhere, busy ones elsewhere, then those of that zone.
func (p *placing) forStandby(r *membership.Relay, zone string) int {
	class := p.busyness(r)
	if class != never && r.Zone == zone {
		class += mostBusy + 1
	}
	return class
}

// forPrimary is the class of a relay as the one to go to: idle relays in the
// newcomer's zone, idle ones elsewhere, then busy ones, the least busy first.
func (p *placing) forPrimary(r *membership.Relay) int {
	class := p.busyness(r)
	if class == never {
		return never
	}
	class *= 2
	if r.Zone != p.o.Zone {
		class++
	}
	return class
}

// mostBusy is the highest that busyness returns.
const mostBusy = 100

// busyness is 0 for a relay with room left, its load if it is beyond the bound,
// and never if it is no choice.
func (p *placing) busyness(r *membership.Relay) int {
	if !p.open(r) {
		return never
	}
	if p.o.Purpose == Speak {
		return 0
	}
	switch load := load(r, p.o.Pending); {
	case load >= fullAt:
		return never
	case load >= int(p.o.Bound):
		return load
	}
	return 0
}

// open says whether r takes this newcomer, its load aside.
func (p *placing) open(r *membership.Relay) bool {
	return r.State == membership.Ready && !slices.Contains(p.o.Exclude, r.Name) &&
		!slices.ContainsFunc(p.chosen, func(c candidate) bool { return c.name == r.Name })
}
