package playout

import (
	"math"
)

// tone is n samples of a sine from sample first on.
func tone(hertz, height float64, first, n int) []float32 {
	pcm := make([]float32, n)
	for i := range pcm {
		pcm[i] = float32(height * math.Sin(2*math.Pi*hertz/SampleRate*float64(first+i)))
	}
	return pcm
}

// signalToNoise is how far, in dB, all that is not a sine of that frequency
// lies below it: the best fitting sine is the signal.
func signalToNoise(pcm []float32, hertz float64) float64 {
	var ss, cc, sc, xs, xc float64
	for i, v := range pcm {
		s, c := math.Sincos(2 * math.Pi * hertz / SampleRate * float64(i))
		ss, cc, sc = ss+s*s, cc+c*c, sc+s*c
		xs, xc = xs+float64(v)*s, xc+float64(v)*c
	}
	det := ss*cc - sc*sc
	a, b := (xs*cc-xc*sc)/det, (xc*ss-xs*sc)/det
	var signal, noise float64
	for i, v := range pcm {
		s, c := math.Sincos(2 * math.Pi * hertz / SampleRate * float64(i))
		fit := a*s + b*c
		signal += fit * fit
		noise += (float64(v) - fit) * (float64(v) - fit)
	}
	return 10 * math.Log10(signal/noise)
}

// roughest is the greatest second difference of pcm against that of a sine of
// the given frequency and height: about 1 for that sine, far more for a click.
func roughest(pcm []float32, hertz, height float64) float64 {
	step := 2 * math.Pi * hertz / SampleRate
	most := 0.0
	for i := 2; i < len(pcm); i++ {
		most = max(most, math.Abs(float64(pcm[i])-2*float64(pcm[i-1])+float64(pcm[i-2])))
	}
	return most / (height * step * step)
}
