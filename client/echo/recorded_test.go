package echo

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client/audio/resample"
	"github.com/stentor-audio/stentor/client/audio/wav"
)

// recorded reads a WAV file, at the rate that a guard hears.
func recorded(t *testing.T, path string) []float32 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r, err := wav.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	format := r.Format()
	rate, err := resample.New(format.Rate, inRate, format.Channels)
	if err != nil {
		t.Fatal(err)
	}
	var out []float32
	pcm := make([]float32, format.Rate/10*format.Channels)
	for {
		n, err := r.Read(pcm)
		resampled := rate.Process(nil, pcm[:n])
		for i := 0; i < len(resampled); i += format.Channels {
			out = append(out, resampled[i])
		}
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// With STENTOR_ECHO_VOICES=FOLDER, where far.wav and near.wav are two people who
// speak, for ten minutes or more: how soon a loop of them is found, and how often one
// where there is none. docs/benchmarks.md says what came of it.
func TestRecordedVoices(t *testing.T) {
	folder := os.Getenv("STENTOR_ECHO_VOICES")
	if folder == "" {
		t.Skip("STENTOR_ECHO_VOICES names no folder with far.wav and near.wav")
	}
	far, near := level(recorded(t, filepath.Join(folder, "far.wav")), 1), level(recorded(t, filepath.Join(folder, "near.wav")), 1)
	const bothTalk = "two at the same time"
	talks := map[string]func(float64) (bool, bool){
		"who listens":  func(float64) (bool, bool) { return true, false },
		"two in turns": turns,
		bothTalk:       always(true, true), // more than is asked for: it may take longer
	}
	const scenes, apart = 40, 15 * inRate
	for name, talk := range talks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, delay := range []time.Duration{100, 300, 500, 800} {
				var took []time.Duration
				missed := 0
				for i := range scenes {
					s := scene{far: far[i*apart:], near: near[i*apart:], talk: talk, delay: delay * time.Millisecond, gain: db(-20), noise: 1e-3}
					first, found, loop := s.run(t, 6*time.Second)
					off := loop.Delay - s.delay
					if found == 0 || off < -10*time.Millisecond || off > 40*time.Millisecond {
						missed++
						continue
					}
					took = append(took, first)
				}
				slices.Sort(took)
				within := 0
				for _, d := range took {
					if d <= 3*time.Second {
						within++
					}
				}
				if within < scenes && name != bothTalk {
					t.Errorf("a loop of %v is found within 3 s in %d of %d", delay*time.Millisecond, within, scenes)
				}
				t.Logf("a loop of %v: of %d within 3 s %d, later %d, not within 6 s %d; in order of time %v",
					delay*time.Millisecond, scenes, within, len(took)-within, missed, took)
			}
			s := scene{far: far, near: near, talk: talk, noise: 1e-3}
			first, found, loop := s.run(t, 10*time.Minute)
			if found != 0 {
				t.Errorf("no loop, for 10 min: found %d times (%v, %.1f dB, first after %v)", found, loop.Delay, loop.Gain, first)
			}
		})
	}
}
