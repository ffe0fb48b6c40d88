package plan

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// Bounds of a plan.
const (
	// MinDegree is the least number of relays that one can be told to feed:
	// below it, an entry would be its own parent. Degrees below DefaultDegree
	// make a deeper tree; they are for trying trees out with few relays.
	MinDegree = 6

	// DefaultDegree costs a relay as much per packet as 16 listeners, three in a
	// thousand of what it is built for, and puts 2,000 relays of one zone at
	// most four hops from a root. Half of it would be two hops more, twice of it
	// one hop less.
	DefaultDegree = 16

	// MaxDegree keeps a mistake from making one relay feed all others.
	MaxDegree = 64

	// MaxRelays is how many relays a room may be on.
	MaxRelays = 4096

	// MaxDepth is how many hops a relay may be from a root: half of what an
	// announcement can record.
	MaxDepth = 16

	// MaxName is the length of a room's, zone's or relay's name in bytes.
	MaxName = 255
)

// A Colour is one of the two trees.
type Colour uint8

// The two trees.
const (
	Red Colour = iota
	Blue
)

// Colours are both, for loops.
var Colours = [2]Colour{Red, Blue}

// Other is the other tree.
func (c Colour) Other() Colour { return c ^ 1 }

func (c Colour) String() string {
	if c == Red {
		return "red"
	}
	return "blue"
}

// A Relay is a relay's name and where it is. The zone may be empty: the relays
// without one stand in one zone together.
type Relay struct{ Name, Zone string }

// Options are what the first plan of a room can be given. The zero value works.
type Options struct {
	// Degree is how many relays one feeds at most, MinDegree to MaxDegree. Zero
	// means DefaultDegree.
	Degree int

	// Epoch is the first plan's. Zero means 1. A root that starts a room and
	// cannot know whether an older plan of it is still held somewhere gives the
	// time in seconds: no room has as many takeovers as seconds.
	Epoch uint64
}

// A Plan is who feeds whom in one room. Nobody changes one: Join, Leave,
// TakeOver and WithRoot return another. It may be shared by goroutines. Make it
// with New or Decode.
type Plan struct {
	room    string
	version Version
	degree  int

	// apart says that the red root is in zones[0] and the blue root in zones[1].
	// Otherwise both are in zones[0].
	apart bool

	// zones are in the order of their array; none is empty.
	zones []zone
	size  int // relays in all zones
}

// A zone is the relays of one zone, in the order of their array.
type zone struct {
	name string

	// flip exchanges the colours: entry 0 is then the zone's blue root and entry
	// 1 the red one. False in a zone of one, where it would mean nothing.
	flip bool

	relays []string
}

// New returns the first plan of a room, kept by its red root. A blue root
// without a name says that there is only one relay yet; the second to join will
// be it. It fails with ErrDegree, ErrName or ErrTwice.
func New(room string, red, blue Relay, o Options) (*Plan, error) {
	p := &Plan{
		room:    room,
		version: Version{Epoch: max(o.Epoch, 1), Keeper: red.Name},
		degree:  o.Degree,
		zones:   []zone{{name: red.Zone, relays: []string{red.Name}}},
		size:    1,
	}
	if p.degree == 0 {
		p.degree = DefaultDegree
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if blue.Name == "" {
		return p, nil
	}
	q, _, err := p.Join(blue)
	if err != nil {
		return nil, err
	}
	q.version = p.version
	return q, nil
}

// Room is the name of the room.
func (p *Plan) Room() string { return p.room }

// Version says which of two plans of a room is the newer.
func (p *Plan) Version() Version { return p.version }

// Degree is how many relays one feeds at most.
func (p *Plan) Degree() int { return p.degree }

// Len is how many relays there are, at least one.
func (p *Plan) Len() int { return p.size }

// Has reports whether a relay is in the plan.
func (p *Plan) Has(relay string) bool {
	_, ok := p.find(relay)
	return ok
}

// Relays are all relays, zone by zone, in the order of the arrays.
func (p *Plan) Relays() []Relay {
	list := make([]Relay, 0, p.size)
	for _, z := range p.zones {
		for _, name := range z.relays {
			list = append(list, Relay{name, z.name})
		}
	}
	return list
}

// Roots are the relays at which the two trees start. With one relay both are it.
func (p *Plan) Roots() (red, blue string) { return p.Root(Red), p.Root(Blue) }

// Root is the relay at which one tree starts.
func (p *Plan) Root(c Colour) string { return p.name(p.root(c)) }

func (p *Plan) root(c Colour) place { return p.gateway(p.zoneAt(int(c)), c) }

// A place is an entry of a zone's array.
type place struct{ zone, entry int }

func (p *Plan) name(at place) string { return p.zones[at.zone].relays[at.entry] }

func (p *Plan) find(relay string) (place, bool) {
	for k := range p.zones {
		if i := slices.Index(p.zones[k].relays, relay); i >= 0 {
			return place{k, i}, true
		}
	}
	return place{}, false
}

func (p *Plan) findZone(name string) (int, bool) {
	k := slices.IndexFunc(p.zones, func(z zone) bool { return z.name == name })
	return k, k >= 0
}

func checkName(name string) error {
	if name == "" {
		return fmt.Errorf("%w: empty", ErrName)
	}
	return checkZone(name)
}

// checkZone is checkName for a name that may be empty.
func checkZone(name string) error {
	if len(name) > MaxName || !utf8.ValidString(name) {
		return fmt.Errorf("%w: %.40q", ErrName, name)
	}
	return nil
}
