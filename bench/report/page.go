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
	Charts   []Chart
	Facts    []Fact
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
	}{Page: p}
	for _, c := range p.Charts {
		view.Drawings = append(view.Drawings, c.draw())
	}
	if err := page.Execute(w, view); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
