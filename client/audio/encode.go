package audio

import (
	"errors"
	"io"
	"math"

	"github.com/stentor-audio/stentor/client/audio/opus"
	"github.com/stentor-audio/stentor/client/audio/resample"
)

// encode makes packets of samples. The last one is filled up with silence, and
// one more follows if the encoder has not given everything by then.
type encode struct {
	samples Samples
	rate    *resample.Resampler
	encoder *opus.Encoder
	bitrate int
	heard   func([]float32) // nil for nobody
	in      []float32       // as read
	out     []float32       // at 48 kHz, not encoded yet
	packet  []byte
	begun   bool  // there was a sample
	err     error // of samples; everything before it goes out first
}

func newEncode(samples Samples, rate, channels int, o Options) (*encode, error) {
	resampler, err := resample.New(rate, opus.Rate, channels)
	if err != nil {
		return nil, err
	}
	cfg := o.Encoder
	cfg.Channels = channels
	encoder, err := opus.NewEncoder(cfg)
	if err != nil {
		return nil, err
	}
	return &encode{
		samples: samples,
		rate:    resampler,
		encoder: encoder,
		bitrate: encoder.Bitrate(),
		heard:   o.Heard,
		in:      make([]float32, max(rate/50, 1)*channels),
	}, nil
}

func (e *encode) next() ([]byte, float32, error) {
	frame := opus.FrameSamples * e.encoder.Channels()
	for len(e.out) < frame && e.err == nil {
		e.read()
	}
	if len(e.out) == 0 {
		return nil, 0, e.err
	}
	for len(e.out) < frame {
		e.out = append(e.out, 0)
	}
	clip(e.out[:frame])
	if e.heard != nil {
		e.heard(e.out[:frame])
	}
	loud := level(e.out[:frame])
	var err error
	if e.packet, err = e.encoder.Encode(e.packet[:0], e.out[:frame]); err != nil {
		return nil, 0, err
	}
	e.out = e.out[:copy(e.out, e.out[frame:])]
	return e.packet, loud, nil
}

// read moves a piece of the samples to out.
func (e *encode) read() {
	n, err := e.samples.Read(e.in)
	e.out = e.rate.Process(e.out, e.in[:n])
	e.begun = e.begun || n > 0
	if err == nil {
		return
	}
	e.err = err
	e.out = e.rate.Flush(e.out)
	if e.begun {
		e.out = append(e.out, make([]float32, e.encoder.Lookahead()*e.encoder.Channels())...)
	}
}

// clip keeps samples between -1 and 1: a file of floating point numbers may hold
// any, and an encoder is better not asked what it makes of them.
func clip(pcm []float32) {
	for i, x := range pcm {
		if x != x {
			x = 0
		}
		pcm[i] = min(max(x, -1), 1)
	}
}

// level is the root mean square of clipped samples.
func level(pcm []float32) float32 {
	var sum float64
	for _, x := range pcm {
		sum += float64(x) * float64(x)
	}
	return float32(min(1, math.Sqrt(sum/float64(max(1, len(pcm))))))
}

// repeat begins again at the end of samples, without a pause.
type repeat struct {
	samples Samples
	again   func() (Samples, error)
	any     bool // something was read since it began
}

// Read implements [Samples].
func (r *repeat) Read(dst []float32) (int, error) {
	for {
		n, err := r.samples.Read(dst)
		r.any = r.any || n > 0
		if n > 0 || !errors.Is(err, io.EOF) || !r.any {
			return n, err
		}
		if r.samples, err = r.again(); err != nil {
			return 0, err
		}
		r.any = false
	}
}
