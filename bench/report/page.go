package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

// A Page is what a file shows, from top to bottom. Its texts are plain, whatever
// they contain.
type Page struct {
	Title    string
	Subtitle string
	Warning  string // why the figures are not what they should be; empty: they are
	Tiles    []Tile
	Checks   []Check
	Charts   []Chart
	Heats    []Heat
	Forests  []Forest
	Facts    []Fact
}

// A Check is something that was promised.
type Check struct {
	Name      string
	Want, Got string
	Kept      bool
}

// A Tile is a figure that one should see first.
type Tile struct {
	Label string // what it is
	Value string
	Unit  string
	Note  string // what to compare it with
}

// A Fact is a line of the table at the end.
type Fact struct{ Name, Value string }

//go:embed page.html
var source string

var page = template.Must(template.New("page").Parse(source))

// Write writes the page as a document of its own.
func (p Page) Write(w io.Writer) error {
	view := struct {
		Page
		Drawings []drawing
		HeatMaps []heatDrawing
		Trees    []forestDrawing
	}{Page: p}
	for _, c := range p.Charts {
		view.Drawings = append(view.Drawings, c.draw())
	}
	for _, h := range p.Heats {
		view.HeatMaps = append(view.HeatMaps, h.draw())
	}
	for _, f := range p.Forests {
		view.Trees = append(view.Trees, f.draw())
	}
	if err := page.Execute(w, view); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
