package report

import (
	"fmt"
	"math"
	"strings"
)

// A Kind is how a series is drawn.
type Kind int

const (
	// Line joins the points. A point that is not a number leaves a gap.
	Line Kind = iota
	// Bars draws a bar from zero to each point, as wide as the way to the next.
	Bars
)

// A Point is one value. X must be finite.
type Point struct{ X, Y float64 }

// A Series is points in ascending order of X.
type Series struct {
	Name   string
	Kind   Kind
	Points []Point
}

// A Chart is some series over one pair of axes. The vertical one begins at zero.
type Chart struct {
	Title  string
	Note   string // a sentence below the title
	X, Y   string // what the axes show, with the unit
	LogX   bool   // points at and below zero are left out
	Series []Series
	Events []Event
}

// An Event is a moment at which something happened: a line across the plot, if it
// lies within.
type Event struct {
	X     float64
	Label string
}

// Sizes in the units of the drawing, which the page scales to its own width.
const (
	width, height            = 560.0, 240.0
	left, right, top, bottom = 60.0, 14.0, 10.0, 44.0
)

// colours is how many series the page has colours for; then they start again.
const colours = 6

// A drawing is a chart with everything in its place.
type drawing struct {
	Chart
	Width, Height                       float64
	PlotLeft, PlotRight, PlotTop, PlotY float64 // PlotY is where zero lies
	MiddleX, MiddleY                    float64
	XTicks, YTicks                      []mark
	Moments                             []mark
	Shapes                              []shape
	Empty                               bool
}

// A mark is a tick with its label.
type mark struct {
	At    float64
	Label string
}

// A shape is a series drawn.
type shape struct {
	Name   string
	Colour int
	Path   string
	Bars   []bar
	Dots   []dot
}

type bar struct {
	X, Y, Width, Height float64
	Label               string
}

type dot struct {
	X, Y  float64
	Label string
}

// maxDots is up to how many points a line shows each of them.
const maxDots = 150

// draw lays the chart out.
func (c Chart) draw() drawing {
	d := drawing{
		Chart: c, Width: width, Height: height,
		PlotLeft: left, PlotRight: width - right, PlotTop: top, PlotY: height - bottom,
		MiddleX: (left + width - right) / 2, MiddleY: (top + height - bottom) / 2,
	}
	xs, ys, ok := c.scales()
	if !ok {
		d.Empty = true
		return d
	}
	d.XTicks, d.YTicks = xs.marks(), ys.marks()
	for _, e := range c.Events {
		if finite(e.X) && xs.shows(e.X) && e.X >= xs.low && e.X <= xs.high {
			d.Moments = append(d.Moments, mark{round(xs.at(e.X)), e.Label})
		}
	}
	for i, s := range c.Series {
		sh := shape{Name: s.Name, Colour: i % colours}
		if s.Kind == Bars {
			sh.Bars = bars(s.Points, xs, ys)
		} else {
			sh.Path, sh.Dots = line(s.Points, xs, ys)
		}
		d.Shapes = append(d.Shapes, sh)
	}
	return d
}

// scales finds the axes that show every point. It reports false where there is
// none.
func (c Chart) scales() (xs, ys scale, ok bool) {
	low, high, most := math.Inf(1), math.Inf(-1), 0.0
	for _, s := range c.Series {
		for i, p := range s.Points {
			if !finite(p.Y) || (c.LogX && p.X <= 0) {
				continue
			}
			low, high, most = min(low, p.X), max(high, p.X), max(most, p.Y)
			if s.Kind == Bars {
				high = max(high, p.X+span(s.Points, i))
			}
		}
	}
	if low > high {
		return xs, ys, false
	}
	if c.LogX {
		xs = logScale(low, high, left, width-right)
	} else {
		xs = linearScale(low, high, left, width-right, 6)
	}
	return xs, linearScale(0, most, height-bottom, top, 5), true
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// span is the width of a bar: the way to the next point, and of the last one that
// from the one before.
func span(points []Point, i int) float64 {
	switch {
	case i+1 < len(points):
		return points[i+1].X - points[i].X
	case i > 0:
		return points[i].X - points[i-1].X
	}
	return 1
}

func bars(points []Point, xs, ys scale) []bar {
	var out []bar
	for i, p := range points {
		if !finite(p.Y) || p.Y <= 0 || !xs.shows(p.X) {
			continue
		}
		from, to := xs.at(p.X), xs.at(p.X+span(points, i))
		y := ys.at(p.Y)
		out = append(out, bar{
			X: round(from), Y: round(y),
			Width:  round(max(to-from-0.5, 0.5)),
			Height: round(max(ys.at(0)-y, 0.5)), // even one in a million is seen
			Label:  number(p.X) + ": " + number(p.Y),
		})
	}
	return out
}

func line(points []Point, xs, ys scale) (path string, dots []dot) {
	var b strings.Builder
	pen := "M"
	for _, p := range points {
		if !finite(p.Y) || !xs.shows(p.X) {
			pen = "M"
			continue
		}
		x, y := round(xs.at(p.X)), round(ys.at(p.Y))
		fmt.Fprintf(&b, "%s%g %g", pen, x, y)
		pen = "L"
		if len(points) <= maxDots {
			dots = append(dots, dot{x, y, number(p.X) + ": " + number(p.Y)})
		}
	}
	return b.String(), dots
}

// round keeps coordinates short: a tenth of a unit is less than a pixel.
func round(v float64) float64 { return math.Round(v*10) / 10 }
