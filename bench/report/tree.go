package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Forest is trees over the same nodes: below each node are those that hang on
// it, side by side, as wide as what hangs on them.
type Forest struct {
	Title  string
	Note   string
	Groups []string // in the order of their colours
	Nodes  []Node

	// Trees are the names of the trees; Node.Parents are in the same order.
	Trees []string
}

// A Node is in every tree of a [Forest].
type Node struct {
	Name    string
	Group   string
	Parents []string // empty for a root
	Value   float64  // 0 to 100, how strong its colour is
	Label   string   // what is said of it besides its name
}

const (
	levelHeight = 26.0
	treeGap     = 22.0 // between two trees, for a name

	// letterWidth is about that of a letter of the labels.
	letterWidth = 7.0
)

type forestDrawing struct {
	Forest
	Width, Height float64
	Names         []heatLabel
	Boxes         []box
	Keys          []heatKey
	Strays        string
	Empty         bool
}

type box struct {
	X, Y, Width, Height float64
	Colour              int
	Opacity             float64
	Text                string // empty where it would not fit
	Label               string
	MiddleX, TextY      float64
}

func (f Forest) draw() forestDrawing {
	d := forestDrawing{Forest: f, Width: heatWidth, Empty: len(f.Nodes) == 0}
	y, strays := 0.0, 0
	for t, name := range f.Trees {
		p := planting{f: f, tree: t, top: y + treeGap, below: f.hanging(t)}
		d.Names = append(d.Names, heatLabel{round(y + treeGap - 7), name})
		p.plant(&d)
		strays += len(f.Nodes) - p.placed
		y = p.top + levelHeight*float64(p.levels)
	}
	d.Height = math.Max(y, levelHeight)
	for i, g := range f.Groups {
		d.Keys = append(d.Keys, heatKey{i % colours, g})
	}
	if strays > 0 {
		d.Strays = fmt.Sprintf("%d are not shown: they hang on no root.", strays)
	}
	return d
}

// hanging are the indices of the nodes below each name; those without a parent,
// or with one that is not there, are below "".
func (f Forest) hanging(tree int) map[string][]int {
	first := make(map[string]int, len(f.Nodes))
	for i, n := range slices.Backward(f.Nodes) {
		first[n.Name] = i
	}
	below := make(map[string][]int)
	for i, n := range f.Nodes {
		if first[n.Name] != i {
			continue // a second one of that name would have the same below it
		}
		up := ""
		if tree < len(n.Parents) {
			if _, known := first[n.Parents[tree]]; known {
				up = n.Parents[tree]
			}
		}
		below[up] = append(below[up], i)
	}
	return below
}

// A planting is one tree being drawn.
type planting struct {
	f      Forest
	tree   int
	top    float64
	below  map[string][]int
	placed int
	levels int
}

func (p *planting) plant(d *forestDrawing) {
	roots := p.below[""]
	width := p.spread(roots)
	if width == 0 {
		return
	}
	p.place(d, roots, 0, 0, d.Width/float64(width))
}

// spread is how many leaves there are below nodes. A loop hangs on no root, so
// there is none here.
func (p *planting) spread(nodes []int) int {
	leaves := 0
	for _, i := range nodes {
		leaves += max(1, p.spread(p.below[p.f.Nodes[i].Name]))
	}
	return leaves
}

// place draws nodes side by side from x on, unit wide for each leaf below them.
func (p *planting) place(d *forestDrawing, nodes []int, level int, x, unit float64) {
	for _, i := range nodes {
		p.levels = max(p.levels, level+1)
		n := p.f.Nodes[i]
		below := p.below[n.Name]
		wide := unit * float64(max(1, p.spread(below)))
		y := p.top + levelHeight*float64(level)
		b := box{
			X: hundredth(x), Y: round(y), Width: hundredth(math.Max(wide-math.Min(1, wide/4), 0.2)), Height: levelHeight - 1,
			Colour:  max(0, slices.Index(p.f.Groups, n.Group)) % colours,
			Opacity: math.Round((0.25+0.75*min(max(n.Value, 0), 100)/100)*100) / 100,
			Label:   strings.TrimSpace(n.Name + " " + n.Label),
			MiddleX: round(x + wide/2), TextY: round(y + levelHeight/2 + 4),
		}
		if float64(len(n.Name)+1)*letterWidth < wide {
			b.Text = n.Name
		}
		d.Boxes = append(d.Boxes, b)
		p.placed++
		p.place(d, below, level+1, x, unit)
		x += wide
	}
}
