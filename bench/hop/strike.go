package hop

import (
	"cmp"
	"slices"
	"time"
)

// A Role is the part of a relay in the room.
type Role string

// The roles.
const (
	Edge     Role = "edge"      // it has listeners, and if possible no other part
	RedRoot  Role = "red_root"  // where the red tree starts
	BlueRoot Role = "blue_root" // where the blue one does
	Interior Role = "interior"  // another relay's parent, and no root
	Ingest   Role = "ingest"    // where the speaker publishes
)

// The roles of several relays, and those that the causes Restart and Join have.
const (
	Pair  Role = "pair"  // an edge, and pairApart later the red root
	Roots Role = "roots" // both roots at once
	All   Role = "all"   // every relay in turn
	New   Role = "new"   // a relay that was not there
)

// None as a role or a cause strikes nobody.
const None = "none"

// Roles are those that are struck if nothing else is wished, in that order.
var Roles = []Role{Edge, RedRoot, BlueRoot, Interior, Ingest}

// SeveralRoles are those of more than one relay, which are struck on request.
var SeveralRoles = []Role{Pair, Roots}

// pairApart is how long the second relay of a pair outlives the first: long
// enough for listeners to have hopped, too short for the first to be back.
const pairApart = 5 * time.Second

// A Cause is what happens to a relay.
type Cause string

// The causes.
const (
	Kill   Cause = "kill"   // SIGKILL; started again under the same name
	Freeze Cause = "freeze" // SIGSTOP; goes on later
	Cut    Cause = "cut"    // off the network; put back later
	Drain  Cause = "drain"  // asked to let its sessions go; undrained later
)

// Causes that are not one relay's misfortune: whatever the roles, they happen
// once.
const (
	Restart Cause = "restart" // each relay drains, ends and is started again, one after the other
	Join    Cause = "join"    // one more relay comes
)

// Causes are those that relays are struck by if nothing else is wished.
var Causes = []Cause{Kill, Freeze, Cut, Drain}

// WideCauses concern the whole network, and happen on request.
var WideCauses = []Cause{Restart, Join}

// A Strike is one relay's misfortune.
type Strike struct {
	Role  Role
	Cause Cause
}

// Plan is every role with every cause in turn, repeated: neighbours in it differ
// in their role, so that a relay has time to come back. Restart and Join are in
// it once a repetition.
func Plan(roles []Role, causes []Cause, repeat int) []Strike {
	plan := make([]Strike, 0, max(repeat, 0)*len(roles)*len(causes))
	for range repeat {
		for _, cause := range causes {
			switch cause {
			case Restart:
				plan = append(plan, Strike{All, cause})
				continue
			case Join:
				plan = append(plan, Strike{New, cause})
				continue
			}
			for _, role := range roles {
				plan = append(plan, Strike{role, cause})
			}
		}
	}
	return plan
}

// A Tree is a room as a relay's admin address describes it under /v1/tree.
type Tree struct {
	Red   string `json:"red"`
	Blue  string `json:"blue"`
	Nodes []Node `json:"nodes"`
}

// A Node is a relay's part in a room.
type Node struct {
	Relay     string   `json:"relay"`
	Parents   []string `json:"parents"` // red, blue
	Listeners int      `json:"listeners"`
	Speakers  []string `json:"speakers"`
}

// Pick is the relay that has a role. Where several have, it is the one with the
// fewest other parts, of those the one with the most listeners, of those the
// first by name. It is not ok if there is none.
func (t Tree) Pick(role Role) (relay string, ok bool) { return t.pick(role, "") }

// A Blow strikes one relay.
type Blow struct {
	Relay string
	After time.Duration // after the first one
}

// Blows are whom a role strikes, each relay once. They are not ok if one of the
// parts has no relay of its own.
func (t Tree) Blows(role Role) (blows []Blow, ok bool) {
	parts, apart := []Role{role}, time.Duration(0)
	switch role {
	case Pair:
		parts, apart = []Role{RedRoot, Edge}, pairApart
	case Roots:
		parts = []Role{RedRoot, BlueRoot}
	}
	taken := ""
	for _, part := range parts {
		relay, ok := t.pick(part, taken)
		if !ok {
			return nil, false
		}
		blows, taken = append(blows, Blow{Relay: relay}), relay
	}
	// Of a pair the root, of which there is one, chooses first and is struck last.
	blows[0].After = apart
	slices.SortStableFunc(blows, func(a, b Blow) int { return cmp.Compare(a.After, b.After) })
	return blows, true
}

// pick is [Tree.Pick] among all relays but one.
func (t Tree) pick(role Role, but string) (relay string, ok bool) {
	var fitting []Node
	for _, n := range t.Nodes {
		if n.Relay != but && slices.Contains(t.parts(n), role) {
			fitting = append(fitting, n)
		}
	}
	if len(fitting) == 0 {
		return "", false
	}
	best := slices.MinFunc(fitting, func(a, b Node) int {
		return cmp.Or(
			cmp.Compare(len(t.parts(a)), len(t.parts(b))),
			cmp.Compare(b.Listeners, a.Listeners),
			cmp.Compare(a.Relay, b.Relay),
		)
	})
	return best.Relay, true
}

// parts are the roles that a relay has.
func (t Tree) parts(n Node) (parts []Role) {
	if n.Listeners > 0 {
		parts = append(parts, Edge)
	}
	if n.Relay == t.Red {
		parts = append(parts, RedRoot)
	}
	if n.Relay == t.Blue {
		parts = append(parts, BlueRoot)
	}
	if n.Relay != t.Red && n.Relay != t.Blue && t.hasChildren(n.Relay) {
		parts = append(parts, Interior)
	}
	if len(n.Speakers) > 0 {
		parts = append(parts, Ingest)
	}
	return parts
}

// names are those of all relays in the room.
func (t Tree) names() (all []string) {
	for _, n := range t.Nodes {
		all = append(all, n.Relay)
	}
	return all
}

// listeners is how many some of the relays have.
func (t Tree) listeners(relays []string) (sum int) {
	for _, n := range t.Nodes {
		if slices.Contains(relays, n.Relay) {
			sum += n.Listeners
		}
	}
	return sum
}

func (t Tree) hasChildren(relay string) bool {
	return slices.ContainsFunc(t.Nodes, func(n Node) bool { return slices.Contains(n.Parents, relay) })
}
