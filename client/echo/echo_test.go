package echo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client/audio/ogg"
	"github.com/stentor-audio/stentor/client/audio/opus"
	"github.com/stentor-audio/stentor/client/audio/resample"
	"github.com/stentor-audio/stentor/client/audio/sample"
)

const frame = inRate / 50

// speech is the project's sample of a voice, decoded.
func speech(t testing.TB) []float32 {
	t.Helper()
	file, err := ogg.NewReader(bytes.NewReader(sample.Voice))
	if err != nil {
		t.Fatal(err)
	}
	d, err := opus.NewDecoder(1)
	if err != nil {
		t.Fatal(err)
	}
	var out []float32
	pcm := make([]float32, 6*opus.FrameSamples)
	for {
		packet, err := file.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		n, err := d.Decode(packet.Data, pcm)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pcm[:n]...)
	}
}

// another makes another voice of one: higher or lower, and beginning elsewhere.
func another(t testing.TB, voice []float32, from, to int) []float32 {
	t.Helper()
	r, err := resample.New(from, to, 1)
	if err != nil {
		t.Fatal(err)
	}
	turned := append(append([]float32{}, voice[len(voice)/3:]...), voice[:len(voice)/3]...)
	return r.Process(nil, turned)
}

// level sets the mean power of what is not silent to 1, times gain.
func level(samples []float32, gain float64) []float32 {
	var p, n float64
	for _, v := range samples {
		if math.Abs(float64(v)) > 1e-3 {
			p += float64(v) * float64(v)
			n++
		}
	}
	k := float32(0.1 * gain / math.Sqrt(p/n))
	out := make([]float32, len(samples))
	for i, v := range samples {
		out[i] = k * v
	}
	return out
}

func db(v float64) float64 { return math.Pow(10, v/20) }

// A scene is what a guard hears: at each sample, what is played and what the
// microphone brings.
type scene struct {
	far, near []float32
	talk      func(second float64) (far, near bool)
	delay     time.Duration
	gain      float64 // of the loop, 0 for none
	smear     bool    // a room with an echo of its own
	noise     float64
	drift     float64 // of the clocks, as a ratio
}

// run hears a scene for a while and returns when the loop was found first, and how
// often.
func (s scene) run(t testing.TB, d time.Duration) (first time.Duration, found int, last Loop) {
	t.Helper()
	g := New()
	random := rand.New(rand.NewPCG(1, 2))
	n := int(d * inRate / time.Second)
	played := make([]float32, n)
	for i := range played {
		if far, _ := s.talk(float64(i) / inRate); far {
			played[i] = s.far[i%len(s.far)]
		}
	}
	at := func(i float64) float64 {
		i -= i * s.drift
		j := int(math.Floor(i))
		if j < 0 || j+1 >= n {
			return 0
		}
		f := i - float64(j)
		return float64(played[j])*(1-f) + float64(played[j+1])*f
	}
	delay := s.delay.Seconds() * inRate
	near := make([]float32, frame)
	for begin := 0; begin+frame <= n; begin += frame {
		for k := range near {
			i := begin + k
			v := s.noise * random.NormFloat64()
			if _, talks := s.talk(float64(i) / inRate); talks {
				v += float64(s.near[i%len(s.near)])
			}
			if s.gain != 0 {
				echo := at(float64(i) - delay)
				if s.smear {
					echo = 0.7*echo + 0.4*at(float64(i)-delay-230) - 0.3*at(float64(i)-delay-610) + 0.2*at(float64(i)-delay-1500)
				}
				v += s.gain * echo
			}
			near[k] = float32(v)
		}
		if loop, ok := g.Hear(played[begin:begin+frame], near); ok {
			if found++; found == 1 {
				first = time.Duration(begin+frame) * time.Second / inRate
			}
			last = loop
		}
	}
	return first, found, last
}

// turns is a talk of two that fall into each other's word.
func turns(second float64) (far, near bool) {
	p := math.Mod(second, 7)
	return p < 4.2, p > 3.6 || p > 1.5 && p < 2
}

func always(bool, bool) func(float64) (bool, bool) {
	return func(float64) (bool, bool) { return true, true }
}

func TestLoopIsFound(t *testing.T) {
	voice := speech(t)
	far, near := level(voice, 1), level(another(t, voice, 48000, 42000), 1)
	listening := func(float64) (bool, bool) { return true, false }
	for _, tt := range []struct {
		name  string
		scene scene
	}{
		{"silent speaker", scene{talk: listening, gain: db(-20), noise: 1e-4}},
		{"a noisy place", scene{talk: listening, gain: db(-20), noise: 5e-3}},
		{"a room with an echo of its own", scene{talk: listening, gain: db(-20), smear: true, noise: 1e-3}},
		{"who speaks meanwhile", scene{talk: always(true, true), gain: db(-20), noise: 1e-4}},
		{"two in turns", scene{talk: turns, gain: db(-20), noise: 1e-3}},
		{"clocks apart", scene{talk: listening, gain: db(-20), noise: 1e-3, drift: 100e-6}},
		{"loud", scene{talk: listening, gain: db(-3), noise: 1e-3}},
	} {
		for _, delay := range []time.Duration{100, 800} {
			s := tt.scene
			s.far, s.near, s.delay = far, near, delay*time.Millisecond
			first, found, loop := s.run(t, 3200*time.Millisecond)
			t.Logf("%s, %v: after %v, %d times, %v at %.1f dB", tt.name, s.delay, first, found, loop.Delay, loop.Gain)
			if found == 0 || first > 3*time.Second {
				t.Errorf("%s, %v: found after %v, %d times", tt.name, s.delay, first, found)
				continue
			}
			if off := loop.Delay - s.delay; off < -10*time.Millisecond || off > 40*time.Millisecond {
				t.Errorf("%s, %v: taken for %v", tt.name, s.delay, loop.Delay)
			}
		}
	}
}

// talkFor is how long two talk without a loop. STENTOR_ECHO_TALK=10m is what the
// guard was measured with (docs/benchmarks.md).
func talkFor(t *testing.T) time.Duration {
	given := os.Getenv("STENTOR_ECHO_TALK")
	if given == "" {
		return 30 * time.Second
	}
	d, err := time.ParseDuration(given)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTalkOfTwoIsNoLoop(t *testing.T) {
	voice := speech(t)
	for _, other := range [][2]int{{48000, 42000}, {44100, 48000}} {
		t.Run(fmt.Sprint(other), func(t *testing.T) {
			t.Parallel()
			s := scene{far: level(voice, 1), near: level(another(t, voice, other[0], other[1]), 1), talk: turns, noise: 1e-3}
			if first, found, loop := s.run(t, talkFor(t)); found != 0 {
				t.Errorf("a loop of %v at %.1f dB, %d times, after %v", loop.Delay, loop.Gain, found, first)
			}
		})
	}
}

// Hum in both, and tones, agree in phase at every delay.
func TestHumIsNoLoop(t *testing.T) {
	hum := make([]float32, inRate)
	for i := range hum {
		s := float64(i) / inRate * 2 * math.Pi
		hum[i] = float32(0.1*math.Sin(50*s) + 0.05*math.Sin(450*s) + 0.05*math.Sin(1000*s))
	}
	s := scene{far: hum, near: hum, talk: always(true, true), noise: 1e-3}
	if _, found, loop := s.run(t, 10*time.Second); found != 0 {
		t.Errorf("%+v, %d times", loop, found)
	}
}

func TestSilenceIsNoLoop(t *testing.T) {
	g := New()
	quiet := make([]float32, frame)
	for range 500 {
		if loop, ok := g.Hear(quiet, quiet); ok {
			t.Fatalf("%+v", loop)
		}
	}
}

func BenchmarkHear(b *testing.B) {
	voice := speech(b)
	g := New()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := i * frame % (len(voice) - frame)
		g.Hear(voice[at:at+frame], voice[at:at+frame])
	}
}
