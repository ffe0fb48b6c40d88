package tally

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestQuantile(t *testing.T) {
	hundred := make([]int64, 100)
	for i := range hundred {
		hundred[i] = int64(i) + 1
	}
	tests := []struct {
		name   string
		sorted []int64
		q      float64
		want   int64
	}{
		{"of nothing", nil, 0.5, 0},
		{"of one value", []int64{7}, 0.99, 7},
		{"the least", hundred, 0, 1},
		{"a share that is no exact binary fraction", hundred, 0.07, 7},
		{"the middle", hundred, 0.5, 50},
		{"one in a hundred exceeds it", hundred, 0.99, 99},
		{"just above", hundred, 0.9901, 100},
		{"the most", hundred, 1, 100},
		{"less than nothing", hundred, -1, 1},
		{"more than all", hundred, 2, 100},
	}
	for _, tt := range tests {
		if got := Quantile(tt.sorted, tt.q); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// The definition, word by word.
func TestQuantileIsTheSmallestValueThatEnoughAreNotAbove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 50), 1, 40).Draw(t, "values")
		percent := rapid.IntRange(1, 100).Draw(t, "percent")
		slices.Sort(values)
		var want int64
		for _, v := range values {
			notAbove := 0
			for _, w := range values {
				if w <= v {
					notAbove++
				}
			}
			if 100*notAbove >= percent*len(values) {
				want = v
				break
			}
		}
		if got := Quantile(values, float64(percent)/100); got != want {
			t.Fatalf("%d %% of %v: %d, want %d", percent, values, got, want)
		}
	})
}

func TestMedian(t *testing.T) {
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("the median of nothing is %v", got)
	}
	values := []float64{9, 1, 5}
	if got := Median(values); got != 5 || !slices.Equal(values, []float64{9, 1, 5}) {
		t.Errorf("median %v, and the values are now %v", got, values)
	}
	if got := Median([]float64{4, 1, 2, 100}); got != 3 {
		t.Errorf("median of four: %v", got)
	}
}
