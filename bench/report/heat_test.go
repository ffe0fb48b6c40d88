package report

import (
	"math"
	"strings"
	"testing"
)

func TestHeat(t *testing.T) {
	h := Heat{
		Steps: []float64{0, 1, 2, 3, 4}, Warm: 80, Hot: 100, Unit: "%",
		Zones: []HeatRows{
			{Name: "a", Rows: [][]float64{{0, 9, 10, 79, 80}, {-1, math.NaN(), 99, 100, 150}}},
			{Name: "b", Rows: [][]float64{{5}}},
		},
	}
	d := h.draw()
	paths := make(map[int]string)
	for _, c := range d.Classes {
		paths[c.Class] = c.Path
	}
	// The axis goes from 0 to 4; the last column has no room behind it.
	// From 110 to 1026 are 229 a step; rows are 14 high, groups 6 apart.
	for class, want := range map[int]string{
		0: "M110 10H568V24H110z" + "M110 44H339V58H110z", // 0 and 9 are one run; then the row of b
		1: "M568 10H797V24H568z",
		7: "M797 10H1026V24H797z",
		8: "M1026 10H1026V24H1026z" + "M568 24H797V38H568z",
		9: "M797 24H1026V38H797z",
	} {
		if !strings.HasPrefix(paths[class], want) {
			t.Errorf("class %d: %s, want %s", class, paths[class], want)
		}
	}
	if len(paths) != 5 || d.Empty || d.Merged != "" {
		t.Errorf("%d classes, %+v", len(paths), d)
	}
	if len(d.Labels) != 2 || d.Labels[0] != (heatLabel{24, "a"}) || d.Labels[1] != (heatLabel{51, "b"}) {
		t.Errorf("labels %+v", d.Labels)
	}
	if len(d.Keys) != shades+2 || d.Keys[0].Text != "from 0 %" || d.Keys[8].Text != "from 80" || d.Keys[9].Text != "from 100 %" {
		t.Errorf("keys %+v", d.Keys)
	}
}

func TestHeatOfNothing(t *testing.T) {
	for name, h := range map[string]Heat{
		"no rows":       {Steps: []float64{1, 2}, Warm: 80, Hot: 100},
		"no steps":      {Zones: []HeatRows{{Name: "a", Rows: [][]float64{{1}}}}, Warm: 80, Hot: 100},
		"an empty zone": {Steps: []float64{1}, Zones: []HeatRows{{Name: "a"}}, Warm: 80, Hot: 100},
	} {
		if d := h.draw(); !d.Empty || len(d.Classes) != 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestHeatOfOneMoment(t *testing.T) {
	h := Heat{Steps: []float64{7}, Warm: 80, Hot: 100, Zones: []HeatRows{{Rows: [][]float64{{50}}}}}
	if d := h.draw(); len(d.Classes) != 1 || d.Classes[0].Path != "M110 10H1026V24H110z" {
		t.Errorf("%+v", d.Classes)
	}
}

// Very many rows and steps are put together, and the worst of them is seen.
func TestHeatMerges(t *testing.T) {
	rows := make([][]float64, 2000)
	for i := range rows {
		rows[i] = make([]float64, 1000)
	}
	rows[1234][567] = 120
	steps := make([]float64, 1000)
	for i := range steps {
		steps[i] = float64(i)
	}
	d := Heat{Steps: steps, Warm: 80, Hot: 100, Zones: []HeatRows{{Name: "a", Rows: rows[:900]}, {Name: "b", Rows: rows[900:]}}}.draw()
	last := d.Classes[len(d.Classes)-1]
	if last.Class != shades+1 || strings.Count(last.Path, "M") != 1 {
		t.Errorf("the one that was too busy: %+v", last)
	}
	if d.Merged != "Each cell is the highest of up to 36." { // 9 rows, 4 columns
		t.Errorf("%q", d.Merged)
	}
	if high := d.PlotY - d.PlotTop; high > heatHeight+1 {
		t.Errorf("%v high", high)
	}
	long := 0
	for _, c := range d.Classes {
		long += len(c.Path)
	}
	if long > 100_000 {
		t.Errorf("%d bytes", long)
	}
}
