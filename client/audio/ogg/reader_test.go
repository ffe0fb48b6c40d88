package ogg

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// A build says what a file made by hand consists of.
type build []struct {
	flags   byte
	serial  uint32
	granule int64
	packets []string // the last one, if it ends in "…", goes on on the next page
}

func (b build) bytes() []byte {
	var file []byte
	sequence := map[uint32]uint32{}
	for _, s := range b {
		p := page{flags: s.flags, serial: s.serial, granule: s.granule, sequence: sequence[s.serial]}
		sequence[s.serial]++
		for _, packet := range s.packets {
			open := strings.HasSuffix(packet, "…")
			p.lace([]byte(strings.TrimSuffix(packet, "…")))
			if open {
				p.lacing = p.lacing[:len(p.lacing)-1] // must be a multiple of 255 bytes long
			}
		}
		file = p.append(file)
	}
	return file
}

const (
	first, last, continued = flagFirst, flagLast, flagContinued

	mono   = "OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00"
	stereo = "OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00"
	tags   = "OpusTags\x00\x00\x00\x00\x00\x00\x00\x00"
	ms20   = "\xf8abc" // 20 ms
	ms60   = "\x18abc" // 60 ms
)

var half = ms20 + strings.Repeat("x", 251) // 255 bytes: one segment

func page1(head string) build { return build{{first, 1, 0, []string{head}}} }

func headers(head string) build {
	return append(page1(head), build{{0, 1, 0, []string{tags}}}...)
}

func with(b build, more build) build { return append(slices.Clip(b), more...) }

// files are good and bad ones. They seed the fuzzing, too.
var files = []struct {
	name      string
	file      []byte
	positions []int64
	trims     []int // nil: none
	err       error
	says      string // part of the error's text
}{
	{"empty", nil, nil, nil, ErrNotOgg, ""},
	{"one byte", []byte("O"), nil, nil, ErrNotOgg, ""},
	{"text", []byte("Once upon a midnight dreary"), nil, nil, ErrNotOgg, ""},
	{"only the capture pattern", []byte("OggS"), nil, nil, ErrTruncated, "byte 0"},
	{"a version to come", append([]byte("OggS\x01"), headers(mono).bytes()[5:]...), nil, nil, ErrCorrupt, "version 1"},

	{"Vorbis", page1("\x01vorbis\x00\x00\x00\x00").bytes(), nil, nil, ErrNotOpus, "Vorbis"},
	{"FLAC", page1("\x7fFLAC\x01\x00").bytes(), nil, nil, ErrNotOpus, "FLAC"},
	{"Speex", page1("Speex   1.2").bytes(), nil, nil, ErrNotOpus, "Speex"},
	{"video first", page1("\x80theora\x03\x02").bytes(), nil, nil, ErrNotOpus, "Theora"},
	{"unknown codec", page1("nobody").bytes(), nil, nil, ErrNotOpus, "unknown"},
	{"no packet on the first page", build{{first, 1, 0, nil}}.bytes(), nil, nil, ErrNotOpus, ""},
	{"two packets on the first page", build{{first, 1, 0, []string{mono, tags}}}.bytes(), nil, nil, ErrNotOpus, ""},
	{"first page not marked", build{{0, 1, 0, []string{mono}}}.bytes(), nil, nil, ErrCorrupt, "start"},

	{"short OpusHead", page1(mono[:18]).bytes(), nil, nil, ErrCorrupt, "18 bytes"},
	{"OpusHead version 16", page1("OpusHead\x10" + mono[9:]).bytes(), nil, nil, ErrNotOpus, "version 16"},
	{"no channels", page1("OpusHead\x01\x00" + mono[10:]).bytes(), nil, nil, ErrChannels, "0 channels"},
	{"5.1", page1("OpusHead\x01\x06\x38\x01\x80\xbb\x00\x00\x00\x00\x01\x04\x02\x00\x04\x01\x02\x03\x05").bytes(), nil, nil, ErrChannels, "6 channels"},

	{"ends after OpusHead", page1(mono).bytes(), nil, nil, ErrTruncated, ""},
	{"no OpusTags", with(page1(mono), build{{0, 1, 960, []string{ms20}}}).bytes(), nil, nil, ErrCorrupt, "OpusTags"},
	{"audio on the page of OpusTags", with(page1(mono), build{{0, 1, 960, []string{tags, ms20}}}).bytes(), nil, nil, ErrCorrupt, "OpusTags"},
	{"second stream from the start", with(page1(mono), build{{first, 2, 0, []string{mono}}}).bytes(), nil, nil, ErrMultiplexed, ""},
	{"no audio, not ended", headers(mono).bytes(), nil, nil, nil, ""},
	{"no audio", with(headers(mono), build{{last, 1, 0, nil}}).bytes(), nil, nil, nil, ""},

	{"two packets", with(headers(mono), build{{last, 1, 1920, []string{ms20, ms20}}}).bytes(), []int64{0, 960}, nil, nil, ""},
	{"not marked as ended", with(headers(mono), build{{0, 1, 1920, []string{ms20, ms20}}}).bytes(), []int64{0, 960}, nil, nil, ""},
	{"end trimmed", with(headers(mono), build{{last, 1, 1000, []string{ms20, ms20}}}).bytes(), []int64{0, 960}, []int{0, 920}, nil, ""},
	{"more than a packet trimmed", with(headers(mono), build{{0, 1, 960, []string{ms20}}, {last, 1, 1000, []string{ms20, ms20}}}).bytes(),
		[]int64{0, 960, 1920}, []int{0, 920, 960}, nil, ""},
	{"starts midway", with(headers(mono), build{{0, 1, 48960, []string{ms20}}, {last, 1, 49920, []string{ms20}}}).bytes(),
		[]int64{48000, 48960}, nil, nil, ""},
	{"starts inside a packet", with(headers(mono), build{{continued, 1, 48960, []string{"lost", ms20}}}).bytes(),
		[]int64{48000}, nil, nil, ""},
	{"a hole", with(headers(mono), build{{0, 1, 960, []string{ms20}}, {last, 1, 4800, []string{ms20, ms20}}}).bytes(),
		[]int64{0, 2880, 3840}, nil, nil, ""},
	{"positions that step back", with(headers(mono), build{{0, 1, 1920, []string{ms20, ms20}}, {0, 1, 960, []string{ms20}}, {0, 1, 3840, []string{ms20}}}).bytes(),
		[]int64{0, 960, 1920, 2880}, nil, nil, ""},
	{"no position where packets end", with(headers(mono), build{{0, 1, -1, []string{ms20}}, {0, 1, 1920, []string{ms20}}}).bytes(),
		[]int64{0, 960}, nil, nil, ""},
	{"absurd position", with(headers(mono), build{{0, 1, 960, []string{ms20}}, {0, 1, -1 << 63, []string{ms20}}}).bytes(),
		[]int64{0, 960}, nil, nil, ""},
	{"position beyond all recordings", with(headers(mono), build{{0, 1, 960, []string{ms20}}, {0, 1, 1<<63 - 1, []string{ms20}}}).bytes(),
		[]int64{0, 960}, nil, nil, ""},
	{"durations change", with(headers(mono), build{{0, 1, 3840, []string{ms20, ms60}}}).bytes(), []int64{0, 960}, nil, nil, ""},

	{"a packet over two pages", with(headers(mono), build{{0, 1, 960, []string{ms20, half + "…"}}, {continued | last, 1, 2880, []string{"rest", ms20}}}).bytes(),
		[]int64{0, 960, 1920}, nil, nil, ""},
	{"ends inside a packet", with(headers(mono), build{{0, 1, 960, []string{ms20, half + "…"}}}).bytes(), []int64{0}, nil, ErrTruncated, ""},
	{"a packet that never goes on", with(headers(mono), build{{0, 1, 960, []string{ms20, half + "…"}}, {last, 1, 1920, []string{ms20}}}).bytes(),
		[]int64{0, 960}, nil, nil, ""},

	{"empty packet", with(headers(mono), build{{0, 1, 960, []string{ms20}}, {0, 1, 960, []string{""}}}).bytes(), []int64{0}, nil, ErrCorrupt, "empty"},
	{"not an Opus packet", with(headers(mono), build{{0, 1, 960, []string{ms20}}, {0, 1, 960, []string{"\xff"}}}).bytes(), []int64{0}, nil, ErrCorrupt, "opus"},
	{"one good and one bad packet", with(headers(mono), build{{0, 1, 960, []string{ms20, "\xff"}}}).bytes(), nil, nil, ErrCorrupt, "packet 1"},
	{"second stream midway", with(headers(mono), build{{0, 1, 960, []string{ms20}}, {0, 2, 960, []string{ms20}}}).bytes(), []int64{0}, nil, ErrMultiplexed, ""},
	{"starts twice", with(headers(mono), build{{0, 1, 960, []string{ms20}}, {first, 1, 0, []string{mono}}}).bytes(), []int64{0}, nil, ErrCorrupt, "twice"},
	{"chained", with(headers(mono), build{{last, 1, 48312, []string{ms20}}, {first, 2, 0, []string{mono}}}).bytes(), []int64{47352}, nil, ErrChained, "after 1.0 s"},
	{"chained, other channels", with(headers(mono), build{{last, 1, 960, []string{ms20}}, {first, 2, 0, []string{stereo}}}).bytes(),
		[]int64{0}, nil, ErrChained, "byte 123: a second stream follows the first: after 0.0 s, and has 2 channels instead of 1"},
	{"chained, other codec", with(headers(mono), build{{last, 1, 960, []string{ms20}}, {first, 2, 0, []string{"\x01vorbis"}}}).bytes(),
		[]int64{0}, nil, ErrChained, "Vorbis"},
	{"goes on after the end", with(headers(mono), build{{last, 1, 960, []string{ms20}}, {0, 1, 1920, []string{ms20}}}).bytes(), []int64{0}, nil, ErrCorrupt, "after the last"},
	{"other bytes after the end", append(with(headers(mono), build{{last, 1, 960, []string{ms20}}}).bytes(), strings.Repeat("TAG", 50)...), []int64{0}, nil, nil, ""},
	{"other bytes between pages", append(with(headers(mono), build{{0, 1, 960, []string{ms20}}}).bytes(), strings.Repeat("TAG", 50)...), []int64{0}, nil, ErrCorrupt, "byte 123"},
}

func TestFiles(t *testing.T) {
	for _, tt := range files {
		t.Run(tt.name, func(t *testing.T) {
			_, packets, err := readAll(tt.file)
			if !errors.Is(err, tt.err) || tt.err == nil && err != nil {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %q does not say %q", err, tt.says)
			}
			var positions []int64
			trims := make([]int, len(packets))
			for i, p := range packets {
				positions = append(positions, p.Position)
				trims[i] = p.Trim
			}
			if !slices.Equal(positions, tt.positions) {
				t.Errorf("positions %v, want %v", positions, tt.positions)
			}
			if want := append(tt.trims, make([]int, len(packets)-len(tt.trims))...); !slices.Equal(trims, want) {
				t.Errorf("trims %v, want %v", trims, want)
			}
		})
	}
}

// A large comment header, with a picture, say, is skipped and not kept.
func TestLargeTags(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(&out, WriterConfig{Comments: []string{"PICTURE=" + strings.Repeat("x", 3<<20)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WritePacket(opus(100, 7)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	if n := cap(r.asm.partial.data); n > maxPacket {
		t.Errorf("keeps %d bytes of the comments", n)
	}
	p, err := r.Next()
	if err != nil || !bytes.Equal(p.Data, opus(100, 7)) {
		t.Errorf("packet %v, %v", p, err)
	}
}

// Opus allows padding without end, this reader does not.
func TestOversizedPacket(t *testing.T) {
	var out bytes.Buffer
	w, _ := NewWriter(&out, WriterConfig{})
	for _, size := range []int{100, maxPacket, maxPacket + 1} {
		if err := w.WritePacket(long(size)); err != nil {
			t.Fatal(size, err)
		}
	}
	w.Close()
	_, packets, err := readAll(out.Bytes())
	if len(packets) != 2 || !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "65537") {
		t.Errorf("%d packets, %v", len(packets), err)
	}
}

func TestReadErrorsPassThrough(t *testing.T) {
	file := readFile(t, "opusenc-20ms.opus")
	for _, n := range []int{0, 1, 30, 100, 1000} {
		_, _, err := readAllFrom(io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(io.ErrClosedPipe)))
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// A pipe that gives a byte at a time is as good as a file.
func TestDribbled(t *testing.T) {
	file := readFile(t, "opusenc-20ms.opus")
	_, want, _ := readAll(file)
	_, got, err := readAllFrom(iotest.OneByteReader(bytes.NewReader(file)))
	if err != nil || len(got) != len(want) {
		t.Errorf("%d packets, want %d; %v", len(got), len(want), err)
	}
}

func FuzzReader(f *testing.F) {
	for _, tt := range files {
		f.Add(tt.file)
	}
	f.Add(readFile(f, "opusenc-60ms.opus"))
	f.Fuzz(func(t *testing.T, file []byte) {
		head, packets, _ := readAll(fixChecksums(file))
		end := int64(-1)
		for i, p := range packets {
			if p.Position < end || p.Samples <= 0 || p.Trim < 0 || p.Trim > p.Samples {
				t.Fatalf("packet %d is out of order: %+v", i, p)
			}
			end = p.Position + int64(p.Samples)
		}
		if len(packets) == 0 {
			return
		}
		_, again, err := readAll(copyPackets(t, head, packets))
		if err != nil || len(again) != len(packets) {
			t.Fatalf("%d packets became %d: %v", len(packets), len(again), err)
		}
		for i := range again {
			if !bytes.Equal(again[i].Data, packets[i].Data) || again[i].Position != packets[i].Position-packets[0].Position {
				t.Fatalf("packet %d: %+v became %+v", i, packets[i], again[i])
			}
		}
	})
}

// fixChecksums makes the pages of a file that fuzzing has changed pass, for
// else nothing behind the checksum would ever be reached.
func fixChecksums(file []byte) []byte {
	file = bytes.Clone(file)
	r := bytes.NewReader(file)
	for {
		start := len(file) - r.Len()
		var p page
		if _, err := p.read(r); err != nil && !strings.Contains(err.Error(), "checksum") {
			return file
		}
		copy(file[start:], p.append(nil))
	}
}
