package main

import (
	"strings"
	"testing"

	"github.com/stentor-audio/stentor/relay/api"
)

func TestPrintTree(t *testing.T) {
	node := func(name, red, blue string) api.Node {
		return api.Node{Relay: name, Zone: "par", State: "ready", Parents: []string{red, blue}}
	}
	tree := api.Tree{Room: "town", Red: "a", Blue: "b", Nodes: []api.Node{
		node("a", "", "b"), node("b", "a", ""), node("c", "a", "b"), node("d", "a", "b"), node("e", "c", "d"),
	}}
	tree.Nodes[4].Listeners, tree.Nodes[2].State = 1, "draining"
	var b strings.Builder
	if err := printTree(&b, tree); err != nil {
		t.Fatal(err)
	}
	var shape []string
	for line := range strings.Lines(b.String()) {
		line, _, _ = strings.Cut(strings.TrimSuffix(line, "\n"), ", load")
		shape = append(shape, strings.ReplaceAll(line, " (par)", ""))
	}
	want := `town: 1 listener, 5 relays

red, 2 hops deep
a
├─ b
├─ c, draining
│  └─ e
└─ d

blue, 2 hops deep
b
├─ a
├─ c, draining
└─ d
   └─ e`
	if got := strings.Join(shape, "\n"); got != want {
		t.Errorf("it draws\n%s\nwant\n%s", got, want)
	}
}

// What relays say while they change parents need not be a tree.
func TestPrintTreeOfARing(t *testing.T) {
	tree := api.Tree{Room: "town", Red: "a", Nodes: []api.Node{
		{Relay: "a", Parents: []string{"b", ""}}, {Relay: "b", Parents: []string{"a", ""}}, {Relay: "c"},
	}}
	var b strings.Builder
	if err := printTree(&b, tree); err != nil || !strings.Contains(b.String(), "b, unknown") {
		t.Errorf("%v\n%s", err, &b)
	}
}
