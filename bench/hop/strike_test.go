package hop

import (
	"slices"
	"testing"
)

func TestPlan(t *testing.T) {
	got := Plan([]Role{Edge, Ingest}, []Cause{Kill, Cut}, 2)
	round := []Strike{{Edge, Kill}, {Ingest, Kill}, {Edge, Cut}, {Ingest, Cut}}
	if want := append(slices.Clone(round), round...); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	for _, none := range [][]Strike{Plan(nil, Causes, 1), Plan(Roles, nil, 1), Plan(Roles, Causes, 0), Plan(Roles, Causes, -1)} {
		if len(none) != 0 {
			t.Errorf("%v", none)
		}
	}
}

func TestPick(t *testing.T) {
	node := func(name string, listeners int, speaker string, parents ...string) Node {
		n := Node{Relay: name, Parents: parents, Listeners: listeners}
		if speaker != "" {
			n.Speakers = []string{speaker}
		}
		return n
	}
	large := Tree{Red: "r", Blue: "b", Nodes: []Node{
		node("b", 50, "", "r", ""), node("e", 90, "", "i", "b"), node("f", 90, "", "i", "b"),
		node("i", 100, "", "r", "b"), node("j", 0, "", "r", "i"), node("r", 10, "ada", "", "b"), node("s", 0, "ada", "r", "b"),
	}}
	small := Tree{Red: "a", Blue: "b", Nodes: []Node{node("a", 5, "ada", "", "b"), node("b", 9, "", "a", "")}}
	tests := []struct {
		name string
		tree Tree
		want map[Role]string // none is an error
	}{
		{"each part has its relay", large, map[Role]string{Edge: "e", RedRoot: "r", BlueRoot: "b", Interior: "i", Ingest: "s"}},
		{"few relays have many parts", small, map[Role]string{Edge: "b", RedRoot: "a", BlueRoot: "b", Ingest: "a"}},
		{"one relay has both roots", Tree{Red: "a", Blue: "a", Nodes: small.Nodes[:1]}, map[Role]string{Edge: "a", RedRoot: "a", BlueRoot: "a", Ingest: "a"}},
		{"nobody", Tree{}, nil},
		{"a root that is not there", Tree{Red: "x", Nodes: []Node{node("a", 0, "")}}, nil},
	}
	for _, tt := range tests {
		for _, role := range Roles {
			got, ok := tt.tree.Pick(role)
			if want := tt.want[role]; got != want || ok != (want != "") {
				t.Errorf("%s: %s is %q, %v; want %q", tt.name, role, got, ok, want)
			}
		}
	}
}

func TestPlanOfTheWholeNetwork(t *testing.T) {
	got := Plan([]Role{Edge, Pair}, []Cause{Restart, Kill, Join}, 1)
	want := []Strike{{All, Restart}, {Edge, Kill}, {Pair, Kill}, {New, Join}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := Plan(nil, WideCauses, 2); !slices.Equal(got, []Strike{{All, Restart}, {New, Join}, {All, Restart}, {New, Join}}) {
		t.Errorf("without roles: %v", got)
	}
}

func TestBlows(t *testing.T) {
	tree := Tree{Red: "a", Blue: "b", Nodes: []Node{{Relay: "a", Listeners: 5}, {Relay: "b", Listeners: 4}, {Relay: "c", Listeners: 3}}}
	two := Tree{Red: "a", Blue: "b", Nodes: []Node{{Relay: "a", Listeners: 5}, {Relay: "b"}}}
	one := Tree{Red: "a", Blue: "a", Nodes: []Node{{Relay: "a", Listeners: 5}}}
	tests := []struct {
		name string
		tree Tree
		role Role
		want []Blow // none is an error
	}{
		{"one relay", tree, Edge, []Blow{{Relay: "c"}}},
		{"an edge, then the root", tree, Pair, []Blow{{Relay: "c"}, {Relay: "a", After: pairApart}}},
		{"both roots", tree, Roots, []Blow{{Relay: "a"}, {Relay: "b"}}},
		{"the only edge is the root", two, Pair, nil},
		{"one relay is both roots", one, Roots, nil},
		{"a pair of one", one, Pair, nil},
		{"no room", Tree{}, Roots, nil},
		{"no such part", tree, Ingest, nil},
	}
	for _, tt := range tests {
		got, ok := tt.tree.Blows(tt.role)
		if !slices.Equal(got, tt.want) || ok != (tt.want != nil) {
			t.Errorf("%s: %v, %v; want %v", tt.name, got, ok, tt.want)
		}
	}
	if got := tree.listeners([]string{"a", "c", "x"}); got != 8 {
		t.Errorf("%d listeners", got)
	}
	if got := tree.listeners(tree.names()); got != 12 {
		t.Errorf("%d listeners at all", got)
	}
}
