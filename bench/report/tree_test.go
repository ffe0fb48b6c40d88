package report

import (
	"testing"
)

// a feeds b and c, c feeds d in one tree; in the other d feeds all.
func testForest() Forest {
	return Forest{
		Title: "Tree", Groups: []string{"x", "y"}, Trees: []string{"red", "blue"},
		Nodes: []Node{
			{Name: "a", Group: "x", Parents: []string{"", "d"}, Value: 100, Label: "100 %"},
			{Name: "b", Group: "x", Parents: []string{"a", "d"}},
			{Name: "c", Group: "y", Parents: []string{"a", "d"}, Value: 40},
			{Name: "d", Group: "y", Parents: []string{"c", ""}},
		},
	}
}

func TestForest(t *testing.T) {
	d := testForest().draw()
	type at struct{ x, y, wide float64 }
	var got []at
	for _, b := range d.Boxes {
		got = append(got, at{b.X, b.Y, b.Width})
	}
	// Red: a over all; b and c half each; d below c. Blue, below three levels of 26
	// and two names: d over all, the others a third each.
	want := []at{
		{0, 22, 1039}, {0, 48, 519}, {520, 48, 519}, {520, 74, 519},
		{0, 122, 1039}, {0, 148, 345.67}, {346.67, 148, 345.67}, {693.33, 148, 345.67},
	}
	if len(got) != len(want) {
		t.Fatalf("%d boxes: %+v", len(got), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("box %d: %+v, want %+v", i, got[i], want[i])
		}
	}
	if b := d.Boxes[0]; b.Label != "a 100 %" || b.Opacity != 1 || b.Colour != 0 || b.Text != "a" {
		t.Errorf("%+v", b)
	}
	if b := d.Boxes[2]; b.Label != "c" || b.Opacity != 0.55 || b.Colour != 1 {
		t.Errorf("%+v", b)
	}
	if d.Height != 174 || d.Strays != "" || len(d.Names) != 2 || len(d.Keys) != 2 {
		t.Errorf("%v high, %q, %v", d.Height, d.Strays, d.Names)
	}
}

func TestForestsThatAreNone(t *testing.T) {
	node := func(name, up string) Node { return Node{Name: name, Parents: []string{up}} }
	tests := []struct {
		name   string
		nodes  []Node
		boxes  int
		strays string
	}{
		{"nobody", nil, 0, ""},
		{"a loop", []Node{node("a", "b"), node("b", "a")}, 0, "2 are not shown: they hang on no root."},
		{"a loop beside a tree", []Node{node("a", "a"), node("b", ""), node("c", "b")}, 2, "1 are not shown: they hang on no root."},
		{"a parent that is not there", []Node{node("a", "gone"), node("b", "a")}, 2, ""},
		{"a name that is there twice", []Node{node("a", ""), node("a", "a")}, 1, "1 are not shown: they hang on no root."},
		{"no parents told", []Node{{Name: "a"}}, 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := Forest{Trees: []string{"only"}, Nodes: tt.nodes}.draw()
			if len(d.Boxes) != tt.boxes || d.Strays != tt.strays || d.Empty != (len(tt.nodes) == 0) {
				t.Errorf("%d boxes, %q, empty %v", len(d.Boxes), d.Strays, d.Empty)
			}
		})
	}
}

// Names are written where they fit.
func TestForestNames(t *testing.T) {
	f := Forest{Trees: []string{"only"}, Nodes: []Node{{Name: "root", Parents: []string{""}}}}
	for range 100 {
		f.Nodes = append(f.Nodes, Node{Name: "relay" + string(rune('A'+len(f.Nodes))), Parents: []string{"root"}})
	}
	d := f.draw()
	if d.Boxes[0].Text != "root" || d.Boxes[1].Text != "" {
		t.Errorf("%q, %q", d.Boxes[0].Text, d.Boxes[1].Text)
	}
}
