package report

import (
	"fmt"
	"math"
	"strings"
)

// A Heat is many rows of values over the same steps, as colours: what each of very
// many was like at each moment.
type Heat struct {
	Title string
	Note  string
	X     string    // what the steps are, with the unit
	Steps []float64 // ascending
	Zones []HeatRows

	// Values from 0 to Warm are shades of one colour; from Warm and from Hot on there
	// is another. A value below 0, or one that is no number, was not there.
	Warm, Hot float64
	Unit      string
}

// HeatRows are the rows of one group, one above the other.
type HeatRows struct {
	Name string
	Rows [][]float64 // Rows[r][s] is at Steps[s]; missing ones were not there
}

const (
	// heatWidth is that of the drawing, which is as wide as the page.
	heatWidth = 1040.0
	heatLeft  = 110.0

	// More rows than these, or more columns, are put together: each cell shows the
	// highest of what lies in it.
	maxHeatRows = 240
	maxHeatCols = 300

	// A row is up to so high, and all of them together not above that.
	heatRow, heatHeight = 14.0, 480.0
	heatGap             = 6.0 // between groups

	// shades are those of the colour for values below Warm; two more classes follow.
	shades = 8
)

// A heatDrawing is a heat map with everything in its place.
type heatDrawing struct {
	Heat
	Width, Height, PlotLeft, PlotRight, PlotTop, PlotY, MiddleX float64
	XTicks                                                      []mark
	Labels                                                      []heatLabel
	Classes                                                     []heatClass // one path each
	Keys                                                        []heatKey
	Merged                                                      string
	Empty                                                       bool
}

type heatLabel struct {
	Y    float64
	Text string
}

type heatClass struct {
	Class int
	Path  string
}

type heatKey struct {
	Class int
	Text  string
}

func (h Heat) draw() heatDrawing {
	d := heatDrawing{Heat: h, Width: heatWidth, PlotLeft: heatLeft, PlotRight: heatWidth - right, PlotTop: top, MiddleX: (heatLeft + heatWidth - right) / 2}
	total := 0
	for _, z := range h.Zones {
		total += len(z.Rows)
	}
	if total == 0 || len(h.Steps) == 0 {
		d.Empty, d.PlotY, d.Height = true, top+60, top+60+bottom
		return d
	}
	perRow := (total + maxHeatRows - 1) / maxHeatRows
	perCol := (len(h.Steps) + maxHeatCols - 1) / maxHeatCols
	shown := 0
	for _, z := range h.Zones {
		shown += (len(z.Rows) + perRow - 1) / perRow
	}
	high := math.Min(heatRow, (heatHeight-heatGap*float64(len(h.Zones)-1))/float64(shown))
	paths := make([]strings.Builder, shades+2)
	xs := h.columns()
	y := top
	for i, z := range h.Zones {
		if i > 0 {
			y += heatGap
		}
		from := y
		for _, row := range merge(z.Rows, perRow, perCol, len(h.Steps)) {
			h.drawRow(paths, row, xs, perCol, y, high)
			y += high
		}
		d.Labels = append(d.Labels, heatLabel{round((from + y) / 2), z.Name})
	}
	for class := range paths {
		if paths[class].Len() > 0 {
			d.Classes = append(d.Classes, heatClass{class, paths[class].String()})
		}
	}
	d.PlotY, d.Height = round(y), round(y+bottom)
	d.XTicks = linearScale(h.Steps[0], h.Steps[len(h.Steps)-1], heatLeft, heatWidth-right, 10).marks()
	d.Keys = h.keys()
	if perRow > 1 || perCol > 1 {
		d.Merged = fmt.Sprintf("Each cell is the highest of up to %d.", perRow*perCol)
	}
	return d
}

// columns are where steps begin, and where the last ends, along the same axis as
// its marks.
func (h Heat) columns() []float64 {
	s := linearScale(h.Steps[0], h.Steps[len(h.Steps)-1], heatLeft, heatWidth-right, 10)
	xs := make([]float64, len(h.Steps)+1)
	for i, v := range h.Steps {
		xs[i] = s.at(v)
	}
	last := len(h.Steps) - 1
	wide := heatWidth - right - heatLeft
	if last > 0 {
		wide = xs[last] - xs[last-1]
	}
	xs[last+1] = math.Min(xs[last]+wide, heatWidth-right)
	return xs
}

// merge puts rows and columns together, the highest of each.
func merge(rows [][]float64, perRow, perCol, steps int) [][]float64 {
	out := make([][]float64, (len(rows)+perRow-1)/perRow)
	for i := range out {
		out[i] = make([]float64, (steps+perCol-1)/perCol)
		for c := range out[i] {
			out[i][c] = -1
		}
	}
	for r, row := range rows {
		for s, v := range row[:min(len(row), steps)] {
			if at := &out[r/perRow][s/perCol]; v > *at {
				*at = v
			}
		}
	}
	return out
}

// drawRow adds the row's runs of equal colour to the paths.
func (h Heat) drawRow(paths []strings.Builder, row, xs []float64, perCol int, y, high float64) {
	for c := 0; c < len(row); {
		class, from := h.class(row[c]), c
		for c++; c < len(row) && h.class(row[c]) == class; c++ {
		}
		if class < 0 {
			continue
		}
		x, end := xs[from*perCol], xs[min(c*perCol, len(xs)-1)]
		fmt.Fprintf(&paths[class], "M%g %gH%gV%gH%gz", round(x), hundredth(y), round(end), hundredth(y+high), round(x))
	}
}

// hundredth keeps rows of a few pixels from drifting.
func hundredth(v float64) float64 { return math.Round(v*100) / 100 }

// class is the colour of a value, or -1 for none.
func (h Heat) class(v float64) int {
	switch {
	case math.IsNaN(v) || v < 0:
		return -1
	case v >= h.Hot:
		return shades + 1
	case v >= h.Warm:
		return shades
	}
	return min(int(v/h.Warm*shades), shades-1)
}

// keys are the legend.
func (h Heat) keys() []heatKey {
	var keys []heatKey
	for class := 0; class < shades; class++ {
		keys = append(keys, heatKey{class, "from " + number(h.Warm*float64(class)/shades)})
	}
	keys = append(keys, heatKey{shades, "from " + number(h.Warm)}, heatKey{shades + 1, "from " + number(h.Hot) + " " + h.Unit})
	keys[0].Text = "from 0 " + h.Unit
	return keys
}
