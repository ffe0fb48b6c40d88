package plan

import "slices"

// add puts a relay at the end of its zone's array, or into a zone of its own,
// and returns the zone's index.
func (p *Plan) add(r Relay) int {
	p.size++
	k, known := p.findZone(r.Zone)
	if !known {
		// The second relay of a room is its blue root, wherever it is.
		p.apart = p.apart || p.size == 2
		p.zones = append(p.zones, zone{name: r.Zone, relays: []string{r.Name}})
		return len(p.zones) - 1
	}
	z := &p.zones[k]
	if len(z.relays) == 1 {
		// The first relay goes on feeding other zones in the colour in which
		// it does so now.
		z.flip = p.slotOf(k, Red)%2 == 1
	}
	z.relays = append(slices.Clone(z.relays), r.Name)
	return k
}

// remove takes a relay out, and the last of its zone into its place. There is
// another relay.
func (p *Plan) remove(at place) {
	p.size--
	last := len(p.zones[at.zone].relays) - 1
	if last == 0 {
		p.removeZone(at.zone)
		return
	}
	// The two roots of a zone are entries 0 and 1.
	orphaned := Red
	if at == p.gateway(at.zone, Blue) {
		orphaned = Blue
	}
	z := &p.zones[at.zone]
	rest := slices.Clone(z.relays[:last])
	if at.entry < last {
		rest[at.entry] = z.relays[last]
	}
	z.relays = rest
	z.flip = z.flip && last > 1
	if !p.apart && at.zone == 0 && last == 1 && len(p.zones) > 1 {
		p.split(len(p.zones)-1, orphaned)
	}
}

// removeZone takes the last zone to where zone k was.
func (p *Plan) removeZone(k int) {
	last := len(p.zones) - 1
	p.zones[k] = p.zones[last]
	p.zones = p.zones[:last]
	p.apart = p.apart && last > 1
}

// split gives the root of one colour to zone k, and leaves zone 0, which had
// both, the other one. The other zones keep their slots.
func (p *Plan) split(k int, c Colour) {
	last := len(p.zones) - 1
	roots := []zone{p.zones[0], p.zones[k]}
	if c == Red {
		slices.Reverse(roots)
	}
	p.zones[k] = p.zones[last]
	p.zones = append(roots, p.zones[1:last]...)
	p.apart = true
}

// moveRoot makes zone k the one where the tree of colour c starts.
func (p *Plan) moveRoot(c Colour, k int) {
	was := p.zoneAt(int(c))
	switch {
	case was == k:
	case !p.apart:
		p.split(k, c)
	case k > 1:
		p.zones[was], p.zones[k] = p.zones[k], p.zones[was]
	default: // zone k has the other root already, and now both
		p.zones = append(append([]zone{p.zones[k]}, p.zones[2:]...), p.zones[was])
		p.apart = false
	}
}
