// Package resample converts sound from one sample rate to another with a
// windowed sinc filter. It is exact in time, sample for sample, and meant for
// files: it does not follow a clock that drifts.
package resample

import "fmt"

// A Resampler converts a stream of samples, mono or stereo. Not for concurrent
// use.
type Resampler struct {
	channels int
	up, down int // output to input rate, in lowest terms
	filters  bank

	history []float32 // input that is still under the filter, channels in turn
	start   int       // frame of history at which the filter begins
	phase   int       // of the output between two input samples, 0 to up-1
	in, out int64     // frames taken and given since New
}

// New returns a resampler from one rate to another, in Hz, for 1 or 2 channels.
func New(from, to, channels int) (*Resampler, error) {
	if from <= 0 || to <= 0 || channels < 1 || channels > 2 {
		return nil, fmt.Errorf("resample: from %d Hz to %d Hz in %d channels", from, to, channels)
	}
	g := gcd(from, to)
	r := &Resampler{channels: channels, up: to / g, down: from / g}
	if r.up != r.down {
		r.filters = newBank(r.up, r.down)
		// The first output lies on the first input, in the middle of the filter.
		r.history = make([]float32, (r.filters.taps/2-1)*channels)
	}
	return r, nil
}

// Process appends to dst what the samples of src, whole frames, add to the
// output. The output lags behind: what is missing comes with the next call, or
// with [Resampler.Flush].
func (r *Resampler) Process(dst, src []float32) []float32 {
	r.in += int64(len(src) / r.channels)
	if r.up == r.down {
		r.out = r.in
		return append(dst, src...)
	}
	r.history = append(r.history, src...)
	return r.drain(dst, -1)
}

// Flush appends the rest of the output to dst, as if silence followed. For n
// frames of input there are n·to/from of output in all, rounded up. Nothing may
// follow.
func (r *Resampler) Flush(dst []float32) []float32 {
	total := (r.in*int64(r.up) + int64(r.down) - 1) / int64(r.down)
	if r.up == r.down || r.out >= total {
		return dst
	}
	r.history = append(r.history, make([]float32, (r.filters.taps/2+1)*r.channels)...)
	return r.drain(dst, total-r.out)
}

// drain appends what the history is enough for, at most limit frames unless
// that is negative, and forgets the history that is no longer needed.
func (r *Resampler) drain(dst []float32, limit int64) []float32 {
	frames := len(r.history) / r.channels
	for ; r.start+r.filters.taps <= frames && limit != 0; limit-- {
		h := r.filters.at(r.phase)
		window := r.history[r.start*r.channels:]
		if r.channels == 1 {
			dst = append(dst, mono(h, window))
		} else {
			left, right := stereo(h, window)
			dst = append(dst, left, right)
		}
		r.out++
		r.phase += r.down
		r.start += r.phase / r.up
		r.phase %= r.up
	}
	done := min(r.start, frames)
	r.start -= done
	r.history = r.history[:copy(r.history, r.history[done*r.channels:])]
	return dst
}

func mono(h, in []float32) (sum float32) {
	in = in[:len(h)]
	for i, c := range h {
		sum += c * in[i]
	}
	return sum
}

func stereo(h, in []float32) (left, right float32) {
	in = in[:2*len(h)]
	for i, c := range h {
		left += c * in[2*i]
		right += c * in[2*i+1]
	}
	return left, right
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
