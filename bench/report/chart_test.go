package report

import (
	"math"
	"strings"
	"testing"
)

func TestDraw(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		name   string
		chart  Chart
		empty  bool
		path   string // of the first series
		dots   int
		bars   int
		xticks string
	}{
		{name: "no series", empty: true},
		{name: "a series of nothing", chart: Chart{Series: []Series{{Name: "a"}}}, empty: true},
		{name: "nothing finite", chart: Chart{Series: []Series{{Points: []Point{{1, nan}, {2, inf}}}}}, empty: true},
		{name: "nothing above zero on a logarithmic axis", chart: Chart{LogX: true, Series: []Series{{Points: []Point{{0, 1}}}}}, empty: true},
		{
			name:  "a line from corner to corner",
			chart: Chart{Series: []Series{{Points: []Point{{0, 0}, {10, 100}}}}},
			path:  "M60 196L546 10", dots: 2, xticks: "0 2 4 6 8 10",
		},
		{
			name:  "a gap",
			chart: Chart{Series: []Series{{Points: []Point{{0, 0}, {5, nan}, {10, 100}}}}},
			path:  "M60 196M546 10", dots: 2, xticks: "0 2 4 6 8 10",
		},
		{
			name:  "all zero",
			chart: Chart{Series: []Series{{Points: []Point{{0, 0}, {10, 0}}}}},
			path:  "M60 196L546 196", dots: 2, xticks: "0 2 4 6 8 10",
		},
		{
			name:  "a logarithmic axis leaves out what has no place there",
			chart: Chart{LogX: true, Series: []Series{{Points: []Point{{0, 50}, {1, 0}, {100, 100}}}}},
			path:  "M60 196L546 10", dots: 2, xticks: "1 10 100",
		},
		{
			name:  "bars, the last as wide as the one before, none for nothing",
			chart: Chart{Series: []Series{{Kind: Bars, Points: []Point{{0, 1}, {5, 0}, {10, 2}}}}},
			bars:  2, xticks: "0 5 10 15",
		},
		{
			name:  "one bar",
			chart: Chart{Series: []Series{{Kind: Bars, Points: []Point{{3, 1}}}}},
			bars:  1, xticks: "3 3.2 3.4 3.6 3.8 4",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := tt.chart.draw()
			if d.Empty != tt.empty {
				t.Fatalf("empty: %v", d.Empty)
			}
			if d.Empty {
				return
			}
			s := d.Shapes[0]
			if s.Path != tt.path || len(s.Dots) != tt.dots || len(s.Bars) != tt.bars {
				t.Errorf("path %q, %d dots, %d bars; want %q, %d, %d", s.Path, len(s.Dots), len(s.Bars), tt.path, tt.dots, tt.bars)
			}
			var labels []string
			for _, m := range d.XTicks {
				labels = append(labels, m.Label)
			}
			if got := strings.Join(labels, " "); got != tt.xticks {
				t.Errorf("marks %s, want %s", got, tt.xticks)
			}
		})
	}
}

// Nothing lost is drawn on an axis to 1, with labels that fit.
func TestAxisOfNothing(t *testing.T) {
	d := Chart{Series: []Series{{Kind: Bars, Points: []Point{{1, 0}, {2, 0}}}}}.draw()
	if last := d.YTicks[len(d.YTicks)-1]; last.Label != "1" || len(d.Shapes[0].Bars) != 0 {
		t.Errorf("marks %v, bars %v", d.YTicks, d.Shapes[0].Bars)
	}
}

// Bars stand on the axis, within the plot, side by side.
func TestBarsStand(t *testing.T) {
	d := Chart{LogX: true, Series: []Series{{Kind: Bars, Points: []Point{{0.1, 1e-9}, {1, 7}, {10, 3}}}}}.draw()
	end := d.PlotLeft
	for _, b := range d.Shapes[0].Bars {
		if b.X < end || b.X+b.Width > d.PlotRight+0.1 || b.Y < d.PlotTop || math.Abs(b.Y+b.Height-d.PlotY) > 0.6 {
			t.Errorf("bar %+v in a plot from %v to %v, %v to %v", b, d.PlotLeft, d.PlotRight, d.PlotTop, d.PlotY)
		}
		end = b.X + b.Width
	}
	if len(d.Shapes[0].Bars) != 3 {
		t.Errorf("%d bars: even one in a million is seen", len(d.Shapes[0].Bars))
	}
}

func TestLongLinesHaveNoDots(t *testing.T) {
	points := make([]Point, maxDots+1)
	for i := range points {
		points[i] = Point{float64(i), 1}
	}
	if d := (Chart{Series: []Series{{Points: points}}}).draw(); len(d.Shapes[0].Dots) != 0 {
		t.Errorf("%d dots", len(d.Shapes[0].Dots))
	}
}

func TestColoursBeginAgain(t *testing.T) {
	c := Chart{Series: make([]Series, colours+1)}
	for i := range c.Series {
		c.Series[i].Points = []Point{{1, 1}}
	}
	if d := c.draw(); d.Shapes[colours].Colour != 0 || d.Shapes[colours-1].Colour != colours-1 {
		t.Errorf("colours %+v", d.Shapes)
	}
}
