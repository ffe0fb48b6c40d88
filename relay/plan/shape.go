package plan

// The shape of an array: see the package comment. A side is a colour as the
// array counts it: on side 0 the entries 0, 2, 4 … are parents, on side 1 the
// entries 1, 3, 5 …; first is how many children a root has places for, rest how
// many any other parent has.
type shape struct{ first, rest int }

// across is how many of a relay's children may be in other zones: about half,
// and odd, so that a root feeds as many future parents in either colour.
func (p *Plan) across() int { return (p.degree/2 - 1) | 1 }

// local is the shape of a zone, trunk that of the zones' own array.
func (p *Plan) local() shape { return shape{p.degree - p.across(), p.degree} }
func (p *Plan) trunk() shape { return shape{p.across(), p.across()} }

// star reports whether the room is so small that the roots feed everybody.
func (p *Plan) star() bool { return p.size <= p.degree }

// parent is the parent of entry i among n, or -1 for a root.
func (s shape) parent(i, side, n int) int {
	switch {
	case i == side, i == 0 && n == 1:
		return -1
	case i == 0:
		return 1
	case i <= s.first:
		return side
	}
	return 2*(1+(i-s.first-1)/s.rest) + side
}

// children appends the children of entry i among n to list.
func (s shape) children(list []int, i, side, n int) []int {
	if i%2 != side {
		return list
	}
	from, to := 1, s.first
	if hub := i / 2; hub > 0 {
		from = s.first + 1 + (hub-1)*s.rest
		to = from + s.rest - 1
	} else if side == 1 && n > 1 {
		list = append(list, 0)
	}
	for j := from; j <= min(to, n-1); j++ {
		if j != i {
			list = append(list, j)
		}
	}
	return list
}

// The zones' array has a slot for each zone; where both roots are in one zone,
// that zone has the first two.

func (p *Plan) slots() int {
	if p.apart {
		return len(p.zones)
	}
	return len(p.zones) + 1
}

func (p *Plan) zoneAt(slot int) int {
	if p.apart {
		return slot
	}
	return max(slot-1, 0)
}

// slotOf is the slot of a zone as seen in one colour.
func (p *Plan) slotOf(zone int, c Colour) int {
	switch {
	case p.apart:
		return zone
	case zone == 0:
		return int(c)
	}
	return zone + 1
}

// gateway is the relay of a zone that takes the room in across the border: its
// root in that colour.
func (p *Plan) gateway(zone int, c Colour) place {
	z := &p.zones[zone]
	if len(z.relays) == 1 {
		return place{zone, 0}
	}
	return place{zone, z.side(c)}
}

// side is how the zone's array counts a colour.
func (z *zone) side(c Colour) int {
	if z.flip {
		return int(c.Other())
	}
	return int(c)
}

// parent is who feeds the relay at a place, unless that is a root.
func (p *Plan) parent(at place, c Colour) (place, bool) {
	if p.star() {
		root := p.root(c)
		return root, at != root
	}
	z := &p.zones[at.zone]
	if i := p.local().parent(at.entry, z.side(c), len(z.relays)); i >= 0 {
		return place{at.zone, i}, true
	}
	slot := p.trunk().parent(p.slotOf(at.zone, c), int(c), p.slots())
	if slot < 0 {
		return place{}, false
	}
	return p.gateway(p.zoneAt(slot), c), true
}

// children are the places that the relay at a place feeds.
func (p *Plan) children(at place, c Colour) []place {
	var list []place
	if p.star() {
		if at != p.root(c) {
			return nil
		}
		for k := range p.zones {
			for i := range p.zones[k].relays {
				if to := (place{k, i}); to != at {
					list = append(list, to)
				}
			}
		}
		return list
	}
	z := &p.zones[at.zone]
	for _, i := range p.local().children(nil, at.entry, z.side(c), len(z.relays)) {
		list = append(list, place{at.zone, i})
	}
	if at != p.gateway(at.zone, c) {
		return list
	}
	for _, slot := range p.trunk().children(nil, p.slotOf(at.zone, c), int(c), p.slots()) {
		if k := p.zoneAt(slot); k != at.zone {
			list = append(list, p.gateway(k, c))
		}
	}
	return list
}
