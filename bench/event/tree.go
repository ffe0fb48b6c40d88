package event

import (
	"fmt"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/relay/plan"
)

// A Tree is how the room gets around, by the plan that its red root would make.
type Tree struct {
	Relays int `json:"relays"`
	Depth  int `json:"depth"`  // hops from a root to the farthest relay
	Degree int `json:"degree"` // relays that one feeds, at most

	// Crossings are how often the room crosses from one zone to another.
	Crossings int `json:"crossings"`
}

// room is the name of the event's room. Another name is another order of the same
// relays, and as good.
const room = "event"

// fleet is so many relays, spread over zones.
func fleet(relays, zones int) []membership.Relay {
	list := make([]membership.Relay, relays)
	for i := range list {
		list[i] = membership.Relay{
			Name:     fmt.Sprintf("zone-%d-relay-%d", 1+i%zones, 1+i/zones),
			Zone:     zoneName(i % zones),
			Capacity: 1,
			State:    membership.Ready,
		}
	}
	return list
}

func zoneName(i int) string { return fmt.Sprintf("zone-%d", 1+i) }

// inZone is how many of so many relays are in a zone: the first have one more
// where it does not come out even.
func inZone(relays, zones, i int) int { return (relays - i + zones - 1) / zones }

// arrange is the plan of a room that all of a fleet take part in.
func arrange(relays []membership.Relay, degree int) (*plan.Plan, error) {
	red, blue := placement.Roots(room, relays)
	as := func(r membership.Relay) plan.Relay { return plan.Relay{Name: r.Name, Zone: r.Zone} }
	p, err := plan.New(room, as(red), as(blue), plan.Options{Degree: degree})
	if err != nil {
		return nil, err
	}
	for _, r := range relays {
		if r.Name == red.Name || r.Name == blue.Name {
			continue
		}
		if p, _, err = p.Join(as(r)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// treeOf says what is to be known of a plan.
func treeOf(p *plan.Plan) Tree {
	t := Tree{Relays: p.Len(), Depth: p.Depth()}
	for _, c := range plan.Colours {
		zone := make(map[string]string)
		for _, n := range p.Tree(c) {
			zone[n.Relay] = n.Zone
			t.Degree = max(t.Degree, len(n.Children))
			if n.Parent != "" && zone[n.Parent] != n.Zone {
				t.Crossings++
			}
		}
	}
	return t
}

// A loss of a zone, as the trees feel it.
type cut struct {
	both, one, none int // relays that have both feeds left, one, or none
}

// without looks at what relays are left with when a zone has died and no new plan
// is there yet.
func without(p *plan.Plan, zone string) cut {
	fed := make(map[string]int)
	for _, c := range plan.Colours {
		alive := make(map[string]bool)
		for _, n := range p.Tree(c) { // parents before children
			alive[n.Relay] = n.Zone != zone && (n.Parent == "" || alive[n.Parent])
			if alive[n.Relay] {
				fed[n.Relay]++
			}
		}
	}
	var out cut
	for _, r := range p.Relays() {
		if r.Zone == zone {
			continue
		}
		switch fed[r.Name] {
		case 2:
			out.both++
		case 1:
			out.one++
		default:
			out.none++
		}
	}
	return out
}
