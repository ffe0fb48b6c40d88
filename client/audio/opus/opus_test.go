//go:build cgo

package opus

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client/playout"
	"github.com/stentor-audio/stentor/protocol"
)

var _ playout.Decoder = (*Decoder)(nil)

// tone makes frames of 20 ms of a sine in each channel, a fifth apart.
func tone(frames, channels int, hz float64) []float32 {
	var s []float32
	for i := range frames * FrameSamples {
		for c := range channels {
			w := 2 * math.Pi * hz * (1 + 0.5*float64(c)) / Rate
			s = append(s, float32(0.4*math.Sin(w*float64(i))))
		}
	}
	return s
}

// voice makes something that an encoder takes for speech: syllables of a buzz
// with a moving pitch, shaped by two resonances.
func voice(frames int) []float32 {
	s := make([]float32, frames*FrameSamples)
	phase := 0.0
	for i := range s {
		at := float64(i) / Rate
		pitch := 120 + 30*math.Sin(2*math.Pi*0.7*at)
		phase += 2 * math.Pi * pitch / Rate
		loud := math.Pow(max(0, math.Sin(2*math.Pi*3*at)), 0.5)
		x := 0.0
		for h := 1.0; h*pitch < 2500; h++ {
			f := h * pitch
			first, second := (f-600)/150, (f-1700)/250 // formants
			gain := 1/(1+first*first) + 0.5/(1+second*second) + 0.02
			x += gain * math.Sin(h*phase)
		}
		s[i] = float32(0.15 * loud * x)
	}
	return s
}

func newEncoder(t testing.TB, cfg EncoderConfig) *Encoder {
	t.Helper()
	e, err := NewEncoder(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func newDecoder(t testing.TB, channels int) *Decoder {
	t.Helper()
	d, err := NewDecoder(channels)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func encode(t testing.TB, cfg EncoderConfig, pcm []float32) [][]byte {
	t.Helper()
	e := newEncoder(t, cfg)
	var packets [][]byte
	frame := FrameSamples * e.Channels()
	for ; len(pcm) >= frame; pcm = pcm[frame:] {
		p, err := e.Encode(nil, pcm[:frame])
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, p)
	}
	return packets
}

func decode(t testing.TB, channels int, packets [][]byte) []float32 {
	t.Helper()
	d := newDecoder(t, channels)
	var pcm []float32
	for _, p := range packets {
		frame := make([]float32, FrameSamples*channels)
		n, err := d.Decode(p, frame)
		if err != nil || n != FrameSamples {
			t.Fatal(n, err)
		}
		pcm = append(pcm, frame...)
	}
	return pcm
}

// snr compares got with want, in dB.
func snr(want, got []float32) float64 {
	var signal, noise float64
	for i := range want {
		d := float64(want[i]) - float64(got[i])
		signal += float64(want[i]) * float64(want[i])
		noise += d * d
	}
	return 10 * math.Log10(signal/noise)
}

// Tones come out as they went in, exactly Lookahead samples later.
func TestTonesThroughEncoderAndDecoder(t *testing.T) {
	tests := []struct {
		cfg EncoderConfig
		hz  float64
		snr float64
	}{
		// What is for speech follows the sound, not its every turn.
		{EncoderConfig{}, 440, 12},
		{EncoderConfig{Bitrate: 16000}, 440, 7},
		{EncoderConfig{Channels: 2, Application: Audio, Bitrate: 128000}, 440, 25},
		{EncoderConfig{Application: Audio, Bitrate: 64000}, 1000, 25},
		{EncoderConfig{Application: Audio, Bitrate: 64000}, 9000, 25},
		{EncoderConfig{Application: Audio, Bitrate: 64000, Complexity: 1}, 1000, 25},
	}
	for _, tt := range tests {
		channels := max(tt.cfg.Channels, 1)
		in := tone(100, channels, tt.hz)
		out := decode(t, channels, encode(t, tt.cfg, in))
		lag := newEncoder(t, tt.cfg).Lookahead() * channels
		from := 20 * FrameSamples * channels // the start is for finding its feet
		if got := snr(in[from:len(in)-lag], out[from+lag:]); got < tt.snr {
			t.Errorf("%+v, %.0f Hz: SNR %.1f dB, want %.0f", tt.cfg, tt.hz, got, tt.snr)
		}
	}
}

func TestPacketsAreWhatTheWireWants(t *testing.T) {
	noise := make([]float32, 50*FrameSamples*2)
	for i := range noise {
		noise[i] = rand.Float32()*2 - 1
	}
	for _, cfg := range []EncoderConfig{
		{}, {Channels: 2}, {Bitrate: 6000}, {Application: Audio}, {ExpectedLoss: 20}, {DTX: true},
		{Channels: 2, Application: Audio, Bitrate: 400000},
	} {
		for i, p := range encode(t, cfg, noise) {
			info, err := protocol.ParseOpus(p)
			if err != nil || info.Duration != 20*time.Millisecond || len(p) > MaxPacket {
				t.Fatalf("%+v: packet %d of %d bytes: %+v, %v", cfg, i, len(p), info, err)
			}
		}
	}
}

func TestBitrate(t *testing.T) {
	pcm := voice(100)
	for _, bitrate := range []int{12000, 24000, 32000, 64000} {
		bytes := 0
		for _, p := range encode(t, EncoderConfig{Bitrate: bitrate}, pcm) {
			bytes += len(p)
		}
		got := bytes * 8 / 2 // of 2 s
		if got < bitrate/2 || got > bitrate*5/4 {
			t.Errorf("%d bit/s asked for, %d made", bitrate, got)
		}
	}
}

func TestSilenceWithDTX(t *testing.T) {
	pcm := append(voice(50), make([]float32, 150*FrameSamples)...)
	for _, dtx := range []bool{false, true} {
		tiny := 0
		for _, p := range encode(t, EncoderConfig{DTX: dtx}, pcm) {
			if len(p) <= 2 {
				tiny++
			}
		}
		// After 200 ms of silence, all but one packet in 20 that refreshes.
		if dtx && tiny < 100 || !dtx && tiny > 0 {
			t.Errorf("DTX %v: %d of 200 packets need not be sent", dtx, tiny)
		}
	}
}

// With expected loss, a lost packet comes back from the next one better than by
// guessing.
func TestLostPackets(t *testing.T) {
	pcm := voice(140)
	lost := func(i int) bool { return i%7 == 6 }
	// damage is how much of the lost frames' energy is wrong, loudness how much
	// there is, both relative to what was lost.
	measure := func(cfg EncoderConfig, restore func(d *Decoder, next []byte, frame []float32) error) (damage, loudness float64) {
		packets := encode(t, cfg, pcm)
		whole := decode(t, 1, packets)
		d := newDecoder(t, 1)
		var wrong, got, want float64
		frame := make([]float32, FrameSamples)
		for i, p := range packets[:len(packets)-1] {
			if !lost(i) {
				if _, err := d.Decode(p, frame); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if err := restore(d, packets[i+1], frame); err != nil {
				t.Fatal(err)
			}
			for j, x := range frame {
				y := whole[i*FrameSamples+j]
				wrong += float64(x-y) * float64(x-y)
				got += float64(x) * float64(x)
				want += float64(y) * float64(y)
			}
		}
		return wrong / want, got / want
	}
	conceal := func(d *Decoder, _ []byte, frame []float32) error { return d.Conceal(frame) }
	fec := func(d *Decoder, next []byte, frame []float32) error { return d.DecodeFEC(next, frame) }

	careful := EncoderConfig{Bitrate: 24000, ExpectedLoss: 15}
	guessed, loudness := measure(careful, conceal)
	if loudness < 0.3 || loudness > 2 {
		t.Errorf("concealment has %.2f of the energy", loudness)
	}
	if restored, _ := measure(careful, fec); restored > 0.5*guessed {
		t.Errorf("FEC gets %.2f wrong, concealment %.2f", restored, guessed)
	}
	// Packets that tell nothing about the one before are concealed.
	careless := EncoderConfig{Bitrate: 24000}
	a, _ := measure(careless, fec)
	b, _ := measure(careless, conceal)
	if a != b {
		t.Errorf("without FEC in the packets: %v and %v", a, b)
	}
}

func TestMonoAndStereoFitEachOther(t *testing.T) {
	for from := 1; from <= 2; from++ {
		for to := 1; to <= 2; to++ {
			packets := encode(t, EncoderConfig{Channels: from}, tone(20, from, 300))
			if n := len(decode(t, to, packets)); n != 20*FrameSamples*to {
				t.Errorf("%d to %d channels: %d samples", from, to, n)
			}
		}
	}
}

func TestEncoderRefuses(t *testing.T) {
	for _, cfg := range []EncoderConfig{
		{Channels: 3}, {Channels: -1}, {Bitrate: 5999}, {Bitrate: 400001}, {Bitrate: -1}, {Application: 2},
		{Complexity: 11}, {Complexity: -1}, {ExpectedLoss: -1}, {ExpectedLoss: 101},
	} {
		if _, err := NewEncoder(cfg); err == nil {
			t.Errorf("%+v works", cfg)
		}
	}
	e := newEncoder(t, EncoderConfig{Channels: 2})
	for _, n := range []int{0, 1, FrameSamples, 2*FrameSamples - 1, 2*FrameSamples + 2} {
		if p, err := e.Encode([]byte("x"), make([]float32, n)); !errors.Is(err, ErrFrameSize) || string(p) != "x" {
			t.Errorf("%d samples: %q, %v", n, p, err)
		}
	}
}

func TestDecoderRefuses(t *testing.T) {
	for _, channels := range []int{-1, 0, 3} {
		if _, err := NewDecoder(channels); err == nil {
			t.Errorf("%d channels work", channels)
		}
	}
	d := newDecoder(t, 2)
	frame := make([]float32, 2*FrameSamples)
	good := encode(t, EncoderConfig{Channels: 2}, tone(1, 2, 300))[0]
	for _, tt := range []struct {
		name string
		do   func() error
		want error
	}{
		{"no packet", func() error { _, err := d.Decode(nil, frame); return err }, ErrPacket},
		{"damaged packet", func() error { _, err := d.Decode([]byte{0xff}, frame); return err }, ErrPacket},
		{"too little room", func() error { _, err := d.Decode(good, frame[:2*FrameSamples-2]); return err }, ErrFrameSize},
		{"no room", func() error { _, err := d.Decode(good, nil); return err }, ErrFrameSize},
		{"nothing to conceal", func() error { return d.Conceal(nil) }, ErrFrameSize},
		{"7 samples to conceal", func() error { return d.Conceal(frame[:14]) }, ErrFrameSize},
		{"FEC without a packet", func() error { return d.DecodeFEC(nil, frame) }, ErrPacket},
		{"FEC of a damaged packet", func() error { return d.DecodeFEC([]byte{0xff}, frame) }, ErrPacket},
		{"FEC into 7 samples", func() error { return d.DecodeFEC(good, frame[:14]) }, ErrFrameSize},
	} {
		if err := tt.do(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	// A larger slice behind the frame is not written to.
	big := make([]float32, 4*FrameSamples)
	if n, err := d.Decode(good, big[:2*FrameSamples]); n != FrameSamples || err != nil {
		t.Errorf("after all that: %d samples, %v", n, err)
	}
}

// Packets that the protocol lets through never break the decoder.
func FuzzDecoder(f *testing.F) {
	for _, p := range encode(f, EncoderConfig{}, voice(10)) {
		f.Add(p)
	}
	f.Add([]byte{0xf8})
	f.Add([]byte{0x08})
	f.Fuzz(func(t *testing.T, packet []byte) {
		info, bad := protocol.ParseOpus(packet)
		d := newDecoder(t, 2)
		pcm := make([]float32, 6*FrameSamples*2)
		n, err := d.Decode(packet, pcm)
		if bad == nil && (err != nil || time.Duration(n)*time.Second/Rate != info.Duration) {
			t.Fatalf("%x: %d samples for %v, %v", packet, n, info.Duration, err)
		}
		for _, x := range pcm {
			if math.IsNaN(float64(x)) {
				t.Fatalf("%x: not a number", packet)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	for _, complexity := range []int{1, 5, 10} {
		b.Run(fmt.Sprint("complexity ", complexity), func(b *testing.B) {
			e := newEncoder(b, EncoderConfig{Complexity: complexity})
			pcm := voice(50)
			var packet []byte
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				at := i % 50 * FrameSamples
				packet, _ = e.Encode(packet[:0], pcm[at:at+FrameSamples])
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	packets := encode(b, EncoderConfig{}, voice(50))
	d := newDecoder(b, 1)
	pcm := make([]float32, FrameSamples)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := d.Decode(packets[i%50], pcm); err != nil {
			b.Fatal(err)
		}
	}
}
