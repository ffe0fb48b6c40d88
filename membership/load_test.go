package membership

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestMeter(t *testing.T) {
	tests := []struct {
		name     string
		measured []float64
		announce []uint8 // what is reported as changed
	}{
		{"idle", []float64{0, 1, 4.9, 0}, nil},
		{"one step", []float64{5}, []uint8{5}},
		{"climbs", []float64{1, 3, 5, 7, 9, 11, 13, 15}, []uint8{5, 10, 15}},
		{"falls", []float64{40, 38, 36, 35, 33, 31, 30}, []uint8{40, 35, 30}},
		{"trembles around a step", []float64{35, 37, 33, 36, 34, 39, 31}, []uint8{35}},
		{"trembles between steps", []float64{37.5, 40.4, 35.6, 42.4, 38}, []uint8{40}},
		{"jumps", []float64{0, 100, 0}, []uint8{100, 0}},
		{"full, and stays so at 96", []float64{100, 96, 99, 95}, []uint8{100, 95}},
		{"above 100", []float64{180}, []uint8{100}},
		{"below 0", []float64{20, -7}, []uint8{20, 0}},
		{"infinite", []float64{math.Inf(1), math.Inf(-1)}, []uint8{100, 0}},
		{"no number", []float64{math.NaN()}, []uint8{100}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m Meter
			var announced []uint8
			for _, percent := range tt.measured {
				if step, changed := m.Report(percent); changed {
					announced = append(announced, step)
				}
			}
			if !slices.Equal(announced, tt.announce) {
				t.Errorf("announced %v, want %v", announced, tt.announce)
			}
		})
	}
}

// TestMeterStaysClose: what is announced is a step, and off by less than one.
func TestMeterStaysClose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Meter
		var last uint8
		for _, percent := range rapid.SliceOf(rapid.Float64Range(0, 100)).Draw(t, "measured") {
			step, changed := m.Report(percent)
			if step%LoadStep != 0 || math.Abs(float64(step)-percent) >= LoadStep {
				t.Fatalf("%v announced as %d", percent, step)
			}
			if changed != (step != last) {
				t.Fatalf("from %d to %d: changed = %v", last, step, changed)
			}
			last = step
		}
	})
}

// TestMeterIgnoresTrembling: noise of less than half a step to both sides is
// announced at most once, wherever it lies.
func TestMeterIgnoresTrembling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Meter
		around := rapid.Float64Range(0, 100).Draw(t, "around")
		changes := 0
		for _, noise := range rapid.SliceOfN(rapid.Float64Range(-LoadStep/2.0+0.01, LoadStep/2.0-0.01), 1, 50).Draw(t, "noise") {
			if _, changed := m.Report(around + noise); changed {
				changes++
			}
		}
		if changes > 2 {
			t.Fatalf("announced %d times", changes)
		}
	})
}

func TestTurned(t *testing.T) {
	for _, tt := range []struct {
		before, after uint8
		want          bool
	}{
		{0, 0, false}, {0, 45, false}, {45, 50, true}, {50, 45, true}, {50, 95, false}, {95, 100, true}, {100, 95, true}, {45, 100, true},
	} {
		if got := Turned(tt.before, tt.after); got != tt.want {
			t.Errorf("from %d to %d: %t, want %t", tt.before, tt.after, got, tt.want)
		}
	}
}
