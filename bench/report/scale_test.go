package report

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLinearScale(t *testing.T) {
	tests := []struct {
		name      string
		low, high float64
		want      []float64
	}{
		{"round already", 0, 30, []float64{0, 5, 10, 15, 20, 25, 30}},
		{"rounded outwards", 0.3, 11.4, []float64{0, 2, 4, 6, 8, 10, 12}},
		{"below zero", -7, 4, []float64{-8, -6, -4, -2, 0, 2, 4}},
		{"one value", 5, 5, []float64{5, 5.2, 5.4, 5.6, 5.8, 6}},
		{"small", 0, 0.0006, []float64{0, 0.0001, 0.0002, 0.0003, 0.0004, 0.0005, 0.0006}},
		{"large", 0, 9e6, []float64{0, 2e6, 4e6, 6e6, 8e6, 1e7}},
	}
	for _, tt := range tests {
		s := linearScale(tt.low, tt.high, 0, 100, 6)
		near := func(a, b float64) int {
			if math.Abs(a-b) < 1e-9*max(1, math.Abs(b)) {
				return 0
			}
			return 1
		}
		if slices.CompareFunc(s.steps, tt.want, near) != 0 {
			t.Errorf("%s: steps %v, want %v", tt.name, s.steps, tt.want)
		}
	}
}

func TestLogScale(t *testing.T) {
	tests := []struct {
		name      string
		low, high float64
		want      []float64
	}{
		{"powers of ten", 0.01, 100, []float64{0.01, 0.1, 1, 10, 100}},
		{"rounded outwards", 0.2, 15, []float64{0.1, 1, 10, 100}},
		{"one value", 3, 3, []float64{1, 10}},
		{"one power", 10, 10, []float64{10, 100}},
	}
	for _, tt := range tests {
		if s := logScale(tt.low, tt.high, 0, 100); !slices.Equal(s.steps, tt.want) {
			t.Errorf("%s: steps %v, want %v", tt.name, s.steps, tt.want)
		}
	}
}

// Whatever is to be shown lies on the axis, in its order, and no axis has more
// marks than fit.
func TestScalesCover(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(0, 1e6).Draw(t, "low")
		high := low + rapid.Float64Range(0, 1e6).Draw(t, "more")
		s := linearScale(low, high, 0, 100, 6)
		if rapid.Bool().Draw(t, "log") && low > 1e-6 {
			s = logScale(low, high, 0, 100)
		}
		if a, b := s.at(low), s.at(high); a < -1e-6 || b > 100+1e-6 || a > b+1e-9 {
			t.Fatalf("%g lies at %g, %g at %g of 0 to 100", low, a, high, b)
		}
		if len(s.marks()) < 2 || len(s.marks()) > 14 {
			t.Fatalf("%d marks: %v", len(s.marks()), s.steps)
		}
	})
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1", 0.5: "0.5", 0.01: "0.01", 0.0001: "0.0001", 1.254: "1.25", 12.34: "12.3",
		99.95: "100", 123.4: "123", 1e6: "1000000", -0.25: "-0.25", 1e-12: "0",
	} {
		if got := number(v); got != want {
			t.Errorf("%g is written %q, want %q", v, got, want)
		}
	}
}

// Labels have room for five digits.
func TestLongLabels(t *testing.T) {
	for _, tt := range []struct {
		high float64
		want string
	}{
		{50_000, "0 10000 20000 30000 40000 50000"},
		{500_000, "0 100k 200k 300k 400k 500k"},
		{2_000_000, "0 0.5M 1M 1.5M 2M"},
		{4e9, "0 1G 2G 3G 4G"},
	} {
		var labels []string
		for _, m := range linearScale(0, tt.high, 0, 100, 5).marks() {
			labels = append(labels, m.Label)
		}
		if got := strings.Join(labels, " "); got != tt.want {
			t.Errorf("up to %v: %s, want %s", tt.high, got, tt.want)
		}
	}
}
