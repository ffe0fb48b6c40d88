package plan

import (
	"fmt"
	"slices"
)

// Join returns the plan with one relay more, and the relays whose parents
// changed: the newcomer, which feeds nobody yet, and at most one that was alone
// in its zone. Only the relay with which a room outgrows the star moves others,
// up to Degree + 1 with itself. It fails with ErrName, ErrTwice, ErrTooBig or
// ErrDeep.
func (p *Plan) Join(r Relay) (*Plan, []string, error) {
	if err := checkName(r.Name); err != nil {
		return nil, nil, fmt.Errorf("plan: join: relay: %w", err)
	}
	if err := checkZone(r.Zone); err != nil {
		return nil, nil, fmt.Errorf("plan: join: zone: %w", err)
	}
	if p.Has(r.Name) {
		return nil, nil, fmt.Errorf("plan: join: %w: %q", ErrTwice, r.Name)
	}
	if p.size == MaxRelays {
		return nil, nil, fmt.Errorf("plan: join: %w: %d relays", ErrTooBig, MaxRelays)
	}
	q := p.next()
	k := q.add(r)
	if d := q.depth(place{k, len(q.zones[k].relays) - 1}); d > MaxDepth {
		return nil, nil, fmt.Errorf("plan: join: %w: %d hops", ErrDeep, d)
	}
	return q, Moved(p, q), nil
}

// Leave returns the plan without a relay, and the relays whose parents changed:
// those it fed and the one that takes its place, Degree + 1 at most. If it was a
// root, the one that takes its place is root; the other tree keeps its own. It
// fails with ErrUnknown, or with ErrLast for the only relay.
func (p *Plan) Leave(relay string) (*Plan, []string, error) {
	at, ok := p.find(relay)
	if !ok {
		return nil, nil, fmt.Errorf("plan: leave: %w: %q", ErrUnknown, relay)
	}
	if p.size == 1 {
		return nil, nil, fmt.Errorf("plan: leave: %w: %q", ErrLast, relay)
	}
	q := p.next()
	q.remove(at)
	return q, Moved(p, q), nil
}

// WithRoot returns the plan in which a relay is the root of one colour, in
// exchange with the one that was, and the relays whose parents changed. It moves
// those whom either of the two feeds, so more than a leaver does, and is for
// choosing a better root than chance did. A relay that is that root already gets
// p. It fails with ErrUnknown, or with ErrOtherRoot for the root of the other
// colour.
func (p *Plan) WithRoot(c Colour, relay string) (*Plan, []string, error) {
	at, ok := p.find(relay)
	switch {
	case !ok:
		return nil, nil, fmt.Errorf("plan: root: %w: %q", ErrUnknown, relay)
	case p.Root(c) == relay:
		return p, nil, nil
	case p.Root(c.Other()) == relay:
		return nil, nil, fmt.Errorf("plan: root: %w: %q", ErrOtherRoot, relay)
	}
	q := p.next()
	zone := p.zones[at.zone].name
	q.moveRoot(c, at.zone)
	k, _ := q.findZone(zone)
	z := &q.zones[k]
	z.relays = slices.Clone(z.relays)
	root := q.gateway(k, c).entry
	z.relays[root], z.relays[at.entry] = z.relays[at.entry], z.relays[root]
	return q, Moved(p, q), nil
}

// next is a copy with the next version. It shares the arrays of relays: who
// changes one makes a copy of it first.
func (p *Plan) next() *Plan {
	q := *p
	q.version.Sequence++
	q.zones = slices.Clone(p.zones)
	return &q
}

// Moved are the relays of a plan whose parents were others in an earlier one, or
// who were not there, in the order of the arrays.
func Moved(from, to *Plan) []string {
	var names []string
	for k := range to.zones {
		z := &to.zones[k]
		was := k // most zones stay where they are
		if was >= len(from.zones) || from.zones[was].name != z.name {
			was, _ = from.findZone(z.name)
		}
		for i, name := range z.relays {
			at, ok := place{was, i}, true
			if was < 0 || i >= len(from.zones[was].relays) || from.zones[was].relays[i] != name {
				at, ok = from.find(name)
			}
			now := place{k, i}
			if !ok || from.feeder(at, Red) != to.feeder(now, Red) || from.feeder(at, Blue) != to.feeder(now, Blue) {
				names = append(names, name)
			}
		}
	}
	return names
}

// feeder is the name of a parent, empty for a root.
func (p *Plan) feeder(at place, c Colour) string {
	if up, ok := p.parent(at, c); ok {
		return p.name(up)
	}
	return ""
}
