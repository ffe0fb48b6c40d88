package playout

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The tone has nine whole periods in a frame: its phase is the same wherever
// one follows the other, whether the one in between was left out or waited for.
const hertz, height = 450.0, 0.5

// listen plays arrivals of one speaker of a tone and returns the mix.
func listen(t *testing.T, cfg Config, as []arrival, until time.Duration, each func(p *Player, now time.Duration)) (*Player, []float32) {
	t.Helper()
	p := NewPlayer(PlayerConfig{Buffer: cfg})
	ada, err := p.Add("ada", &toneDecoder{hertz: hertz, height: height, channels: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(as, func(a, b arrival) int { return int(a.at - b.at) })
	var mix []float32
	for now := time.Duration(0); now < until; now += Frame {
		for ; len(as) > 0 && as[0].at <= now; as = as[1:] {
			ada.Buffer().Push(as[0].seq, micros(as[0].spoken), packetOf(as[0].seq), as[0].at)
		}
		if each != nil {
			each(p, now)
		}
		block := p.Mix(now)
		if len(block) != FrameSamples {
			t.Fatalf("a block of %d samples", len(block))
		}
		mix = append(mix, block...)
	}
	return p, mix
}

// blockAt is the block of the mix that begins at the given time.
func blockAt(mix []float32, at time.Duration, blocks int) []float32 {
	first := int(at * SampleRate / time.Second)
	return mix[first : first+blocks*FrameSamples]
}

func TestPlayerPlaysATone(t *testing.T) {
	p, mix := listen(t, Config{}, say(0, 200, 0).sent(at(nil)), 4*time.Second, nil)
	if got := Measure(blockAt(mix, 0, 10)); got.Peak != Quietest {
		t.Errorf("%v dBFS before the first frame is due", got.Peak)
	}
	if got := signalToNoise(blockAt(mix, 260*ms, 180), hertz); got < 90 {
		t.Errorf("tone at %.1f dB, want 90", got)
	}
	if got := p.Level(); got.Peak < -6.1 || got.Peak > -6 {
		t.Errorf("peak of the mix %v, want -6.02", got.Peak)
	}
	if got := p.Speaker("ada").Level(); got.RMS < -9.1 || got.RMS > -9 {
		t.Errorf("RMS of the speaker %v, want -9.03", got.RMS)
	}
}

// The tone has no click, whatever the network does, as long as the decoder
// conceals well. A fade over 5 ms bends it about tenfold, a click a
// hundredfold.
func TestPlayerNeverClicks(t *testing.T) {
	noise := rand.New(rand.NewPCG(3, 4))
	long := say(0, 500, 0)
	tests := []struct {
		name string
		cfg  Config
		as   []arrival
	}{
		{"even", Config{}, long.sent(at(nil))},
		{"lossy", Config{}, long.sent(func(uint64) time.Duration {
			if noise.IntN(5) == 0 {
				return -1
			}
			return 0
		})},
		{"a delay too short for the spread", Config{MinDelay: 20 * ms}, long.sent(func(uint64) time.Duration {
			return time.Duration(noise.IntN(200)) * ms
		})},
		{"an outage", Config{}, long.sent(during(3*time.Second, 3600*ms))},
		{"an outage too long", Config{}, long.sent(during(3*time.Second, 5*time.Second))},
		{"pauses", Config{}, say(0, 48, 0).then(48, 48, 1100*ms).then(96, 200, 4*time.Second+7*ms).sent(at(nil))},
		{"a pause in the middle of an outage", Config{}, say(0, 48, 0).then(48, 200, 1500*ms).sent(during(900*ms, 1700*ms))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, mix := listen(t, tt.cfg, tt.as, 12*time.Second, nil)
			if got := Measure(mix).Peak; got < -6.1 || got > -6 {
				t.Errorf("peak %.2f dBFS, want that of the tone", got)
			}
			if got := roughest(mix, hertz, height); got > 12 {
				t.Errorf("bends %.1f times as much as the tone", got)
			}
		})
	}
}

func TestPlayerSpeakersComeAndGo(t *testing.T) {
	as := say(0, 300, 0).sent(at(nil))
	p, mix := listen(t, Config{}, as, 3*time.Second, func(p *Player, now time.Duration) {
		switch now {
		case time.Second: // a name that is taken, for a decoder that fits nothing
			if _, err := p.Add("ada", &flatDecoder{}, 1); !errors.Is(err, ErrSpeaking) {
				t.Errorf("adding ada again: %v", err)
			}
			if _, err := p.Add("ben", &flatDecoder{}, 3); !errors.Is(err, ErrChannels) {
				t.Errorf("adding three channels: %v", err)
			}
			if _, err := p.Add("ben", &flatDecoder{}, 2); err != nil {
				t.Error(err)
			}
			if got := len(p.Speakers()); got != 2 {
				t.Errorf("%d speakers, want 2", got)
			}
		case 2 * time.Second:
			p.Remove("ada")
			p.Remove("nobody")
			if _, err := p.Add("ada", &flatDecoder{}, 1); err != nil {
				t.Errorf("adding ada right after she left: %v", err)
			}
		}
	})
	if got := len(p.Speakers()); got != 2 {
		t.Errorf("%d speakers at the end, want 2", got)
	}
	if got := roughest(mix, hertz, height); got > 12 {
		t.Errorf("bends %.1f times as much as the tone", got)
	}
	if got := Measure(blockAt(mix, 2100*ms, 40)).Peak; got != Quietest {
		t.Errorf("%v dBFS after the only one who speaks has left", got)
	}
}

// Two who shout at once are held by the limiter, and a decoder's nonsense is
// kept from the others.
func TestPlayerHoldsTheCeiling(t *testing.T) {
	p := NewPlayer(PlayerConfig{Channels: 2})
	names := []string{"ada", "ben", "cleo", "dan"}
	for _, name := range names {
		if _, err := p.Add(name, &toneDecoder{hertz: hertz, height: 0.9, channels: 1}, 1); err != nil {
			t.Fatal(err)
		}
	}
	for i := range uint64(100) {
		now := time.Duration(i) * Frame
		for _, name := range names {
			packet := packetOf(i)
			if name == "dan" {
				packet = []byte("garbage")
			}
			p.Speaker(name).Buffer().Push(i, micros(now), packet, now)
		}
		block := p.Mix(now)
		if got := Measure(block).Peak; got > -0.4 {
			t.Fatalf("peak of %v dBFS", got)
		}
		if len(block) != 2*FrameSamples {
			t.Fatalf("a block of %d samples", len(block))
		}
	}
	// The first is due at 200 ms and sounds in the block after that.
	if got := p.Speaker("dan").Undecodable(); got != 89 {
		t.Errorf("%d packets did not decode, want 89", got)
	}
}

func TestPlayerMixDoesNotAllocate(t *testing.T) {
	p := NewPlayer(PlayerConfig{Channels: 2})
	decoder := &toneDecoder{hertz: hertz, height: height, channels: 2}
	ada, err := p.Add("ada", decoder, 2)
	if err != nil {
		t.Fatal(err)
	}
	packet, seq, holes := packetOf(0), uint64(0), make([]uint64, 0, 16)
	block := func() {
		now := time.Duration(seq) * Frame
		if seq%10 != 3 {
			ada.Buffer().Push(seq, micros(now), packet, now)
		}
		holes = ada.Buffer().Holes(now, 40*ms, holes[:0])
		p.Mix(now)
		seq++
	}
	for range 600 {
		block()
	}
	if got := testing.AllocsPerRun(500, block); got != 0 {
		t.Errorf("%v allocations a block, want 0", got)
	}
	if decoder.fec == 0 {
		t.Error("no loss was concealed in all of it")
	}
}
