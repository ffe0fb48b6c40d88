package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// riff builds a file: names of chunks and their bodies in turn.
func riff(magic string, size uint32, chunks ...string) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(magic), size)
	b = append(b, "WAVE"...)
	for i := 0; i < len(chunks); i += 2 {
		b = append(b, chunks[i]...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(chunks[i+1])))
		b = append(b, chunks[i+1]...)
		if len(chunks[i+1])%2 != 0 {
			b = append(b, 0)
		}
	}
	return b
}

// claim overwrites the size of the last chunk, which has n bytes of body.
func claim(file []byte, n int, size uint32) []byte {
	binary.LittleEndian.PutUint32(file[len(file)-n-4:], size)
	return file
}

// le writes numbers: uint16, uint32 or strings as they are.
func le(fields ...any) string {
	var b []byte
	for _, f := range fields {
		if s, ok := f.(string); ok {
			b = append(b, s...)
			continue
		}
		b, _ = binary.Append(b, binary.LittleEndian, f)
	}
	return string(b)
}

type (
	u16 = uint16
	u32 = uint32
)

var (
	pcm16     = le(u16(1), u16(1), u32(8000), u32(16000), u16(2), u16(16))
	stereo16  = le(u16(1), u16(2), u32(44100), u32(176400), u16(4), u16(16))
	guid      = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
	extended  = le(u16(0xfffe), u16(2), u32(48000), u32(288000), u16(6), u16(24), u16(22), u16(24), u32(3), u16(1), guid)
	samples16 = le(int16(0), int16(1<<14), int16(-1<<15), int16(1<<15-1))
)

func fmtOf(tag, channels int, rate uint32, frame, bits int) string {
	return le(u16(tag), u16(channels), rate, u32(0), u16(frame), u16(bits))
}

const loudest = float32(1<<15-1) / (1 << 15)

// files are good and bad ones. They seed the fuzzing, too.
var files = []struct {
	name   string
	file   []byte
	format Format
	frames int64
	want   []float32
	err    error
	says   string // part of the error's text
}{
	{"PCM16", riff("RIFF", 44, "fmt ", pcm16, "data", samples16), Format{8000, 1, PCM16}, 4, []float32{0, 0.5, -1, loudest}, nil, ""},
	{"PCM16 stereo", riff("RIFF", 44, "fmt ", stereo16, "data", samples16), Format{44100, 2, PCM16}, 2, []float32{0, 0.5, -1, loudest}, nil, ""},
	{"PCM8", riff("RIFF", 0, "fmt ", fmtOf(1, 1, 11025, 1, 8), "data", "\x00\x80\xc0"), Format{11025, 1, PCM8}, 3, []float32{-1, 0, 0.5}, nil, ""},
	{"PCM24 extensible", riff("RIFF", 0, "fmt ", extended, "data", "\x00\x00\x40\x00\x00\x80"), Format{48000, 2, PCM24}, 1, []float32{0.5, -1}, nil, ""},
	{"20 bits in three bytes", riff("RIFF", 0, "fmt ", fmtOf(1, 1, 8000, 3, 20), "data", "\x00\x00\x40"), Format{8000, 1, PCM24}, 1, []float32{0.5}, nil, ""},
	{"PCM32", riff("RIFF", 0, "fmt ", fmtOf(1, 1, 96000, 4, 32), "data", le(int32(1<<30))), Format{96000, 1, PCM32}, 1, []float32{0.5}, nil, ""},
	{"float32", riff("RIFF", 0, "fmt ", fmtOf(3, 1, 48000, 4, 32)+"\x00\x00", "fact", "\x03\x00\x00\x00", "data",
		le(float32(0.25), float32(-1.5), float32(math.Inf(1)), float32(math.NaN()))), Format{48000, 1, Float32}, 4, []float32{0.25, -1.5, 0, 0}, nil, ""},
	{"float64", riff("RIFF", 0, "fmt ", fmtOf(3, 1, 48000, 8, 64), "data", le(0.25, 1e300)), Format{48000, 1, Float64}, 2, []float32{0.25, 0}, nil, ""},
	{"odd chunks before and after", riff("RIFF", 0, "LIST", "odd", "fmt ", pcm16, "junk", "", "data", samples16, "LIST", "after"),
		Format{8000, 1, PCM16}, 4, []float32{0, 0.5, -1, loudest}, nil, ""},
	{"no samples", riff("RIFF", 36, "fmt ", pcm16, "data", ""), Format{8000, 1, PCM16}, 0, nil, nil, ""},
	{"RF64", claim(riff("RF64", 0xffffffff, "ds64", le(uint64(0), uint64(4), uint64(0), u32(0)), "fmt ", pcm16, "data", samples16), 8, 0xffffffff),
		Format{8000, 1, PCM16}, 2, []float32{0, 0.5}, nil, ""},

	{"size unknown", claim(riff("RIFF", 0xffffffff, "fmt ", pcm16, "data", samples16), 8, 0xffffffff), Format{8000, 1, PCM16}, -1, []float32{0, 0.5, -1, loudest}, nil, ""},
	{"size about 2 GiB", claim(riff("RIFF", 0x7ffff024, "fmt ", pcm16, "data", samples16), 8, 0x7ffff000), Format{8000, 1, PCM16}, -1, []float32{0, 0.5, -1, loudest}, nil, ""},
	{"size never filled in", claim(riff("RIFF", 0, "fmt ", pcm16, "data", samples16), 8, 0), Format{8000, 1, PCM16}, -1, []float32{0, 0.5, -1, loudest}, nil, ""},
	{"size unknown, ends inside a sample", claim(riff("RIFF", 0, "fmt ", pcm16, "data", samples16[:6]+"x\x00")[:51], 7, 0xffffffff),
		Format{8000, 1, PCM16}, -1, []float32{0, 0.5, -1}, ErrTruncated, "inside a sample"},
	{"samples missing", claim(riff("RIFF", 0, "fmt ", pcm16, "data", samples16), 8, 20), Format{8000, 1, PCM16}, 10,
		[]float32{0, 0.5, -1, loudest}, ErrTruncated, "12 of 20 bytes"},
	{"size is no whole number of frames", riff("RIFF", 0, "fmt ", stereo16, "data", samples16[:6]), Format{44100, 2, PCM16}, 1,
		[]float32{0, 0.5}, ErrTruncated, "inside a sample"},

	{"empty", nil, Format{}, 0, nil, ErrNotWAV, ""},
	{"text", []byte("Once upon a midnight dreary"), Format{}, 0, nil, ErrNotWAV, ""},
	{"another RIFF file", []byte("RIFF\x24\x00\x00\x00AVI LIST"), Format{}, 0, nil, ErrNotWAV, ""},
	{"only the magic", riff("RIFF", 0), Format{}, 0, nil, ErrTruncated, "header"},
	{"no data chunk", riff("RIFF", 0, "fmt ", pcm16, "LIST", "abc"), Format{}, 0, nil, ErrTruncated, "header"},
	{"samples before the format", riff("RIFF", 0, "data", samples16, "fmt ", pcm16), Format{}, 0, nil, ErrCorrupt, "before their format"},
	{"short format", riff("RIFF", 0, "fmt ", pcm16[:14], "data", samples16), Format{}, 0, nil, ErrCorrupt, "14 bytes"},
	{"a chunk beyond the end", claim(riff("RIFF", 0, "fmt ", pcm16, "LIST", ""), 0, 0xffffffff), Format{}, 0, nil, ErrTruncated, "header"},
	{"no channels", riff("RIFF", 0, "fmt ", fmtOf(1, 0, 8000, 2, 16), "data", samples16), Format{}, 0, nil, ErrUnsupported, "0 channels"},
	{"5.1", riff("RIFF", 0, "fmt ", fmtOf(1, 6, 8000, 12, 16), "data", samples16), Format{}, 0, nil, ErrUnsupported, "6 channels"},
	{"no rate", riff("RIFF", 0, "fmt ", fmtOf(1, 1, 0, 2, 16), "data", samples16), Format{}, 0, nil, ErrUnsupported, "0 Hz"},
	{"absurd rate", riff("RIFF", 0, "fmt ", fmtOf(1, 1, 1<<31, 2, 16), "data", samples16), Format{}, 0, nil, ErrUnsupported, "Hz"},
	{"no bits", riff("RIFF", 0, "fmt ", fmtOf(1, 1, 8000, 0, 0), "data", samples16), Format{}, 0, nil, ErrUnsupported, "0 bits"},
	{"12 bytes a sample", riff("RIFF", 0, "fmt ", fmtOf(1, 1, 8000, 12, 96), "data", samples16), Format{}, 0, nil, ErrUnsupported, "96 bits"},
	{"float16", riff("RIFF", 0, "fmt ", fmtOf(3, 1, 8000, 2, 16), "data", samples16), Format{}, 0, nil, ErrUnsupported, "16 bits"},
	{"frames of another size", riff("RIFF", 0, "fmt ", fmtOf(1, 2, 8000, 2, 16), "data", samples16), Format{}, 0, nil, ErrCorrupt, "2 bytes a frame"},
	{"A-law", riff("RIFF", 0, "fmt ", fmtOf(6, 1, 8000, 1, 8), "data", "abc"), Format{}, 0, nil, ErrUnsupported, "A-law"},
	{"MP3 inside", riff("RIFF", 0, "fmt ", fmtOf(0x55, 1, 44100, 1, 0), "data", "abc"), Format{}, 0, nil, ErrUnsupported, "MP3"},
	{"unknown format", riff("RIFF", 0, "fmt ", fmtOf(0x1234, 1, 44100, 1, 8), "data", "abc"), Format{}, 0, nil, ErrUnsupported, "0x1234"},
	{"extensible without a known GUID", riff("RIFF", 0, "fmt ", extended[:26]+strings.Repeat("x", 14), "data", "abc"), Format{}, 0, nil, ErrUnsupported, "extensible"},
	{"extensible cut short", riff("RIFF", 0, "fmt ", extended[:20], "data", "abc"), Format{}, 0, nil, ErrUnsupported, "extensible"},
}

// readAll returns the samples and the error after them, nil at a clean end.
func readAll(in io.Reader, piece int) (*Reader, []float32, error) {
	r, err := NewReader(in)
	if err != nil {
		return nil, nil, err
	}
	var all []float32
	buf := make([]float32, piece)
	for {
		n, err := r.Read(buf)
		all = append(all, buf[:n]...)
		if errors.Is(err, io.EOF) {
			return r, all, nil
		}
		if err != nil {
			return r, all, err
		}
	}
}

func TestFiles(t *testing.T) {
	for _, tt := range files {
		t.Run(tt.name, func(t *testing.T) {
			for _, piece := range []int{2, 3, 1000} {
				r, got, err := readAll(bytes.NewReader(tt.file), piece)
				if !errors.Is(err, tt.err) || tt.err == nil && err != nil {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				if err != nil && !strings.Contains(err.Error(), tt.says) {
					t.Errorf("error %q does not say %q", err, tt.says)
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("samples %v, want %v", got, tt.want)
				}
				if r != nil && (r.Format() != tt.format || r.Frames() != tt.frames) {
					t.Errorf("%+v with %d frames, want %+v with %d", r.Format(), r.Frames(), tt.format, tt.frames)
				}
			}
		})
	}
}

// Every truncation gives the samples before it and an error that says so.
func TestTruncations(t *testing.T) {
	for _, tt := range files {
		if tt.err != nil || tt.frames < 0 {
			continue
		}
		size := encodings[tt.format.Encoding].bytes
		for n := range tt.file {
			_, got, err := readAll(bytes.NewReader(tt.file[:n]), 100)
			if n < 12 && !errors.Is(err, ErrNotWAV) ||
				n >= 12 && err != nil && !errors.Is(err, ErrTruncated) {
				t.Errorf("%s cut at %d: %v", tt.name, n, err)
			}
			if err == nil && len(got) != len(tt.want) {
				t.Errorf("%s cut at %d: %d samples and no error", tt.name, n, len(got))
			}
			if !slices.Equal(got, tt.want[:len(got)]) || len(got) > n/size {
				t.Errorf("%s cut at %d: %v", tt.name, n, got)
			}
		}
	}
}

func TestReadErrorsPassThrough(t *testing.T) {
	file := files[0].file
	for _, n := range []int{0, 5, 12, 20, 40, 46} {
		_, _, err := readAll(io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(io.ErrClosedPipe)), 10)
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

func TestReadIntoTooLittle(t *testing.T) {
	r, err := NewReader(bytes.NewReader(files[1].file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]float32, 1)); !errors.Is(err, io.ErrShortBuffer) {
		t.Errorf("one sample of a stereo file: %v", err)
	}
}

func FuzzReader(f *testing.F) {
	for _, tt := range files {
		f.Add(tt.file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, got, err := readAll(bytes.NewReader(file), 64)
		if r == nil {
			if err == nil {
				t.Fatal("neither a reader nor an error")
			}
			return
		}
		form := r.Format()
		if form.check() != nil || len(got)%form.Channels != 0 || len(got) > len(file) {
			t.Fatalf("%d samples of %+v from %d bytes", len(got), form, len(file))
		}
		for _, x := range got {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				t.Fatalf("a sample is %v", x)
			}
		}
	})
}

// Whatever is written reads back as what the encoding can hold.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Format{
			Rate:     rapid.SampledFrom([]int{MinRate, 8000, 44100, 48000, MaxRate}).Draw(t, "rate"),
			Channels: rapid.IntRange(1, 2).Draw(t, "channels"),
			Encoding: Encoding(rapid.IntRange(0, int(Float32)).Draw(t, "encoding")),
		}
		in := rapid.SliceOfN(rapid.Float32Range(-1.2, 1.2), 0, 200).Draw(t, "samples")
		in = in[:len(in)-len(in)%f.Channels]
		var out bytes.Buffer
		w, err := NewWriter(&out, f)
		if err != nil {
			t.Fatal(err)
		}
		for rest := in; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)/f.Channels).Draw(t, "piece") * f.Channels
			if err := w.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, got, err := readAll(&out, 64)
		if err != nil || r.Format() != f || len(got) != len(in) {
			t.Fatalf("%d samples of %+v became %d of %+v: %v", len(in), f, len(got), r.Format(), err)
		}
		step := map[Encoding]float64{PCM16: 1.0 / (1 << 15), PCM24: 1.0 / (1 << 23), PCM32: 1.0 / (1 << 24), Float32: 0}[f.Encoding]
		for i, x := range in {
			want := float64(x)
			if f.Encoding != Float32 {
				want = min(max(want, -1), 1-step)
			}
			if math.Abs(float64(got[i])-want) > step {
				t.Fatalf("sample %d: %v became %v", i, x, got[i])
			}
		}
	})
}
