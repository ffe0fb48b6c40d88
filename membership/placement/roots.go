package placement

import "github.com/stentor-audio/stentor/membership"

// Roots returns the relays where a room's two trees start, for a room that has
// none yet: the first two in the room's order, blue in another zone than red
// where there is one. Relays that are not ready are taken only for want of
// others. With one relay, blue is the zero Relay; with none, both are.
func Roots(room string, relays []membership.Relay) (red, blue membership.Relay) {
	red = root(room, relays, membership.Relay{})
	blue = root(room, relays, red)
	return red, blue
}

// KeepRoots returns the roots of a room that has some: held are the names of
// its red and its blue root. Each stays as long as it is ready. A root that has
// gone is replaced; one that drains or has restarted is replaced too, unless no
// relay is ready that could be it. At most one of the two changes, so that every
// relay of the room has a tree that works, unless both have gone or blue never
// was; who wants the next change asks again when this one is done.
//
// An empty name is a root that never was. Blue moves before red, which then
// hands over the room to a complete pair.
func KeepRoots(room string, relays []membership.Relay, held [2]string) (red, blue membership.Relay) {
	red, blue = find(relays, held[0]), find(relays, held[1])
	if red.Name == blue.Name {
		blue = membership.Relay{}
	}
	switch {
	case red.Name == "" && blue.Name == "":
		return Roots(room, relays)
	case red.Name == "":
		red = root(room, relays, blue)
	case blue.Name == "":
		blue = root(room, relays, red)
	case blue.State != membership.Ready && isReady(root(room, relays, red)):
		blue = root(room, relays, red)
	case red.State != membership.Ready && isReady(root(room, relays, blue)):
		red = root(room, relays, blue)
	}
	return red, blue
}

// root returns the first relay in the room's order that can be a root beside
// other; other may be the zero Relay.
func root(room string, relays []membership.Relay, other membership.Relay) membership.Relay {
	var space [1]candidate
	chosen := first(1, space[:0], hash(room), relays, func(r *membership.Relay) int {
		if r.Name == other.Name {
			return never
		}
		class := 2 * rank(r.State)
		if other.Name != "" && r.Zone == other.Zone {
			class++
		}
		return class
	})
	if len(chosen) == 0 {
		return membership.Relay{}
	}
	return relays[chosen[0].at]
}

// rank orders states by how well a relay in it carries a room: one that drains
// still does, one that starts does not yet, one in a state that only a later
// version knows may not.
func rank(s membership.State) int {
	switch s {
	case membership.Ready:
		return 0
	case membership.Draining:
		return 1
	case membership.Starting:
		return 2
	}
	return 3
}

func isReady(r membership.Relay) bool { return r.Name != "" && r.State == membership.Ready }

// find returns the relay of that name, in a snapshot of any order.
func find(relays []membership.Relay, name string) membership.Relay {
	for i := range relays {
		if name != "" && relays[i].Name == name {
			return relays[i]
		}
	}
	return membership.Relay{}
}
