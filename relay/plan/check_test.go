package plan

import (
	"errors"
	"reflect"
	"slices"
)

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func checkErr(t fataler, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// checkPlan holds a plan against what is promised, knowing of it only what
// Relays, Roots and Parents say.
func checkPlan(t fataler, p *Plan) {
	t.Helper()
	if err := p.Validate(); err != nil {
		t.Fatalf("%v", err)
	}
	again, err := Decode(p.Encode())
	if err != nil || !reflect.DeepEqual(again, p) {
		t.Fatalf("%+v does not survive encoding: %v", p, err)
	}
	relays := p.Relays()
	if len(relays) != p.Len() {
		t.Fatalf("%d relays, Len is %d", len(relays), p.Len())
	}
	zone := make(map[string]string)
	var parents [2]map[string]string
	for c := range parents {
		parents[c] = make(map[string]string)
	}
	for _, r := range relays {
		zone[r.Name] = r.Zone
		red, blue, err := p.Parents(r.Name)
		if err != nil {
			t.Fatalf("%v", err)
		}
		parents[Red][r.Name], parents[Blue][r.Name] = red, blue
	}
	interior := make(map[string]Colour)
	for _, c := range Colours {
		checkTree(t, p, c, parents[c], zone)
		for _, up := range parents[c] {
			if was, ok := interior[up]; ok && was != c && up != "" {
				t.Fatalf("%s has children in both trees", up)
			}
			interior[up] = c
		}
	}
	checkRemovals(t, parents, relays)
}

// checkTree looks at one tree: one root, no loop, degree, depth, borders.
func checkTree(t fataler, p *Plan, c Colour, parent, zone map[string]string) {
	t.Helper()
	children := make(map[string][]string)
	entered := make(map[string]int) // by zone: how often the room comes in
	sizes := make(map[string]int)
	for name, up := range parent {
		sizes[zone[name]]++
		children[up] = append(children[up], name)
		if up != "" && zone[up] != zone[name] {
			entered[zone[name]]++
		}
	}
	if root := children[""]; !slices.Equal(root, []string{p.Root(c)}) {
		t.Fatalf("%v tree has the roots %v, Root says %s", c, root, p.Root(c))
	}
	star := len(parent) <= p.Degree()
	for name := range parent {
		if n := len(children[name]); n > p.Degree() {
			t.Fatalf("%s feeds %d relays in %v", name, n, c)
		}
		got, err := p.Children(name, c)
		slices.Sort(got)
		slices.Sort(children[name])
		if err != nil || !slices.Equal(got, children[name]) {
			t.Fatalf("%v children of %s are %v, %v; parents say %v", c, name, got, err, children[name])
		}
		depth, borders := climb(t, name, parent, zone)
		base := p.Degree()
		if base < DefaultDegree {
			base /= 2 // all that is promised
		}
		switch n := sizes[zone[name]]; {
		case star && depth > 1:
			t.Fatalf("%s is %d hops from the %v root in a room of %d", name, depth, c, len(parent))
		case depth-borders > logCeil(n, base)+1:
			t.Fatalf("%s is %d hops deep in its zone of %d, degree %d", name, depth-borders, n, p.Degree())
		}
		if depth > p.Depth() {
			t.Fatalf("%s is %d hops deep, Depth is %d", name, depth, p.Depth())
		}
	}
	for z, n := range entered {
		if !star && (n != 1 || z == zone[p.Root(c)]) {
			t.Fatalf("the %v tree enters zone %s %d times", c, z, n)
		}
	}
	checkDrawn(t, p.Tree(c), parent, zone)
}

// checkDrawn compares what Tree says.
func checkDrawn(t fataler, nodes []Node, parent, zone map[string]string) {
	t.Helper()
	if len(nodes) != len(parent) {
		t.Fatalf("a tree of %d relays has %d nodes", len(parent), len(nodes))
	}
	for i, n := range nodes {
		depth, borders := climb(t, n.Relay, parent, zone)
		if n.Parent != parent[n.Relay] || n.Zone != zone[n.Relay] || n.Depth != depth || n.Borders != borders {
			t.Fatalf("drawn as %+v: depth %d, borders %d, parent %s", n, depth, borders, parent[n.Relay])
		}
		if i > 0 && n.Depth > nodes[i-1].Depth+1 || !slices.IsSorted(n.Children) {
			t.Fatalf("%+v follows %+v", n, nodes[i-1])
		}
	}
}

func climb(t fataler, name string, parent, zone map[string]string) (hops, borders int) {
	t.Helper()
	for at := name; parent[at] != ""; at = parent[at] {
		if hops++; hops > len(parent) {
			t.Fatalf("%s is below itself", name)
		}
		if zone[at] != zone[parent[at]] {
			borders++
		}
	}
	return hops, borders
}

// checkRemovals takes each relay away: every other one still has a way up in one
// colour at least.
func checkRemovals(t fataler, parents [2]map[string]string, relays []Relay) {
	t.Helper()
	for _, r := range relays {
		above := make(map[string]bool) // who is above r in red
		for up := parents[Red][r.Name]; up != ""; up = parents[Red][up] {
			above[up] = true
		}
		for up := parents[Blue][r.Name]; up != ""; up = parents[Blue][up] {
			if above[up] {
				t.Fatalf("without %s, %s has nothing", up, r.Name)
			}
		}
	}
}
