package plan

import (
	"fmt"
	"slices"
	"strings"
)

// A Node is a relay's place in one tree, as people and scripts read it.
type Node struct {
	Relay    string   `json:"relay"`
	Zone     string   `json:"zone"`
	Depth    int      `json:"depth"`             // hops from the root
	Parent   string   `json:"parent,omitempty"`  // empty for the root
	Children []string `json:"children"`          // sorted; never nil
	Borders  int      `json:"borders,omitempty"` // how many of the hops lead from one zone to another
}

// Tree is one of the two trees in the order in which one would draw it: a relay,
// then all that hangs below its first child, then its second, the children of
// one relay by name. Depth is how far to indent.
func (p *Plan) Tree(c Colour) []Node {
	nodes := make([]Node, 0, p.size)
	var visit func(at place, n Node)
	visit = func(at place, n Node) {
		below := p.children(at, c)
		slices.SortFunc(below, func(a, b place) int { return strings.Compare(p.name(a), p.name(b)) })
		n.Relay, n.Zone, n.Children = p.name(at), p.zones[at.zone].name, make([]string, len(below))
		for i, child := range below {
			n.Children[i] = p.name(child)
		}
		nodes = append(nodes, n)
		for _, child := range below {
			next := Node{Parent: n.Relay, Depth: n.Depth + 1, Borders: n.Borders}
			if child.zone != at.zone {
				next.Borders++
			}
			visit(child, next)
		}
	}
	visit(p.root(c), Node{})
	return nodes
}

// Parents are who feeds a relay. Empty means that it is the root of that colour.
// It fails with ErrUnknown.
func (p *Plan) Parents(relay string) (red, blue string, err error) {
	at, ok := p.find(relay)
	if !ok {
		return "", "", fmt.Errorf("plan: parents: %w: %q", ErrUnknown, relay)
	}
	return p.feeder(at, Red), p.feeder(at, Blue), nil
}

// Children are the relays that a relay feeds in one colour, in no order that
// means anything. It fails with ErrUnknown.
func (p *Plan) Children(relay string, c Colour) ([]string, error) {
	at, ok := p.find(relay)
	if !ok {
		return nil, fmt.Errorf("plan: children: %w: %q", ErrUnknown, relay)
	}
	var names []string
	for _, child := range p.children(at, c) {
		names = append(names, p.name(child))
	}
	return names, nil
}

// Below reports whether a relay takes the tree of one colour from another,
// through whomever. Relays that are not in the plan are below nobody, and nobody
// is below itself.
func (p *Plan) Below(relay, top string, c Colour) bool {
	at, ok := p.find(relay)
	for ok {
		if at, ok = p.parent(at, c); ok && p.name(at) == top {
			return true
		}
	}
	return false
}

// Depth is how many hops the farthest relay is from a root.
func (p *Plan) Depth() int {
	deepest := 0
	for k := range p.zones {
		// The last two of a zone are as deep as any before them.
		n := len(p.zones[k].relays)
		for i := max(n-2, 0); i < n; i++ {
			deepest = max(deepest, p.depth(place{k, i}))
		}
	}
	return deepest
}

// depth is how many hops a place is from the root that is farther.
func (p *Plan) depth(at place) int {
	deeper := 0
	for _, c := range Colours {
		hops := 0
		for up, ok := p.parent(at, c); ok; up, ok = p.parent(up, c) {
			hops++
		}
		deeper = max(deeper, hops)
	}
	return deeper
}
