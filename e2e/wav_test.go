package e2e

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"testing"

	"github.com/stentor-audio/stentor/client/audio/wav"
)

// chirp is a tone that rises from 200 to 500 Hz in two seconds, so that every
// moment of it sounds different from every other. t is in seconds.
func chirp(t float64) float64 { return 0.5 * math.Sin(2*math.Pi*(200*t+75*t*t)) }

const chirpSeconds = 2

// chirpFile is the chirp as a WAV file.
func chirpFile(t *testing.T, f wav.Format) []byte {
	t.Helper()
	var samples []float32
	for i := range chirpSeconds * f.Rate {
		for range f.Channels {
			samples = append(samples, float32(chirp(float64(i)/float64(f.Rate))))
		}
	}
	var file bytes.Buffer
	w, err := wav.NewWriter(&file, f)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(samples), w.Close()); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// coarse is the rate at which sound is compared; the chirp fits below half of it.
const coarse = 4000

// coarseWAV reads a WAV file, mixes it to mono and averages it down to coarse.
func coarseWAV(t *testing.T, path string) []float64 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := wav.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	f := r.Format()
	if f.Rate%coarse != 0 {
		t.Fatalf("the file has %d Hz", f.Rate)
	}
	n := f.Rate / coarse * f.Channels
	var out []float64
	chunk := make([]float32, n)
	for {
		var sum float64
		for filled := 0; filled < n; {
			m, err := r.Read(chunk[filled:])
			if errors.Is(err, io.EOF) {
				return out
			}
			if err != nil {
				t.Fatal(err)
			}
			filled += m
		}
		for _, v := range chunk {
			sum += float64(v)
		}
		out = append(out, sum/float64(n))
	}
}

// find returns where in sound the pattern fits best, and how well: the
// normalised cross-correlation, 1 for the same shape, 0 for nothing in common.
func find(sound, pattern []float64) (at int, fit float64) {
	var energy, window float64
	for i, p := range pattern {
		energy += p * p
		if i < len(sound) {
			window += sound[i] * sound[i]
		}
	}
	for lag := 0; lag+len(pattern) <= len(sound); lag++ {
		var dot float64
		for i, p := range pattern {
			dot += p * sound[lag+i]
		}
		if c := dot / math.Sqrt(energy*max(window, energy/100)); c > fit {
			at, fit = lag, c
		}
		if next := lag + len(pattern); next < len(sound) {
			window += sound[next]*sound[next] - sound[lag]*sound[lag]
		}
	}
	return at, fit
}

func TestWAVInWAVOut(t *testing.T) {
	t.Parallel()
	formats := map[string]wav.Format{
		"telephone":   {Rate: 8000, Channels: 1, Encoding: wav.PCM16},
		"CD":          {Rate: 44100, Channels: 2, Encoding: wav.PCM24},
		"workstation": {Rate: 96000, Channels: 1, Encoding: wav.Float32},
	}
	r := startRelay(t, "--open")
	for name, format := range formats {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := startListener(t, r, name, "mix.wav")
			follow(t, l.stats, "it listens", func(s stats) bool { return *s.Relay != "" })
			speak(t, r, name, "ada", writeFile(t, "chirp.wav", chirpFile(t, format))).succeed()
			follow(t, l.stats, "nearly all of it", heard(chirpSeconds*50-1))
			l.stop().flawless(t, "ada")

			mix := coarseWAV(t, l.out)
			// Pieces of the chirp are found in their order and at their distance.
			const piece = coarse / 4
			first := -1
			for _, quarter := range []int{2, 4, 6} {
				pattern := make([]float64, piece)
				for i := range pattern {
					pattern[i] = chirp(float64(quarter)/4 + float64(i)/coarse)
				}
				at, fit := find(mix, pattern)
				if fit < 0.9 {
					t.Errorf("quarter %d of the chirp: best fit %.2f", quarter, fit)
				}
				begin := at - quarter*coarse/4
				if first < 0 {
					first = begin
				}
				if off := begin - first; off < -coarse/10 || off > coarse/10 {
					t.Errorf("quarter %d is %d ms off", quarter, off*1000/coarse)
				}
				t.Logf("quarter %d at %d ms, fit %.3f", quarter, at*1000/coarse, fit)
			}
		})
	}
}
