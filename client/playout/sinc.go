package playout

import (
	"math"
	"sync"
)

const (
	sincTaps   = 32  // input samples an output sample is made of
	sincPhases = 256 // places between two input samples with a filter of their own
	sincBeta   = 9   // of the Kaiser window: 90 dB
)

// A sincTable holds, for each phase, the filter that reads the signal at that
// fraction of a sample; between two phases the filters are interpolated. Its
// last row is the first one shifted by a sample.
//
// It does not limit the band: a ratio within half a percent of 1 folds
// nothing below 23.8 kHz, and Opus ends at 20 kHz. So phase 0 is the identity.
type sincTable [sincPhases + 1][sincTaps]float32

var sinc = sync.OnceValue(func() *sincTable {
	t := new(sincTable)
	for p := range t {
		sum := 0.0
		row := make([]float64, sincTaps)
		for k := range row {
			x := float64(k-(sincTaps/2-1)) - float64(p)/sincPhases
			row[k] = sincAt(x) * kaiser(x/(sincTaps/2))
			sum += row[k]
		}
		for k := range row {
			t[p][k] = float32(row[k] / sum) // a constant stays that constant
		}
	}
	return t
})

// sincAt is sin(πx)/πx, exactly 0 or 1 at whole numbers.
func sincAt(x float64) float64 {
	if x == math.Trunc(x) {
		if x == 0 {
			return 1
		}
		return 0
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the Kaiser window at x, from -1 to 1.
func kaiser(x float64) float64 {
	if x < -1 || x > 1 {
		return 0
	}
	return bessel(sincBeta*math.Sqrt(1-x*x)) / bessel(sincBeta)
}

// bessel is the modified Bessel function of the first kind, order 0.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= (x / (2 * k)) * (x / (2 * k))
		sum += term
	}
	return sum
}
