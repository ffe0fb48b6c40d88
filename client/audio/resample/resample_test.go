package resample

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// tone makes frames of a sine in each channel; the second channel's is a sixth
// lower in pitch and half as loud.
func tone(frames, channels, rate int, hz float64) []float32 {
	s := make([]float32, 0, frames*channels)
	for i := range frames {
		for c := range channels {
			w := 2 * math.Pi * hz / float64(1+c*2/3) / float64(rate)
			s = append(s, float32(0.5/float64(1+c)*math.Sin(w*float64(i))))
		}
	}
	return s
}

// snr compares got with want, in dB.
func snr(want, got []float32) float64 {
	var signal, noise float64
	for i := range want {
		signal += float64(want[i]) * float64(want[i])
		d := float64(want[i]) - float64(got[i])
		noise += d * d
	}
	return 10 * math.Log10(signal/noise)
}

func convert(t testing.TB, from, to, channels int, in []float32, piece int) []float32 {
	t.Helper()
	r, err := New(from, to, channels)
	if err != nil {
		t.Fatal(err)
	}
	var out []float32
	for len(in) > 0 {
		n := min(piece*channels, len(in))
		out = r.Process(out, in[:n])
		in = in[n:]
	}
	return r.Flush(out)
}

func TestTonesKeepTheirShape(t *testing.T) {
	tests := []struct {
		from, channels int
		hz             float64
	}{
		{8000, 1, 300}, {8000, 1, 1000}, {8000, 1, 3400}, {8000, 2, 3400},
		{11025, 1, 4000}, {16000, 1, 7000}, {22050, 2, 9000}, {24000, 1, 10000},
		{32000, 1, 14000}, {44100, 1, 1000}, {44100, 2, 15000}, {44100, 1, 19000},
		{48000, 2, 19000}, {88200, 1, 19000}, {96000, 2, 20000}, {192000, 1, 20000},
		{44101, 1, 1000}, {44101, 2, 15000}, {47999, 1, 19000}, {96001, 1, 1000},
		{768000, 1, 1000}, {2000, 1, 500},
	}
	for _, tt := range tests {
		frames := tt.from / 2
		out := convert(t, tt.from, 48000, tt.channels, tone(frames, tt.channels, tt.from, tt.hz), 1000)
		if want := (frames*48000 + tt.from - 1) / tt.from * tt.channels; len(out) != want {
			t.Errorf("%d Hz: %d samples out, want %d", tt.from, len(out), want)
			continue
		}
		want := tone(len(out)/tt.channels, tt.channels, 48000, tt.hz)
		// At both ends the filter sees the silence around the tone.
		edge := (2*zeroCrossings*48000/min(tt.from, 48000) + 1) * tt.channels
		if got := snr(want[edge:len(want)-edge], out[edge:len(out)-edge]); got < 90 {
			t.Errorf("%d Hz, %d channels, tone of %.0f Hz: SNR %.1f dB, want 90", tt.from, tt.channels, tt.hz, got)
		}
	}
}

// What the lower rate cannot hold must not come back mirrored.
func TestTonesAboveTheBandAreStopped(t *testing.T) {
	for _, tt := range []struct {
		from, to int
		hz       float64
	}{
		{96000, 48000, 24100}, {96000, 48000, 30000}, {192000, 48000, 90000},
		{44100, 8000, 4010}, {48000, 44100, 22100}, {44101, 8000, 15000},
	} {
		out := convert(t, tt.from, tt.to, 1, tone(tt.from/2, 1, tt.from, tt.hz), 4096)
		peak := 0.0
		edge := 3 * zeroCrossings
		for _, x := range out[edge : len(out)-edge] {
			peak = max(peak, math.Abs(float64(x)))
		}
		if db := 20 * math.Log10(peak/0.5); db > -85 {
			t.Errorf("%d to %d Hz: a tone of %.0f Hz leaves %.1f dB, want -85", tt.from, tt.to, tt.hz, db)
		}
	}
}

// However the input is cut into pieces, the output is the same, to the bit.
func TestPiecesDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SampledFrom([]int{8000, 11025, 16000, 22050, 44100, 44101, 48000, 96000}).Draw(t, "from")
		channels := rapid.IntRange(1, 2).Draw(t, "channels")
		frames := rapid.IntRange(0, 2000).Draw(t, "frames")
		in := tone(frames, channels, from, 440)
		r, _ := New(from, 48000, channels)
		whole := r.Flush(r.Process(nil, in))
		if want := (frames*48000 + from - 1) / from * channels; len(whole) != want {
			t.Fatalf("%d frames at %d Hz make %d samples, want %d", frames, from, len(whole), want)
		}

		r, _ = New(from, 48000, channels)
		var pieces []float32
		for len(in) > 0 {
			n := rapid.IntRange(0, min(700, len(in)/channels)).Draw(t, "piece") * channels
			pieces = r.Process(pieces, in[:n])
			in = in[n:]
		}
		pieces = r.Flush(pieces)
		for i := range whole {
			if whole[i] != pieces[i] {
				t.Fatalf("sample %d is %v in pieces, %v as a whole", i, pieces[i], whole[i])
			}
		}
	})
}

func TestConstantStaysConstant(t *testing.T) {
	in := make([]float32, 4000)
	for i := range in {
		in[i] = 1
	}
	for _, from := range []int{8000, 44100, 44101, 96000} {
		out := convert(t, from, 48000, 1, in, 100)
		for _, x := range out[len(out)/2 : len(out)/2+100] {
			if math.Abs(float64(x)-1) > 1e-5 {
				t.Fatalf("%d Hz: 1 becomes %v", from, x)
			}
		}
	}
}

func TestNewRefusesNonsense(t *testing.T) {
	for _, tt := range [][3]int{{0, 48000, 1}, {48000, -1, 1}, {44100, 48000, 0}, {44100, 48000, 3}} {
		if _, err := New(tt[0], tt[1], tt[2]); err == nil {
			t.Errorf("New%v worked", tt)
		}
	}
}

func BenchmarkCD(b *testing.B) {
	r, err := New(44100, 48000, 2)
	if err != nil {
		b.Fatal(err)
	}
	in := tone(882, 2, 44100, 1000) // 20 ms
	out := make([]float32, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		out = r.Process(out[:0], in)
	}
}
