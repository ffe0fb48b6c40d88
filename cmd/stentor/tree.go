package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/relay/api"
)

func treeCommand() *cli.Command {
	return &cli.Command{
		Name:      "tree",
		Usage:     "draw how a room gets from its roots to its listeners",
		ArgsUsage: "ROOM",
		UsageText: "stentor tree town\n" +
			"stentor tree --json town\n" +
			"stentor tree --dot town | dot -Tsvg >town.svg",
		Description: "Every relay takes a room from two others, by a red and a blue tree. Lost counts the packets that\n" +
			"listeners at the relay should have had and were not sent; repaired those that came by\n" +
			"neither tree and were fetched.",
		OnUsageError: usageError,
		Flags: []cli.Flag{
			adminFlag(), jsonFlag(),
			&cli.BoolFlag{Name: "dot", Usage: "write the trees for Graphviz", EnvVars: env("dot")},
		},
		Action: runTree,
	}
}

func runTree(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("tree wants one room: stentor tree ROOM")
	}
	var tree api.Tree
	path := "/v1/tree?room=" + url.QueryEscape(c.Args().First())
	if err := askAdmin(c.Context, c.String("admin"), "GET", path, nil, &tree); err != nil {
		return err
	}
	switch {
	case c.Bool("json"):
		return json.NewEncoder(os.Stdout).Encode(tree)
	case c.Bool("dot"):
		return printDot(os.Stdout, tree)
	default:
		return printTree(os.Stdout, tree)
	}
}

// printTree draws both trees, each from its root.
func printTree(w io.Writer, tree api.Tree) error {
	listeners := 0
	for _, n := range tree.Nodes {
		listeners += n.Listeners
	}
	var out, b strings.Builder
	fmt.Fprintf(&out, "%s: %s, %s\n", tree.Room, plural(listeners, "listener"), plural(len(tree.Nodes), "relay"))
	for colour, root := range []string{tree.Red, tree.Blue} {
		if root == "" {
			continue
		}
		below := branch(&b, tree, colour, root, "", "")
		fmt.Fprintf(&out, "\n%s, %s deep\n%s", [...]string{"red", "blue"}[colour], plural(below, "hop"), &b)
		b.Reset()
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// branch draws a relay and what is below it, and returns how many hops that is
// deep. first is put before the relay, rest before what is below.
func branch(b *strings.Builder, tree api.Tree, colour int, relay, first, rest string) (hops int) {
	var below []string
	for _, n := range tree.Nodes {
		switch {
		case n.Relay == relay:
			fmt.Fprintf(b, "%s%s\n", first, describe(n))
		case colour < len(n.Parents) && n.Parents[colour] == relay && relay != "":
			below = append(below, n.Relay)
		}
	}
	if len(rest) > 3*len(tree.Nodes)*len("│  ") {
		return 0 // a loop, which no plan has
	}
	for i, child := range below {
		here, under := rest+"├─ ", rest+"│  "
		if i == len(below)-1 {
			here, under = rest+"└─ ", rest+"   "
		}
		hops = max(hops, 1+branch(b, tree, colour, child, here, under))
	}
	return hops
}

func describe(n api.Node) string {
	parts := []string{n.Relay}
	if n.Zone != "" {
		parts[0] += " (" + n.Zone + ")"
	}
	if n.State != "ready" {
		parts = append(parts, cmp.Or(n.State, "unknown"))
	}
	parts = append(parts, fmt.Sprintf("load %d %%", n.Load), plural(n.Listeners, "listener"))
	if len(n.Speakers) > 0 {
		parts = append(parts, "speaks: "+strings.Join(n.Speakers, " "))
	}
	parts = append(parts, fmt.Sprintf("%d repaired, %d lost", n.Repaired, n.Lost))
	return strings.Join(parts, ", ")
}

// printDot writes both trees as a graph.
func printDot(w io.Writer, tree api.Tree) error {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n\trankdir=LR;\n\tnode [shape=box, fontname=\"sans-serif\"];\n", tree.Room)
	for _, n := range tree.Nodes {
		fmt.Fprintf(&b, "\t%q [label=%q];\n", n.Relay, fmt.Sprintf("%s\n%s", n.Relay, plural(n.Listeners, "listener")))
		for colour, parent := range n.Parents {
			if parent != "" && colour < 2 {
				fmt.Fprintf(&b, "\t%q -> %q [color=%s];\n", parent, n.Relay, [...]string{"red", "blue"}[colour])
			}
		}
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}
