package resample

import "math"

const (
	// zeroCrossings of the sinc on each side of its middle. More of them make
	// the step from what passes to what is stopped narrower: with 64 it is a
	// tenth of the band, so that 8 kHz telephone sound keeps what is below
	// 3.6 kHz and a CD what is below 19.8 kHz.
	zeroCrossings = 64

	// beta of the Kaiser window. 10 keeps what is stopped 100 dB down, below the
	// noise of 16 bits.
	beta = 10

	// cutoff is where the filter has lost half, relative to the lower of the two
	// Nyquist frequencies: half a step below, so that nothing is mirrored.
	cutoff = 0.95

	// maxPhases bounds the bank. Rates that need more (44,101 Hz would take
	// 48,000 filters) get coefficients interpolated between the two nearest,
	// whose error is as far down as the stop band.
	maxPhases = 1024
)

// A bank holds the filter at the places between two input samples at which
// outputs lie.
type bank struct {
	taps int
	up   int         // phases that outputs can have
	rows [][]float32 // filters at phase 0, up/n, … up
	mix  []float32   // scratch for one between two of them
}

func newBank(up, down int) bank {
	band := min(1, float64(up)/float64(down)) // that survives, of the input's
	half := int(math.Ceil(zeroCrossings / band))
	n := min(up, maxPhases)
	b := bank{taps: 2 * half, up: up, rows: make([][]float32, n+1), mix: make([]float32, 2*half)}
	for i := range b.rows {
		b.rows[i] = filter(half, band*cutoff, float64(i)/float64(n))
	}
	return b
}

// at returns the filter for an output at the given phase. It is overwritten by
// the next call.
func (b *bank) at(phase int) []float32 {
	n := len(b.rows) - 1
	row, rest := phase*n/b.up, phase*n%b.up
	if rest == 0 {
		return b.rows[row]
	}
	f := float32(rest) / float32(b.up)
	low, high := b.rows[row], b.rows[row+1]
	for i := range b.mix {
		b.mix[i] = low[i] + f*(high[i]-low[i])
	}
	return b.mix
}

// filter computes a windowed sinc of 2·half taps for an output that lies at
// phase (0 to 1) between the taps half-1 and half. band is what passes, relative
// to the Nyquist frequency of the input.
func filter(half int, band, phase float64) []float32 {
	h := make([]float64, 2*half)
	sum := 0.0
	for i := range h {
		t := float64(i-half+1) - phase
		h[i] = sinc(band*t) * window(t/float64(half))
		sum += h[i]
	}
	row := make([]float32, len(h))
	for i := range h {
		row[i] = float32(h[i] / sum) // constant input stays what it is
	}
	return row
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// window is Kaiser's, from -1 to 1.
func window(x float64) float64 {
	if x <= -1 || x >= 1 {
		return 0
	}
	return bessel(beta*math.Sqrt(1-x*x)) / middle
}

// middle is the window's greatest value before it is brought to 1.
var middle = bessel(beta)

// bessel is the modified Bessel function of the first kind, of order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}
