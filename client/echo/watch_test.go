package echo

import (
	"math"
	"testing"
	"time"
)

// A room in which a second device plays what the client plays, late, while its
// speaker says nothing; then it is switched off.
func TestWatchTellsOfALoop(t *testing.T) {
	const (
		delay = inRate * 350 / 1000
		loopy = 8 * inRate  // until then
		end   = 14 * inRate // of all
	)
	for _, duck := range []bool{false, true} {
		voice := level(speech(t), 1)
		var found []Loop
		var over, first time.Duration
		var now time.Duration
		w := NewWatch(WatchOptions{
			Found: func(l Loop) {
				if found = append(found, l); len(found) == 1 {
					first = now
				}
			},
			Over: func() { over = now },
			Duck: duck,
		})
		played := make([]float32, end)
		for i := range played {
			played[i] = voice[i%len(voice)]
		}
		power := func(pcm []float32) (p float64) {
			for _, v := range pcm {
				p += float64(v) * float64(v)
			}
			return p
		}
		var in, out float64 // of the microphone in the loop, once it was found
		mic := make([]float32, frame)
		for i := 0; i < end; i += frame {
			now = time.Duration(i+frame) * time.Second / inRate
			if i%(3*frame) == 0 { // a sound card that takes 60 ms at once
				w.Played(played[i:min(i+3*frame, end)])
			}
			for k := range mic {
				mic[k] = 0
				if j := i + k - delay; j >= 0 && i < loopy {
					mic[k] = 0.2 * played[j]
				}
			}
			before := power(mic)
			told := len(found) > 0
			w.Heard(mic)
			if told && i < loopy {
				in, out = in+before, out+power(mic)
			}
		}
		if len(found) < 3 || len(found) > 8 {
			t.Fatalf("told %d times in 8 s", len(found))
		}
		if first > 3*time.Second {
			t.Errorf("found after %v, want 3 s at the most", first)
		}
		if off := found[0].Delay - 350*time.Millisecond; off < -20*time.Millisecond || off > 60*time.Millisecond {
			t.Errorf("a delay of %v", found[0].Delay)
		}
		if over < 8*time.Second || over > 13*time.Second {
			t.Errorf("over after %v", over)
		}
		if less := 10 * math.Log10(in/out); duck && math.Abs(less-20) > 1 || !duck && less != 0 {
			t.Errorf("duck %v: %.1f dB less", duck, less)
		}
	}
}

// Nothing to play, or more than the microphone takes, costs no memory.
func TestWatchIsBounded(t *testing.T) {
	w := NewWatch(WatchOptions{})
	pcm := make([]float32, frame)
	for range 1000 {
		w.Played(pcm)
	}
	if len(w.played) > samples(lagFor) {
		t.Errorf("%d samples wait", len(w.played))
	}
	for range 1000 {
		w.Heard(pcm)
	}
	if len(w.played) != 0 {
		t.Errorf("%d samples wait", len(w.played))
	}
}
