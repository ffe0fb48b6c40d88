// Package echo finds a speaker's open microphone that hears the room: a loudspeaker
// next to it, or a second device that plays the same room, late. What the room has
// played is then in what the microphone brings, and everybody hears themselves
// again. It finds the loop, its delay and its strength.
//
// # How
//
// Both signals are brought to 8 kHz. Every 256 ms their cross-spectrum over the
// last second is whitened (the generalised cross-correlation with phase transform
// of Knapp and Carter, 1976), so that what counts is which frequencies agree in
// phase, and not how loud they are, and averaged over the last seconds. Back in
// time, a loop is one sharp peak above a floor that is noise: what two people say
// at once agrees at no delay. Three looks in a row have to find the peak at the
// same place.
//
// [Guard] changes no sound; [Watch], which stands between a loudspeaker and a
// microphone, does if it is told to. The package starts no goroutine and reads no
// clock.
package echo

import (
	"math"
	"time"

	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/stentor-audio/stentor/client/audio/resample"
)

const (
	inRate = 48000 // samples a second that come in
	rate   = 8000  // and that are worked on

	// MinDelay is the shortest delay of a loop. A shorter one is the echo of the
	// speaker's own loudspeaker, which echo cancellation removes.
	MinDelay = 60 * time.Millisecond
	// MaxDelay is the longest.
	MaxDelay = 900 * time.Millisecond

	hop      = rate / 1000 * 256 // samples between two looks
	nearSize = 2 * hop           // samples of the microphone in one look
	size     = 16384             // of the transform: near, and far with the longest delay before it
	farSize  = nearSize + maxLag

	minLag = int(MinDelay * rate / time.Second)
	maxLag = int(MaxDelay * rate / time.Second)

	// keep is the weight of all earlier looks in the average: they are forgotten
	// over some 2 s.
	keep = 0.88
	// sharp is how many times the floor's spread a peak has to exceed. Of 7000
	// delays of noise the highest is at 4.
	sharp = 8.5
	// sameLag is how far apart, in samples, two delays count as one: rooms smear
	// the peak, and clocks drift.
	sameLag = 24
	// alone is how many times the second-highest peak the highest has to exceed:
	// a hum has as many as the delay has room for.
	alone = 1.5
	// looksFor is in how many looks in a row it has to be.
	looksFor = 3

	// What the echo of a room may be, in dB.
	minGain, maxGain = -40, 10

	// The band that is looked at, in Hz: below is hum, above little is left of
	// speech at 8 kHz.
	bandFrom, bandTo = 250, 3600

	// silence is below which mean square there is nothing to look at.
	silence = 1e-8
)

// A Loop is a microphone that hears the room.
type Loop struct {
	// Delay is from the sound coming out of this client until it came in again.
	Delay time.Duration
	// Gain is how much weaker it came back, in dB; negative.
	Gain float64
}

// A Guard looks for one loop. Its methods belong to one goroutine.
type Guard struct {
	far, near *history

	fft   *fourier.FFT
	a, b  []complex128
	x, y  []float64
	mean  []complex128
	since int // samples since the last look
	lag   int // of the last peak
	looks int // in a row that found it there
}

// New returns a guard that has heard nothing.
func New() *Guard {
	return &Guard{
		far:  newHistory(farSize),
		near: newHistory(nearSize),
		fft:  fourier.NewFFT(size),
		x:    make([]float64, size),
		y:    make([]float64, size),
		mean: make([]complex128, size/2+1),
	}
}

// Hear takes the next stretch of what the client has played of the room and of
// what its microphone brought meanwhile: mono, 48 kHz, of the same length, and no
// longer than 100 ms. Where nothing was played or brought it is given zeros, so
// that both stay beside each other. It reports a loop when it has found one, and
// again every 256 ms for as long as it is there.
func (g *Guard) Hear(far, near []float32) (Loop, bool) {
	n := g.far.add(far)
	g.near.add(near)
	if g.since += n; g.since < hop {
		return Loop{}, false
	}
	g.since -= hop
	return g.look()
}

// look compares what has been heard.
func (g *Guard) look() (Loop, bool) {
	far, near := g.far.last(farSize), g.near.last(nearSize)
	if power(far) < silence || power(near) < silence {
		g.looks = 0
		return Loop{}, false
	}
	// far lies maxLag before near: at lag d the correlation is at maxLag - d.
	load(g.x, far)
	load(g.y, near)
	g.a = g.fft.Coefficients(g.a, g.x)
	g.b = g.fft.Coefficients(g.b, g.y)
	const from, to = bandFrom * size / rate, bandTo * size / rate
	nothing, neither := faint(g.a[from:to]), faint(g.b[from:to])
	for i := from; i < to; i++ {
		cross := complex(0, 0)
		a, b := square(g.a[i]), square(g.b[i])
		if a > nothing && b > neither {
			m := math.Sqrt(a * b)
			cross = g.a[i] * complex(real(g.b[i])/m, -imag(g.b[i])/m)
		}
		g.mean[i] = keep*g.mean[i] + (1-keep)*cross
	}
	correlation := g.fft.Sequence(g.x, g.mean)
	lag, height, second := peak(correlation)
	found := Loop{
		Delay: time.Duration(lag) * time.Second / rate,
		Gain:  gain(far[maxLag-lag:maxLag-lag+nearSize], near),
	}
	switch {
	case height < sharp || height < alone*second || found.Gain < minGain || found.Gain > maxGain:
		g.looks = 0
	case g.looks > 0 && max(lag-g.lag, g.lag-lag) <= sameLag:
		g.looks++
	default:
		g.looks = 1
	}
	g.lag = lag
	return found, g.looks >= looksFor
}

// peak is the lag at which a correlation is highest, by how many of all lags'
// standard deviations, and how many the highest elsewhere is.
func peak(correlation []float64) (lag int, height, second float64) {
	at := func(d int) float64 { return math.Abs(correlation[maxLag-d]) }
	var squares float64
	lag = minLag
	for d := minLag; d <= maxLag; d++ {
		squares += at(d) * at(d)
		if at(d) > at(lag) {
			lag = d
		}
	}
	if squares == 0 {
		return lag, 0, 0
	}
	var other float64
	for d := minLag; d <= maxLag; d++ {
		if max(d-lag, lag-d) > sameLag {
			other = max(other, at(d))
		}
	}
	spread := math.Sqrt(squares / float64(maxLag-minLag+1))
	return lag, at(lag) / spread, other / spread
}

// faint is below which square a part of a spectrum is nothing but what the others
// leave beside them.
func faint(spectrum []complex128) float64 {
	var sum float64
	for _, c := range spectrum {
		sum += square(c)
	}
	return 1e-5 * sum / float64(len(spectrum))
}

func square(c complex128) float64 { return real(c)*real(c) + imag(c)*imag(c) }

// gain is how strong far is in near, in dB: the factor that leaves the least of it.
func gain(far, near []float64) float64 {
	var both, alone float64
	for i := range near {
		both += far[i] * near[i]
		alone += far[i] * far[i]
	}
	if alone == 0 || both == 0 {
		return math.Inf(-1)
	}
	return 20 * math.Log10(math.Abs(both/alone))
}

func power(samples []float64) (p float64) {
	for _, v := range samples {
		p += v * v
	}
	return p / float64(len(samples))
}

// ramp is over how many samples a stretch is faded in and out: where it was cut
// out of a sound is not to be taken for something in it.
const ramp = rate / 1000 * 128

var fade = func() (f [ramp]float64) {
	for i := range f {
		f[i] = 0.5 - 0.5*math.Cos(math.Pi*(float64(i)+0.5)/ramp)
	}
	return f
}()

// load copies samples, faded in and out, with zeros behind.
func load(dst, samples []float64) {
	n := copy(dst, samples)
	for i, f := range fade {
		dst[i] *= f
		dst[n-1-i] *= f
	}
	clear(dst[n:])
}

// history is the last stretch of a signal at the lower rate.
type history struct {
	down    *resample.Resampler
	scratch []float32
	buf     []float64 // twice as long as needed, so that it is seldom moved
	size    int
}

func newHistory(size int) *history {
	down, err := resample.New(inRate, rate, 1)
	if err != nil {
		panic(err) // both rates are constants
	}
	return &history{down: down, buf: make([]float64, size, 4*size), size: size}
}

// add returns how many samples of the lower rate have come.
func (h *history) add(samples []float32) int {
	h.scratch = h.down.Process(h.scratch[:0], samples)
	if len(h.buf)+len(h.scratch) > cap(h.buf) {
		h.buf = h.buf[:copy(h.buf, h.buf[len(h.buf)-h.size:])]
	}
	for _, v := range h.scratch {
		h.buf = append(h.buf, float64(v))
	}
	return len(h.scratch)
}

func (h *history) last(n int) []float64 { return h.buf[len(h.buf)-n:] }
