package playout

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// observe shows e n frames from media time from on, each by its transit, and
// returns the delay after the last.
func observe(e *Estimator, from time.Duration, n int, transit func(i int) time.Duration) time.Duration {
	var delay time.Duration
	for i := range n {
		media := from + time.Duration(i)*Frame
		e.Observe(media, media+transit(i))
		delay = e.Delay(media + transit(i))
	}
	return delay
}

func steady(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

func TestEstimatorDelay(t *testing.T) {
	loose := Config{MinDelay: 40 * ms, MaxDelay: 500 * ms}
	one := func(n int, late time.Duration) func(int) time.Duration {
		return func(i int) time.Duration {
			if i%n == n-1 {
				return late
			}
			return 10 * ms
		}
	}
	tests := []struct {
		name    string
		cfg     Config
		frames  int
		transit func(int) time.Duration
		want    time.Duration
	}{
		{"no spread, the least delay", loose, 600, steady(10 * ms), 40 * ms},
		{"any transit without spread", loose, 600, steady(10 * time.Second), 40 * ms},
		{"default for 20 ms", Config{}, 600, steady(10 * ms), 200 * ms},
		{"default for 60 ms", Config{Packet: 60 * ms}, 600, steady(10 * ms), 200 * ms},
		{"default for 120 ms", Config{Packet: 120 * ms}, 600, steady(10 * ms), 320 * ms},
		{"60 ms packets on a short delay", loose, 600, func(i int) time.Duration { return time.Duration(2-i%3) * Frame }, 60 * ms},
		{"spread and 20 ms", loose, 600, func(i int) time.Duration { return time.Duration(10+i%101) * ms }, 119 * ms},
		{"one late frame of 50", loose, 600, one(50, 310*ms), 320 * ms},
		{"one late frame of 200", loose, 600, one(200, 310*ms), 40 * ms},
		{"no more than the longest", loose, 600, func(i int) time.Duration { return time.Duration(i%50) * 10 * ms }, 500 * ms},
		{"frames no delay would save", loose, 600, one(50, 900*ms), 40 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := NewEstimator(tt.cfg)
			if got := observe(e, 0, tt.frames, tt.transit); got != tt.want {
				t.Errorf("delay %v, want %v (spread %v)", got, tt.want, e.Spread())
			}
		})
	}
}

// The delay grows with the frame that needs it, stays while such frames are
// remembered, and then shrinks by 5 ms a second.
func TestEstimatorHysteresis(t *testing.T) {
	e := NewEstimator(Config{MinDelay: 40 * ms, MaxDelay: 500 * ms})
	now := time.Duration(0)
	frames := func(n int, transit time.Duration) time.Duration {
		delay := observe(e, now, n, steady(transit))
		now += time.Duration(n) * Frame
		return delay
	}
	for _, step := range []struct {
		what    string
		frames  int
		transit time.Duration
		want    time.Duration
	}{
		{"calm", 100, 10 * ms, 40 * ms},
		{"the second of two late frames is beyond the hundredth", 2, 210 * ms, 220 * ms},
		{"remembered: one in a hundred", 90, 10 * ms, 220 * ms},
		{"one in two hundred, so it shrinks since the last count", 60, 10 * ms, 215900 * time.Microsecond},
		{"10 s on", 500, 10 * ms, 165900 * time.Microsecond},
		{"as far as it goes", 2000, 10 * ms, 40 * ms},
		{"and again at once", 10, 200 * ms, 210 * ms},
	} {
		if got := frames(step.frames, step.transit); got != step.want {
			t.Errorf("%s: delay %v, want %v", step.what, got, step.want)
		}
	}
}

// A slower path raises the base only when the frames of the quicker one are
// forgotten; a quicker one lowers it at once.
func TestEstimatorBase(t *testing.T) {
	e := NewEstimator(Config{})
	observe(e, 0, 1000, steady(30*ms))
	if got := e.Base(); got != 30*ms {
		t.Errorf("base %v, want 30ms", got)
	}
	observe(e, 20*time.Second, 500, steady(80*ms))
	if got := e.Base(); got != 30*ms {
		t.Errorf("base %v ten seconds after the path got slower, want 30ms", got)
	}
	observe(e, 30*time.Second, 100, steady(80*ms))
	if got := e.Base(); got != 80*ms {
		t.Errorf("base %v when the quick frames are out of the window, want 80ms", got)
	}
	observe(e, 32*time.Second, 1, steady(50*ms))
	if got := e.Base(); got != 50*ms {
		t.Errorf("base %v with the first quick frame, want 50ms", got)
	}
	// After a silence of an hour the clocks are 700 ms apart.
	observe(e, time.Hour, 1, steady(750*ms))
	if got := e.Base(); got != 750*ms {
		t.Errorf("base %v after an hour of silence, want 750ms", got)
	}
}

func TestEstimatorSkew(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2))
	tests := []struct {
		name    string
		ppm     float64
		jitter  time.Duration // exponential, mean
		jumpAt  time.Duration // the path gets 80 ms longer
		pause   bool          // ten seconds' talk, ten seconds' silence
		within  float64       // ppm
		minutes int
	}{
		{name: "none", within: 0.1, minutes: 3},
		{name: "slow speaker", ppm: 200, within: 1, minutes: 3},
		{name: "fast speaker", ppm: -200, within: 1, minutes: 3},
		{name: "jitter", ppm: 50, jitter: 10 * ms, within: 10, minutes: 3},
		{name: "pauses", ppm: 100, jitter: 5 * ms, pause: true, within: 10, minutes: 5},
		{name: "another path", ppm: 100, jitter: 5 * ms, jumpAt: 2 * time.Minute, within: 10, minutes: 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := NewEstimator(Config{})
			for i := range tt.minutes * 60 * 50 {
				media := time.Duration(i) * Frame
				if tt.pause && media/(10*time.Second)%2 == 1 {
					continue
				}
				at := time.Duration(float64(media) * (1 + tt.ppm*1e-6))
				at += 30*ms + time.Duration(noise.ExpFloat64()*float64(tt.jitter))
				if tt.jumpAt > 0 && media > tt.jumpAt {
					at += 80 * ms
				}
				e.Observe(media, at)
			}
			if got := e.Skew() * 1e6; math.Abs(got-tt.ppm) > tt.within {
				t.Errorf("skew %.1f ppm, want %.1f within %.1f", got, tt.ppm, tt.within)
			}
		})
	}
}
