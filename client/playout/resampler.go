package playout

// A Resampler plays audio a little faster or slower: its output is the input
// read at steps of a ratio near 1, by windowed-sinc interpolation. The ratio
// may change with every read; the phase goes on.
type Resampler struct {
	channels int
	table    *sincTable
	in       []float32 // interleaved; its capacity is fixed
	pos      float64   // of the next output sample in in, in samples per channel
}

// NewResampler returns one for interleaved PCM of 1 or 2 channels.
func NewResampler(channels int) *Resampler {
	r := &Resampler{
		channels: channels,
		table:    sinc(),
		in:       make([]float32, 0, (sincTaps+4*FrameSamples)*channels),
		pos:      sincTaps/2 - 1,
	}
	r.in = r.in[:(sincTaps/2-1)*channels] // silence before the first sample
	return r
}

// Queued is how many samples of each channel were written and not yet reached.
func (r *Resampler) Queued() float64 {
	return float64(len(r.in)/r.channels) - r.pos
}

// Ready reports whether n samples can be read at ratio.
func (r *Resampler) Ready(n int, ratio float64) bool {
	last := int(r.pos + float64(n)*ratio)
	return last+sincTaps/2 < len(r.in)/r.channels
}

// Write queues pcm, at most a frame, while a frame is not Ready.
func (r *Resampler) Write(pcm []float32) {
	if len(r.in)+len(pcm) > cap(r.in) {
		r.compact()
	}
	r.in = append(r.in, pcm...)
}

// compact drops the input that no output sample will need.
func (r *Resampler) compact() {
	done := int(r.pos) - (sincTaps/2 - 1)
	n := copy(r.in, r.in[done*r.channels:])
	r.in = r.in[:n]
	r.pos -= float64(done)
}

// Read fills out at ratio input samples for each output sample. It must be
// Ready.
func (r *Resampler) Read(out []float32, ratio float64) {
	if r.channels == 1 {
		r.readMono(out, ratio)
	} else {
		r.readStereo(out, ratio)
	}
}

// filter returns the two filters around the current position, how far it is
// from the first to the second, and the first sample they apply to.
func (r *Resampler) filter() (a, b *[sincTaps]float32, f float32, first int) {
	whole := int(r.pos)
	phase := (r.pos - float64(whole)) * sincPhases
	p := int(phase)
	return &r.table[p], &r.table[p+1], float32(phase - float64(p)), whole - (sincTaps/2 - 1)
}

func (r *Resampler) readMono(out []float32, ratio float64) {
	for i := range out {
		a, b, f, first := r.filter()
		x := (*[sincTaps]float32)(r.in[first:])
		var a0, a1, b0, b1 float32 // four sums that need not wait for each other
		for k := 0; k < sincTaps; k += 2 {
			a0 += a[k] * x[k]
			b0 += b[k] * x[k]
			a1 += a[k+1] * x[k+1]
			b1 += b[k+1] * x[k+1]
		}
		sum := a0 + a1
		out[i] = sum + f*(b0+b1-sum)
		r.pos += ratio
	}
}

func (r *Resampler) readStereo(out []float32, ratio float64) {
	for i := 0; i+1 < len(out); i += 2 {
		a, b, f, first := r.filter()
		x := (*[2 * sincTaps]float32)(r.in[2*first:])
		var left, right float32
		for k := range sincTaps {
			c := a[k] + f*(b[k]-a[k])
			left += c * x[2*k]
			right += c * x[2*k+1]
		}
		out[i], out[i+1] = left, right
		r.pos += ratio
	}
}
