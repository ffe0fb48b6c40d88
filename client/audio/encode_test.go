//go:build cgo

package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stentor-audio/stentor/client/audio/device"
	"github.com/stentor-audio/stentor/client/audio/ogg"
	"github.com/stentor-audio/stentor/client/audio/opus"
	"github.com/stentor-audio/stentor/client/audio/wav"
	"github.com/stentor-audio/stentor/protocol"
)

var (
	_ Samples = (*device.Microphone)(nil)
	_ Samples = (*wav.Reader)(nil)
)

// best encodes so well that tones can be compared.
var best = opus.EncoderConfig{Application: opus.Audio, Bitrate: 128000}

func wavFileOf(t *testing.T, f wav.Format, samples []float32) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := wav.NewWriter(&file, f)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(samples); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// tone makes frames of a sine, the same in each channel.
func tone(frames, channels, rate int, hz float64) []float32 {
	var s []float32
	for i := range frames {
		x := float32(0.4 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
		for range channels {
			s = append(s, x)
		}
	}
	return s
}

// decode plays packets at 48 kHz, without what the encoder lags behind.
func decode(t *testing.T, channels int, packets [][]byte) []float32 {
	t.Helper()
	d, err := opus.NewDecoder(channels)
	if err != nil {
		t.Fatal(err)
	}
	var pcm []float32
	frame := make([]float32, 6*opus.FrameSamples*channels)
	for i, p := range packets {
		if info, err := protocol.ParseOpus(p); err != nil || info.Duration != 20*time.Millisecond {
			t.Fatalf("packet %d: %+v, %v", i, info, err)
		}
		n, err := d.Decode(p, frame)
		if err != nil {
			t.Fatal(err)
		}
		pcm = append(pcm, frame[:n*channels]...)
	}
	return pcm[312*channels:]
}

// snr compares got with want, in dB, from a place where the encoder has found
// its feet.
func snr(want, got []float32) float64 {
	var signal, noise float64
	for i := len(want) / 4; i < len(want)*9/10; i++ {
		d := float64(want[i]) - float64(got[i])
		signal += float64(want[i]) * float64(want[i])
		noise += d * d
	}
	return 10 * math.Log10(signal/noise)
}

func TestWAVIsEncoded(t *testing.T) {
	for _, rate := range []int{8000, 11025, 16000, 22050, 44100, 48000, 96000, 44101} {
		for channels := 1; channels <= 2; channels++ {
			for e := wav.PCM16; e <= wav.Float32; e++ {
				if rate != 44100 && e != wav.PCM16 {
					continue
				}
				frames := rate/2 + 7
				file := wavFileOf(t, wav.Format{Rate: rate, Channels: channels, Encoding: e}, tone(frames, channels, rate, 1000))
				src, err := New(bytes.NewReader(file), Options{Encoder: best})
				if err != nil {
					t.Fatal(err)
				}
				if info := src.Info(); !info.Encoded || info.Channels != channels || info.Bitrate != 128000 ||
					info.Kind != fmt.Sprintf("WAV, %v, %d Hz", e, rate) {
					t.Errorf("%+v", info)
				}
				packets, levels, err := drain(src, 1000)
				if err != nil {
					t.Fatal(err)
				}
				samples := (frames*48000 + rate - 1) / rate
				if want := (samples + 312 + 959) / 960; len(packets) != want {
					t.Errorf("%d Hz: %d packets, want %d", rate, len(packets), want)
				}
				got := decode(t, channels, packets)
				if s := snr(tone(samples, channels, 48000, 1000), got); s < 25 {
					t.Errorf("%d Hz, %d channels, %v: SNR %.1f dB", rate, channels, e, s)
				}
				if l := float64(levels[10]); math.Abs(l-0.4/math.Sqrt2) > 0.01 {
					t.Errorf("level is %.3f, want %.3f", l, 0.4/math.Sqrt2)
				}
			}
		}
	}
}

// With a size in its header, a WAV file also has a duration.
func TestDuration(t *testing.T) {
	file := wavFileOf(t, wav.Format{Rate: 44100, Channels: 2}, make([]float32, 2*66150))
	binary.LittleEndian.PutUint32(file[40:], 4*66150)
	for _, r := range []io.Reader{bytes.NewReader(file), pipe(file)} {
		src, err := New(r, Options{})
		if err != nil || src.Info().Duration != 1500*time.Millisecond {
			t.Errorf("%+v, %v", src.Info(), err)
		}
	}
}

// The end of a file meets its start without a seam: whole periods of a tone, many
// times, are a tone.
func TestLoopedWAVHasNoSeam(t *testing.T) {
	file := wavFileOf(t, wav.Format{Rate: 8000, Channels: 1}, tone(800, 1, 8000, 1000))
	src, err := New(bytes.NewReader(file), Options{Encoder: best, Loop: true})
	if err != nil {
		t.Fatal(err)
	}
	packets, _, err := drain(src, 50)
	if err != nil || len(packets) != 50 {
		t.Fatal(len(packets), err)
	}
	got := decode(t, 1, packets)
	if s := snr(tone(len(got), 1, 48000, 1000), got); s < 25 {
		t.Errorf("SNR %.1f dB", s)
	}
}

func TestTruncatedWAVPlaysUpToThere(t *testing.T) {
	file := wavFileOf(t, wav.Format{Rate: 48000, Channels: 1}, tone(9600, 1, 48000, 1000))
	binary.LittleEndian.PutUint32(file[40:], 2*48000)
	src, err := New(bytes.NewReader(file), Options{Loop: true})
	if err != nil {
		t.Fatal(err)
	}
	packets, _, err := drain(src, 1000)
	if len(packets) != 11 || !errors.Is(err, wav.ErrTruncated) {
		t.Errorf("%d packets, %v", len(packets), err)
	}
}

// Samples that are no sound leave the rest of the recording alone.
func TestAbsurdSamples(t *testing.T) {
	pcm := tone(48000, 1, 48000, 1000)
	for i, x := range []float32{1e38, -1e38, 1000, -5, float32(math.NaN()), float32(math.Inf(1))} {
		pcm[4000+i] = x
	}
	src, err := Encode("samples", &bare{pcm}, 48000, 1, Options{Encoder: best})
	if err != nil {
		t.Fatal(err)
	}
	packets, levels, err := drain(src, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range levels {
		if !(l >= 0 && l <= 1) {
			t.Errorf("packet %d has level %v", i, l)
		}
	}
	if s := snr(tone(48000, 1, 48000, 1000), decode(t, 1, packets)); s < 25 {
		t.Errorf("SNR %.1f dB", s)
	}
}

// bare are samples and nothing else.
type bare struct{ pcm []float32 }

func (b *bare) Read(dst []float32) (int, error) {
	if len(b.pcm) == 0 {
		return 0, io.EOF
	}
	n := copy(dst, b.pcm)
	b.pcm = b.pcm[n:]
	return n, nil
}

// packed makes an Ogg file of 60 ms packets, by gluing three of 20 ms together.
func packed(t *testing.T, packets [][]byte, cfg ogg.WriterConfig) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := ogg.NewWriter(&file, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for ; len(packets) >= 3; packets = packets[3:] {
		p := []byte{packets[0][0] | 3, 0x80 | 3} // code 3, three frames of any size
		for _, q := range packets[:2] {
			if n := len(q) - 1; n < 252 {
				p = append(p, byte(n))
			} else {
				p = append(p, byte(252+n&3), byte((n-252)>>2))
			}
		}
		for _, q := range packets[:3] {
			if q[0] != packets[0][0] {
				t.Fatal("packets of different kinds")
			}
			p = append(p, q[1:]...)
		}
		if err := w.WritePacket(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// Packets of other durations are decoded, as a player would, and encoded anew.
func TestOtherPacketsAreEncodedAnew(t *testing.T) {
	file := wavFileOf(t, wav.Format{Rate: 48000, Channels: 1}, tone(60*960, 1, 48000, 1000))
	src, err := New(bytes.NewReader(file), Options{Encoder: best})
	if err != nil {
		t.Fatal(err)
	}
	packets, _, err := drain(src, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, gain := range []int16{0, -6 * 256} {
		src, err = New(bytes.NewReader(packed(t, packets, ogg.WriterConfig{Gain: gain})), Options{Encoder: best})
		if err != nil {
			t.Fatal(err)
		}
		if info := src.Info(); !info.Encoded || info.Kind != "Ogg Opus" || info.Duration != 1200*time.Millisecond {
			t.Errorf("%+v", info)
		}
		again, _, err := drain(src, 1000)
		if err != nil || len(again) != 60 {
			t.Fatal(len(again), err)
		}
		want := tone(60*960-312, 1, 48000, 1000)
		for i := range want {
			want[i] *= float32(math.Pow(10, float64(gain)/256/20))
		}
		if s := snr(want, decode(t, 1, again)); s < 22 {
			t.Errorf("gain %d: SNR %.1f dB", gain, s)
		}
	}
}

func TestFilesOfOthersAreEncodedAnew(t *testing.T) {
	for name, want := range map[string]int{"opusenc-2.5ms.opus": 36, "opusenc-60ms.opus": 36} {
		for _, loop := range []int{1, 3} {
			src, err := New(bytes.NewReader(readFile(t, name)), Options{Loop: loop > 1})
			if err != nil {
				t.Fatal(err)
			}
			limit := 1000
			if loop > 1 {
				limit = loop * want
			}
			packets, levels, err := drain(src, limit)
			if err != nil || len(packets) != want*loop {
				t.Fatalf("%s: %d packets, %v", name, len(packets), err)
			}
			loud := float32(0)
			for _, l := range levels {
				loud = max(loud, l)
			}
			if loud < 0.05 {
				t.Errorf("%s: the loudest packet has level %.3f", name, loud)
			}
			decode(t, 1, packets)
		}
	}
}

// A hole is silence of the same length, also between packets that are encoded
// anew.
func TestHolesInWhatIsEncodedAnew(t *testing.T) {
	file := wavFileOf(t, wav.Format{Rate: 48000, Channels: 2}, tone(60*960, 2, 48000, 1000))
	src, err := New(bytes.NewReader(file), Options{Encoder: best})
	if err != nil {
		t.Fatal(err)
	}
	packets, _, err := drain(src, 1000)
	if err != nil {
		t.Fatal(err)
	}
	write := func(hole int64) []byte {
		var file bytes.Buffer
		w, err := ogg.NewWriter(&file, ogg.WriterConfig{Channels: 2})
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range oggPackets(t, packed(t, packets, ogg.WriterConfig{Channels: 2})) {
			if i == 10 {
				w.Skip(hole)
			}
			if err := w.WritePacket(p.Data); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return file.Bytes()
	}
	src, err = New(bytes.NewReader(write(48000)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	again, levels, err := drain(src, 1000)
	if err != nil || len(again) != 110 {
		t.Fatalf("%d packets, %v", len(again), err)
	}
	for i, l := range levels {
		silent, loud := i >= 30 && i < 79, i < 29 || i > 80 && i < 109
		if silent && l != 0 || loud && l < 0.2 {
			t.Errorf("packet %d has level %.2f", i, l)
		}
	}

	src, err = New(bytes.NewReader(write(48000*3600*25)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	again, _, err = drain(src, 1000)
	if len(again) == 0 || len(again) > 31 || !errors.Is(err, ogg.ErrCorrupt) {
		t.Errorf("hole of 25 hours: %d packets, %v", len(again), err)
	}
}

func TestMeter(t *testing.T) {
	file := readFile(t, "opusenc-20ms.opus")
	for _, meter := range []bool{false, true} {
		src, err := New(bytes.NewReader(file), Options{Meter: meter})
		if err != nil {
			t.Fatal(err)
		}
		packets, levels, err := drain(src, 1000)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, packets, oggPackets(t, file))
		loud := float32(0)
		for _, l := range levels {
			loud = max(loud, l)
		}
		if meter != (loud > 0.05) {
			t.Errorf("meter %v: the loudest packet has level %.3f", meter, loud)
		}
	}
}

func TestStandardInput(t *testing.T) {
	var raw []byte
	for _, x := range tone(4800, 1, 48000, 1000) {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(int16(x*(1<<15))))
	}
	tests := []struct {
		name    string
		in      io.Reader
		packets int
		says    string
	}{
		{"samples", bytes.NewReader(raw), 6, ""},
		{"dribbled", iotest.OneByteReader(bytes.NewReader(raw)), 6, ""},
		{"nothing", strings.NewReader(""), 0, ""},
		{"one sample", strings.NewReader("ab"), 1, ""},
		{"one byte", strings.NewReader("a"), 0, "inside a sample"},
		{"an odd number of bytes", bytes.NewReader(raw[:len(raw)-1]), 6, "inside a sample"},
		{"a WAV file", strings.NewReader("RIFF\x00\x00\x00\x00WAVEfmt "), 0, "WAV file"},
		{"an Ogg file", strings.NewReader("OggS\x00\x02"), 0, "Ogg file"},
		{"a broken pipe", io.MultiReader(bytes.NewReader(raw), iotest.ErrReader(io.ErrNoProgress)), 6, io.ErrNoProgress.Error()},
	}
	for _, tt := range tests {
		src, err := fromSamples("standard input", &stdin{in: tt.in}, 48000, 1, Options{Encoder: best})
		if err != nil {
			t.Fatal(err)
		}
		packets, _, err := drain(src, 1000)
		if len(packets) != tt.packets || (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %d packets, %v; want %d, %q", tt.name, len(packets), err, tt.packets, tt.says)
		}
		if tt.packets == 6 {
			if s := snr(tone(4800, 1, 48000, 1000), decode(t, 1, packets)); s < 20 {
				t.Errorf("%s: SNR %.1f dB", tt.name, s)
			}
		}
	}
}

// unplugged gives some samples and then fails, like a microphone.
type unplugged struct {
	left   int
	closed bool
}

func (u *unplugged) Read(dst []float32) (int, error) {
	n := min(len(dst), u.left, 700)
	u.left -= n
	if n == 0 {
		return 0, device.ErrGone
	}
	return n, nil
}

func (u *unplugged) Close() error {
	u.closed = true
	return nil
}

func TestEncodeSamples(t *testing.T) {
	u := &unplugged{left: 9600}
	src, err := Encode("microphone", u, 48000, 2, Options{Encoder: opus.EncoderConfig{DTX: true, ExpectedLoss: 10}})
	if err != nil {
		t.Fatal(err)
	}
	if info := src.Info(); info.Kind != "microphone" || info.Channels != 2 || info.Bitrate != 64000 || !info.Encoded {
		t.Errorf("%+v", info)
	}
	packets, _, err := drain(src, 1000)
	if len(packets) != 6 || !errors.Is(err, device.ErrGone) {
		t.Errorf("%d packets, %v", len(packets), err)
	}
	if err := src.Close(); err != nil || !u.closed {
		t.Errorf("closed %v, %v", u.closed, err)
	}
	for _, tt := range []struct{ rate, channels int }{{0, 1}, {48000, 3}} {
		if _, err := Encode("microphone", u, tt.rate, tt.channels, Options{}); err == nil {
			t.Errorf("%+v works", tt)
		}
	}
	if _, err := Encode("microphone", u, 48000, 1, Options{Encoder: opus.EncoderConfig{Bitrate: 1}}); err == nil {
		t.Error("1 bit/s works")
	}
}
