package hop

import (
	"cmp"
	"slices"
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

// Roles are all of them, in the order in which they are struck.
var Roles = []Role{Edge, RedRoot, BlueRoot, Interior, Ingest}

// A Cause is what happens to a relay.
type Cause string

// The causes.
const (
	Kill   Cause = "kill"   // SIGKILL; started again under the same name
	Freeze Cause = "freeze" // SIGSTOP; goes on later
	Cut    Cause = "cut"    // off the network; put back later
	Drain  Cause = "drain"  // asked to let its sessions go; undrained later
)

// Causes are all of them.
var Causes = []Cause{Kill, Freeze, Cut, Drain}

// A Strike is one relay's misfortune.
type Strike struct {
	Role  Role
	Cause Cause
}

// Plan is every role with every cause in turn, repeated: neighbours in it differ
// in their role, so that a relay has time to come back.
func Plan(roles []Role, causes []Cause, repeat int) []Strike {
	plan := make([]Strike, 0, max(repeat, 0)*len(roles)*len(causes))
	for range repeat {
		for _, cause := range causes {
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
func (t Tree) Pick(role Role) (relay string, ok bool) {
	var fitting []Node
	for _, n := range t.Nodes {
		if slices.Contains(t.parts(n), role) {
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

func (t Tree) hasChildren(relay string) bool {
	return slices.ContainsFunc(t.Nodes, func(n Node) bool { return slices.Contains(n.Parents, relay) })
}
