package playout

import (
	"fmt"
	"math"
	"testing"
)

// resample reads all of in through a resampler, block by block, at the ratio
// of each block. Of a stereo one the right side is the left one turned over.
func resample(t *testing.T, in []float32, channels, blocks int, ratio func(block int) float64) []float32 {
	t.Helper()
	r := NewResampler(channels)
	var out []float32
	block := make([]float32, FrameSamples*channels)
	for i := range blocks {
		for !r.Ready(FrameSamples, ratio(i)) {
			frame := make([]float32, 0, FrameSamples*channels)
			for _, v := range in[:FrameSamples] {
				frame = append(frame, v)
				if channels == 2 {
					frame = append(frame, -v)
				}
			}
			in = in[FrameSamples:]
			r.Write(frame)
		}
		r.Read(block, ratio(i))
		for i := 0; i < len(block); i += channels {
			if channels == 2 && block[i] != -block[i+1] {
				t.Fatalf("left %v, right %v", block[i], block[i+1])
			}
			out = append(out, block[i])
		}
	}
	return out
}

func TestResamplerAtOneIsTheIdentity(t *testing.T) {
	in := tone(997, 0.7, 0, 20*FrameSamples)
	out := resample(t, in, 1, 18, func(int) float64 { return 1 })
	for i, v := range out {
		if v != in[i] {
			t.Fatalf("sample %d is %v, was %v", i, v, in[i])
		}
	}
}

func TestResamplerKeepsAToneClean(t *testing.T) {
	const blocks = 50
	for _, channels := range []int{1, 2} {
		for _, hertz := range []float64{50, 440, 997, 3000, 8000, 15000, 19500} {
			for _, ratio := range []float64{1 - maxStretch, 1 - 200e-6, 1 + 1e-6, 1 + maxStretch} {
				t.Run(fmt.Sprintf("%g Hz at %v in %d", hertz, ratio, channels), func(t *testing.T) {
					in := tone(hertz, 0.7, 0, (blocks+3)*FrameSamples)
					out := resample(t, in, channels, blocks, func(int) float64 { return ratio })
					got := signalToNoise(out[FrameSamples:], hertz*ratio)
					if want := 85.0; got < want {
						t.Errorf("%.1f dB, want %.0f", got, want)
					}
				})
			}
		}
	}
}

// The phase goes on while the ratio changes: the output is the tone at the sum
// of all steps so far.
func TestResamplerPhase(t *testing.T) {
	const blocks, hertz = 100, 997.0
	ratio := func(block int) float64 { return 1 + maxStretch*math.Sin(float64(block)) }
	out := resample(t, tone(hertz, 0.7, 0, (blocks+4)*FrameSamples), 1, blocks, ratio)
	at, noise, power := 0.0, 0.0, 0.0
	for i, v := range out {
		want := 0.7 * math.Sin(2*math.Pi*hertz/SampleRate*at)
		at += ratio(i / FrameSamples)
		if i >= sincTaps { // before, the filter sees the edge
			noise += (float64(v) - want) * (float64(v) - want)
			power += want * want
		}
	}
	if got := 10 * math.Log10(power/noise); got < 85 {
		t.Errorf("%.1f dB from where it should be, want 85", got)
	}
}

func TestResamplerDoesNotAllocate(t *testing.T) {
	r := NewResampler(2)
	in, out := make([]float32, 2*FrameSamples), make([]float32, 2*FrameSamples)
	got := testing.AllocsPerRun(100, func() {
		for !r.Ready(FrameSamples, 1.003) {
			r.Write(in)
		}
		r.Read(out, 1.003)
	})
	if got != 0 {
		t.Errorf("%v allocations a block, want 0", got)
	}
}
