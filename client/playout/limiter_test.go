package playout

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// limited is pcm through a fresh limiter, in blocks of n samples, with what it
// still holds at the end.
func limited(pcm []float32, channels, n int) []float32 {
	l := NewLimiter(channels)
	out := append(slices.Clone(pcm), make([]float32, (limiterAhead-1)*channels)...)
	for rest := out; len(rest) > 0; {
		block := rest[:min(n*channels, len(rest))]
		l.Process(block)
		rest = rest[len(block):]
	}
	return out[(limiterAhead-1)*channels:]
}

func TestLimiterIsTransparentBelowTheCeiling(t *testing.T) {
	in := tone(440, Ceiling, 0, 10*FrameSamples)
	if !slices.Equal(limited(in, 1, FrameSamples), in) {
		t.Error("a tone at the ceiling was changed")
	}
}

// Two seconds after a shout, the mix passes unchanged again: not almost.
func TestLimiterLetsGo(t *testing.T) {
	in := append(tone(440, 8, 0, FrameSamples), tone(440, 0.5, 0, 3*SampleRate)...)
	out := limited(in, 1, FrameSamples)
	if !slices.Equal(out[FrameSamples+2*SampleRate:], in[FrameSamples+2*SampleRate:]) {
		t.Error("still limiting two seconds later")
	}
	if out[FrameSamples+100] == in[FrameSamples+100] {
		t.Error("let go at once: that pumps")
	}
}

func TestLimiterHoldsALoudTone(t *testing.T) {
	for _, height := range []float64{1, 2, 5, 50} {
		out := limited(tone(440, height, 0, SampleRate), 1, FrameSamples)
		if got := Measure(out).Peak; got > -0.4 {
			t.Errorf("height %v: peak %.2f dBFS", height, got)
		}
		// In the steady state all periods need the same gain: no distortion but
		// what the release between two peaks makes.
		if got := signalToNoise(out[SampleRate/2:], 440); got < 50 {
			t.Errorf("height %v: %.1f dB, want 50", height, got)
		}
	}
}

// The gain has no steps: it comes down over 5 ms, before the peak.
func TestLimiterGainIsSmooth(t *testing.T) {
	in := make([]float32, SampleRate)
	for i := range in {
		in[i] = 0.5
	}
	in[SampleRate/2] = 5
	out := limited(in, 1, FrameSamples)
	for i := 1; i < len(out); i++ {
		if i == SampleRate/2 || i == SampleRate/2+1 {
			continue
		}
		if step := math.Abs(float64(out[i] - out[i-1])); step > 0.5/limiterAhead {
			t.Fatalf("gain steps by %v at %d", step/0.5, i)
		}
	}
}

// Whatever comes in, nothing above the ceiling comes out, and the lengths of
// the blocks make no difference.
func TestLimiterProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		channels := rapid.IntRange(1, 2).Draw(t, "channels")
		n := rapid.IntRange(1, 1500).Draw(t, "samples")
		pcm := make([]float32, 0, n*channels)
		for len(pcm) < n*channels {
			v := rapid.SampledFrom([]float32{0, 0.3, -0.9, 1, -1.5, 3, -40, 1e30,
				float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}).Draw(t, "value")
			for range rapid.IntRange(1, 100).Draw(t, "times") {
				pcm = append(pcm, v)
			}
		}
		pcm = pcm[:n*channels]
		whole := limited(pcm, channels, n)
		for i, v := range whole {
			if !(v >= -Ceiling && v <= Ceiling) {
				t.Fatalf("sample %d is %v", i, v)
			}
		}
		if !slices.Equal(whole, limited(pcm, channels, rapid.IntRange(1, 700).Draw(t, "block"))) {
			t.Fatal("blocks make a difference")
		}
	})
}
