package report

import (
	"math"
	"strconv"
)

// A scale places values along an axis.
type scale struct {
	log       bool
	low, high float64 // values at the ends
	from, to  float64 // where the ends lie
	steps     []float64
}

// linearScale makes a scale of round steps, about so many, that covers low to
// high.
func linearScale(low, high, from, to float64, steps int) scale {
	if high-low <= 1e-9*max(math.Abs(low), math.Abs(high)) {
		high = low + 1 // too little lies between them to be told apart
	}
	step := niceStep((high - low) / float64(steps))
	s := scale{low: math.Floor(low/step) * step, high: math.Ceil(high/step-1e-9) * step, from: from, to: to}
	for i := 0; ; i++ {
		v := s.low + float64(i)*step
		if v > s.high+step/2 {
			return s
		}
		s.steps = append(s.steps, v)
	}
}

// niceStep rounds a step up to 1, 2 or 5 times a power of ten.
func niceStep(raw float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*power*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// logScale makes a scale of powers of ten that covers low to high, both above 0.
func logScale(low, high, from, to float64) scale {
	first := math.Floor(math.Log10(low) + 1e-9)
	last := math.Ceil(math.Log10(high) - 1e-9)
	if last <= first {
		last = first + 1
	}
	s := scale{log: true, low: math.Pow(10, first), high: math.Pow(10, last), from: from, to: to}
	for e := first; e <= last; e++ {
		s.steps = append(s.steps, math.Pow(10, e))
	}
	return s
}

// shows reports whether a value has a place at all.
func (s scale) shows(v float64) bool { return !s.log || v > 0 }

// at is where a value lies.
func (s scale) at(v float64) float64 {
	low, high := s.low, s.high
	if s.log {
		v, low, high = math.Log10(v), math.Log10(low), math.Log10(high)
	}
	return s.from + (v-low)/(high-low)*(s.to-s.from)
}

func (s scale) marks() []mark {
	out := make([]mark, len(s.steps))
	unit, letter := s.unit()
	for i, v := range s.steps {
		out[i] = mark{round(s.at(v)), number(v / unit)}
		if v != 0 {
			out[i].Label += letter
		}
	}
	return out
}

// unit shortens the labels of an axis on which some would be longer than there is
// room for.
func (s scale) unit() (times float64, letter string) {
	switch most := math.Max(math.Abs(s.low), math.Abs(s.high)); {
	case most >= 1e9:
		return 1e9, "G"
	case most >= 1e6:
		return 1e6, "M"
	case most >= 1e5:
		return 1e3, "k"
	}
	return 1, ""
}

// number writes a value with what digits matter.
func number(v float64) string {
	digits := 0
	if a := math.Abs(v); a > 0 && a < 100 {
		digits = max(0, 2-int(math.Floor(math.Log10(a))))
	}
	out := strconv.FormatFloat(v, 'f', min(digits, 9), 64)
	if digits > 0 {
		out = trimZeros(out)
	}
	return out
}

// trimZeros cuts what says nothing behind the point.
func trimZeros(s string) string {
	i := len(s)
	for i > 0 && s[i-1] == '0' {
		i--
	}
	if i > 0 && s[i-1] == '.' {
		i--
	}
	return s[:i]
}
