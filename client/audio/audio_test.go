package audio

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stentor-audio/stentor/client/audio/ogg"
	"github.com/stentor-audio/stentor/client/audio/wav"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("ogg", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// oggPackets are the packets of a file as package ogg reads them.
func oggPackets(t testing.TB, file []byte) []ogg.Packet {
	t.Helper()
	r, err := ogg.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var packets []ogg.Packet
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return packets
		}
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, p)
	}
}

// drain returns at most limit packets and the error after them, nil at a clean
// end.
func drain(src *Source, limit int) (packets [][]byte, levels []float32, err error) {
	for range limit {
		p, level, err := src.Next()
		if errors.Is(err, io.EOF) {
			return packets, levels, nil
		}
		if err != nil {
			return packets, levels, err
		}
		packets = append(packets, bytes.Clone(p))
		levels = append(levels, level)
	}
	return packets, levels, nil
}

// pipe hides that a reader can be rewound.
func pipe(b []byte) io.Reader { return iotest.HalfReader(bytes.NewReader(b)) }

func equal(t *testing.T, got [][]byte, want []ogg.Packet) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d packets, want %d", len(got), len(want))
	}
	for i := range got {
		if !bytes.Equal(got[i], want[i].Data) {
			t.Fatalf("packet %d is %x, want %x", i, got[i], want[i].Data)
		}
	}
}

func TestPacketsOf20msPassThrough(t *testing.T) {
	for _, name := range []string{"opusenc-20ms.opus", "opusenc-stereo.opus", "ffmpeg-20ms.opus"} {
		file := readFile(t, name)
		want := oggPackets(t, file)
		for _, r := range []io.Reader{bytes.NewReader(file), pipe(file)} {
			src, err := New(r, Options{})
			if err != nil {
				t.Fatal(name, err)
			}
			got, _, err := drain(src, 1000)
			if err != nil {
				t.Fatal(name, err)
			}
			equal(t, got, want)
		}

		src, err := Open(filepath.Join("ogg", "testdata", name), Options{})
		if err != nil {
			t.Fatal(err)
		}
		info := src.Info()
		channels := 1
		if strings.Contains(name, "stereo") {
			channels = 2
		}
		if info.Kind != "Ogg Opus" || info.Encoded || info.Damage != nil || info.Channels != channels ||
			info.Duration != time.Duration(len(want))*20*time.Millisecond || info.Bitrate < 10000 || info.Bitrate > 40000 {
			t.Errorf("%s: %+v", name, info)
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
		if _, _, err := src.Next(); !errors.Is(err, fs.ErrClosed) && err != nil {
			t.Errorf("Next after Close: %v", err)
		}
	}
}

func TestLoopRepeatsPackets(t *testing.T) {
	file := readFile(t, "opusenc-20ms.opus")
	want := oggPackets(t, file)
	src, err := New(bytes.NewReader(file), Options{Loop: true})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := drain(src, 3*len(want))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, append(append(want[:len(want):len(want)], want...), want...))
}

// A file may begin in the middle of something else.
func TestFileInsideAFile(t *testing.T) {
	file := readFile(t, "opusenc-20ms.opus")
	want := oggPackets(t, file)
	r := bytes.NewReader(append([]byte("before"), file...))
	if _, err := r.Seek(6, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	src, err := New(r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := drain(src, 1000)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, want)
}

// holed writes 20 ms packets with holes of so many samples behind them.
func holed(t *testing.T, holes ...int64) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := ogg.NewWriter(&file, ogg.WriterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for i, hole := range holes {
		if err := w.WritePacket([]byte{31 << 3, byte(i), 1, 2, 3}); err != nil {
			t.Fatal(err)
		}
		w.Skip(hole)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestHolesKeepTheirTime(t *testing.T) {
	// Holes are rounded to 20 ms, but their errors do not add up.
	file := holed(t, 0, 960, 3*960, 500, 500, 400, 400, 0)
	src, err := New(bytes.NewReader(file), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := src.Info().Duration; d != (12*960+1800)*time.Second/48000 {
		t.Errorf("lasts %v", d)
	}
	packets, _, err := drain(src, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, p := range packets {
		if len(p) == 0 {
			got.WriteByte('-')
		} else {
			got.WriteByte('0' + p[1])
		}
	}
	if want := "01-2---3-456-7"; got.String() != want {
		t.Errorf("%s, want %s", got.String(), want)
	}
}

func TestAbsurdHole(t *testing.T) {
	src, err := New(bytes.NewReader(holed(t, 48000*3600*25, 0)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	packets, _, err := drain(src, 1000)
	if len(packets) != 1 || !errors.Is(err, ogg.ErrCorrupt) || !strings.Contains(err.Error(), "25 hours") {
		t.Errorf("%d packets, %v", len(packets), err)
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	ogg20 := readFile(t, "opusenc-20ms.opus")
	vorbis := "OggS\x00\x02" + strings.Repeat("\x00", 16) + "\xae\xad\x5b\xaf\x01\x07\x01vorbis"
	tests := []struct {
		name string
		file string
		err  error
		says string
	}{
		{"empty", "", ErrEmpty, "empty"},
		{"one byte", "R", ErrNotAudio, "text"},
		{"a text", "Sing, O goddess, the anger of Achilles", ErrNotAudio, "text; give an Ogg Opus or a WAV file"},
		{"a text in Greek", strings.Repeat("Μῆνιν ἄειδε θεά ", 40), ErrNotAudio, "text"},
		{"zeros", strings.Repeat("\x00", 600), ErrNotAudio, "unknown kind"},
		{"PNG", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", ErrNotAudio, "PNG image"},
		{"JPEG", "\xff\xd8\xff\xe0\x00\x10JFIF", ErrNotAudio, "JPEG image"},
		{"WebP", "RIFF\x10\x00\x00\x00WEBPVP8 ", ErrNotAudio, "WebP"},
		{"PDF", "%PDF-1.7\n", ErrNotAudio, "PDF"},
		{"ZIP", "PK\x03\x04\x14\x00", ErrNotAudio, "ZIP"},
		{"gzip", "\x1f\x8b\x08\x00", ErrNotAudio, "gzip"},
		{"ELF", "\x7fELF\x02\x01", ErrNotAudio, "program"},
		{"MP3 with tags", "ID3\x04\x00\x00\x00\x00", ErrUnsupported, "MP3 is unsupported: convert it first, with \"ffmpeg"},
		{"MP3", "\xff\xfb\x90\x44\x00\x00", ErrUnsupported, "MP3"},
		{"AAC", "\xff\xf1\x50\x80\x00\x00", ErrUnsupported, "AAC"},
		{"FLAC", "fLaC\x00\x00\x00\x22", ErrUnsupported, "FLAC"},
		{"AIFF", "FORM\x00\x00\x00\x10AIFFCOMM", ErrUnsupported, "AIFF"},
		{"M4A", "\x00\x00\x00\x20ftypM4A ", ErrUnsupported, "M4A"},
		{"MP4", "\x00\x00\x00\x20ftypisom", ErrUnsupported, "MPEG-4"},
		{"WebM", "\x1aE\xdf\xa3\x01\x00", ErrUnsupported, "WebM"},
		{"AVI", "RIFF\x10\x00\x00\x00AVI LIST", ErrUnsupported, "AVI"},

		{"Ogg Vorbis", vorbis, ErrUnsupported, "Vorbis"},
		{"Ogg cut in its headers", string(ogg20[:60]), ogg.ErrTruncated, "byte 47"},
		{"Ogg without sound", string(headersOf(t, ogg20)), ErrEmpty, "no sound"},
		{"Ogg damaged in its first sound", string(headersOf(t, ogg20)) + "OggX" + strings.Repeat("x", 100), ogg.ErrCorrupt, "page"},
		{"WAV without sound", "RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00",
			ErrEmpty, "no sound"},
		{"WAV cut in its header", "RIFF\x10\x00\x00\x00WAVEfmt ", wav.ErrTruncated, "header"},
		{"WAV with A-law", "RIFF\x10\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x06\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x00\x00\x00\x00",
			ErrUnsupported, "A-law"},
	}
	dir := t.TempDir()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, "file")
			if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			src, err := Open(path, Options{})
			if err == nil {
				src.Close()
			}
			if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %v that says %q", err, tt.err, tt.says)
			}
			if err != nil && !strings.HasPrefix(err.Error(), path) {
				t.Errorf("%v does not name the file", err)
			}
		})
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrNotAudio) || !strings.Contains(err.Error(), "directory") {
		t.Errorf("directory: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

// headersOf are the two header pages of opusenc's files.
func headersOf(t *testing.T, file []byte) []byte {
	t.Helper()
	second := 4 + bytes.Index(file[4:], []byte("OggS"))
	third := second + 4 + bytes.Index(file[second+4:], []byte("OggS"))
	return file[:third]
}

// What is there is played before the error comes.
func TestDamagedOggPlaysUpToTheDamage(t *testing.T) {
	voice := holed(t, make([]int64, 100)...)
	second := bytes.LastIndex(voice, []byte("OggS"))
	tests := []struct {
		name    string
		file    []byte
		packets int
		err     error
	}{
		{"truncated", voice[:len(voice)-1], 75, ogg.ErrTruncated},
		{"page missing its end", voice[:second+30], 75, ogg.ErrTruncated},
		{"chained", append(bytes.Clone(voice), voice...), 100, ogg.ErrChained},
		{"chained, other channels", append(bytes.Clone(voice), readFile(t, "opusenc-stereo.opus")...), 100, ogg.ErrChained},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src, err := New(bytes.NewReader(tt.file), Options{Loop: true})
			if err != nil {
				t.Fatal(err)
			}
			if !errors.Is(src.Info().Damage, tt.err) {
				t.Errorf("damage is %v, want %v", src.Info().Damage, tt.err)
			}
			packets, _, err := drain(src, 1000)
			if len(packets) != tt.packets || !errors.Is(err, tt.err) {
				t.Errorf("%d packets and %v, want %d and %v", len(packets), err, tt.packets, tt.err)
			}
			if chained := errors.Is(tt.err, ogg.ErrChained); chained != strings.Contains(err.Error(), "ffmpeg") {
				t.Errorf("%v does not say what to do", err)
			}
		})
	}
}

func TestPipesCannotBeRepeated(t *testing.T) {
	if _, err := New(pipe(readFile(t, "opusenc-20ms.opus")), Options{Loop: true}); !errors.Is(err, errOnce) {
		t.Error(err)
	}
	if _, err := Open("-", Options{Loop: true}); !errors.Is(err, errOnce) {
		t.Error(err)
	}
}

// Nobody can look at all packets of a pipe beforehand.
func TestPipeWithOtherPackets(t *testing.T) {
	src, err := New(pipe(readFile(t, "opusenc-60ms.opus")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = src.Next(); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "60ms") {
		t.Error(err)
	}
}

func TestReadErrorsPassThrough(t *testing.T) {
	file := readFile(t, "opusenc-20ms.opus")
	for _, n := range []int{0, 10, 600, 2000} {
		src, err := New(io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(io.ErrNoProgress)), Options{})
		if err == nil {
			_, _, err = drain(src, 1000)
		}
		if !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// Whatever a file holds, it ends in packets or an error.
func FuzzNew(f *testing.F) {
	f.Add(readFile(f, "opusenc-20ms.opus"), false)
	f.Add(readFile(f, "opusenc-60ms.opus"), true)
	f.Add([]byte("RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x44\xac\x00\x00\x10\xb1\x02\x00\x04\x00\x10\x00data\x08\x00\x00\x0012345678"), true)
	f.Add([]byte("\xff\xfb\x90\x44"), false)
	f.Fuzz(func(t *testing.T, file []byte, loop bool) {
		for _, r := range []io.Reader{bytes.NewReader(file), pipe(file)} {
			src, err := New(r, Options{Loop: loop})
			if err != nil {
				continue
			}
			if info := src.Info(); info.Channels < 1 || info.Channels > 2 || info.Duration < 0 || info.Kind == "" {
				t.Fatalf("%+v", info)
			}
			packets, levels, _ := drain(src, 200)
			for i, l := range levels {
				if !(l >= 0 && l <= 1) {
					t.Fatalf("packet %d of %d has level %v", i, len(packets), l)
				}
			}
		}
	})
}
