package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTOC holds table 2 of RFC 6716 §3.1.
func TestTOC(t *testing.T) {
	const ms = time.Millisecond
	silk := []time.Duration{10 * ms, 20 * ms, 40 * ms, 60 * ms}
	hybrid := []time.Duration{10 * ms, 20 * ms}
	celt := []time.Duration{5 * ms / 2, 5 * ms, 10 * ms, 20 * ms}
	table := []struct {
		mode      OpusMode
		bandwidth Bandwidth
		durations []time.Duration
	}{
		{OpusSILK, Narrowband, silk},
		{OpusSILK, Mediumband, silk},
		{OpusSILK, Wideband, silk},
		{OpusHybrid, Superwideband, hybrid},
		{OpusHybrid, Fullband, hybrid},
		{OpusCELT, Narrowband, celt},
		{OpusCELT, Wideband, celt},
		{OpusCELT, Superwideband, celt},
		{OpusCELT, Fullband, celt},
	}
	config := 0
	for _, row := range table {
		for _, duration := range row.durations {
			for low := range 8 {
				toc := TOC(config<<3 | low)
				if toc.Config() != config || toc.Stereo() != (low >= 4) || toc.Code() != low%4 {
					t.Errorf("%#x: config %d, stereo %v, code %d", toc, toc.Config(), toc.Stereo(), toc.Code())
				}
				if toc.Mode() != row.mode || toc.Bandwidth() != row.bandwidth || toc.FrameDuration() != duration {
					t.Errorf("config %d: %d, %d, %v, want %+v of %v", config,
						toc.Mode(), toc.Bandwidth(), toc.FrameDuration(), row, duration)
				}
			}
			config++
		}
	}
	if config != 32 {
		t.Fatalf("the table has %d configs", config)
	}
}

// packets has n zero bytes wherever it says "n*".
var opusPackets = []struct {
	name     string
	packet   string
	frames   int
	duration time.Duration
}{
	{"only a TOC: silence", "f8", 1, 20 * time.Millisecond},
	{"code 0", "78 80*", 1, 20 * time.Millisecond},
	{"code 0, longest", "f8 1275*", 1, 20 * time.Millisecond},
	{"code 1, empty", "f9", 2, 40 * time.Millisecond},
	{"code 1", "f9 4*", 2, 40 * time.Millisecond},
	{"code 1, longest", "f9 2550*", 2, 40 * time.Millisecond},
	{"code 1 of 60 ms: 120 ms", "19 4*", 2, 120 * time.Millisecond},
	{"code 2, both empty", "fa 00", 2, 40 * time.Millisecond},
	{"code 2, all in the first", "fa 03 3*", 2, 40 * time.Millisecond},
	{"code 2, all in the second", "fa 00 3*", 2, 40 * time.Millisecond},
	{"code 2, size of two bytes", "fa fc00 252*", 2, 40 * time.Millisecond},
	{"code 2, longest", "fa ffff 2550*", 2, 40 * time.Millisecond},
	{"code 3, one frame", "fb 01 7*", 1, 20 * time.Millisecond},
	{"code 3, equal", "fb 03 9*", 3, 60 * time.Millisecond},
	{"code 3, equal, empty", "fb 03", 3, 60 * time.Millisecond},
	{"code 3, 48 of 2.5 ms", "e3 30 48*", 48, 120 * time.Millisecond},
	{"code 3, equal, padding 0", "fb 43 00 3*", 3, 60 * time.Millisecond},
	{"code 3, equal, padding 2", "fb 43 02 3* 2*", 3, 60 * time.Millisecond},
	{"code 3, equal, padding 254", "fb 43 fe 3* 254*", 3, 60 * time.Millisecond},
	{"code 3, equal, padding 254 of two bytes", "fb 43 ff00 3* 254*", 3, 60 * time.Millisecond},
	{"code 3, equal, padding 509 of three bytes", "fb 43 ffff01 3* 509*", 3, 60 * time.Millisecond},
	{"code 3, nothing but padding", "fb 41 05 5*", 1, 20 * time.Millisecond},
	{"code 3, different", "fb 83 0102 1* 2* 4*", 3, 60 * time.Millisecond},
	{"code 3, different, last empty", "fb 82 03 3*", 2, 40 * time.Millisecond},
	{"code 3, different, one frame", "fb 81 7*", 1, 20 * time.Millisecond},
	{"code 3, different, padded", "fb c2 02 01 1* 1* 2*", 2, 40 * time.Millisecond},
	{"code 3, longest of all", "fb 06 7650*", 6, 120 * time.Millisecond},
}

var badOpusPackets = []struct {
	name   string
	packet string
	breaks int // requirement of RFC 6716 §3.4
}{
	{"nothing", "", 1},
	{"code 0, 1276 bytes", "f8 1276*", 2},
	{"code 1, 1276 bytes each", "f9 2552*", 2},
	{"code 2, second of 1276 bytes", "fa 00 1276*", 2},
	{"code 3, equal, 1276 bytes each", "fb 02 2552*", 2},
	{"code 3, different, last of 1276 bytes", "fb 82 00 1276*", 2},
	{"code 1, odd", "f9 3*", 3},
	{"code 2, no size", "fa", 4},
	{"code 2, size cut", "fa fc", 4},
	{"code 2, size too large", "fa 04 3*", 4},
	{"code 3, no frames", "fb 00", 5},
	{"code 3, no frames, different", "fb 80 2*", 5},
	{"code 3, 140 ms", "fb 07 7*", 5},
	{"code 3, 122.5 ms", "e3 31 49*", 5},
	{"code 3, three of 60 ms", "1b 03 3*", 5},
	{"code 3, no count", "fb", 6},
	{"code 3, equal, not divisible", "fb 03 4*", 6},
	{"code 3, no padding length", "fb 41", 6},
	{"code 3, padding length goes on", "fb 41 ff", 6},
	{"code 3, padding too long", "fb 41 03 2*", 6},
	{"code 3, padding leaves no equal frames", "fb 42 02 3*", 6},
	{"code 3, different, padding too long", "fb c1 03 2*", 6},
	{"code 3, different, no sizes", "fb 83", 7},
	{"code 3, different, one size short", "fb 83 00", 7},
	{"code 3, different, size cut", "fb 82 fd", 7},
	{"code 3, different, frames too long", "fb 83 0203 4*", 7},
	{"code 3, different, padding takes the frame", "fb c2 02 02 1* 2*", 7},
}

// opusPacket reads hexadecimal in which "7*" is seven zero bytes.
func opusPacket(t testing.TB, s string) []byte {
	t.Helper()
	var b []byte
	for _, field := range strings.Fields(s) {
		var n int
		if _, err := fmt.Sscanf(field, "%d*", &n); err == nil && strings.HasSuffix(field, "*") {
			b = append(b, make([]byte, n)...)
		} else {
			b = append(b, unhex(t, field)...)
		}
	}
	return b
}

func TestParseOpus(t *testing.T) {
	for _, tt := range opusPackets {
		t.Run(tt.name, func(t *testing.T) {
			packet := opusPacket(t, tt.packet)
			want := OpusInfo{TOC: TOC(packet[0]), Frames: tt.frames, Duration: tt.duration}
			if got, err := ParseOpus(packet); err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		})
	}
}

func TestParseOpusRefuses(t *testing.T) {
	broken := map[int]bool{}
	for _, tt := range badOpusPackets {
		broken[tt.breaks] = true
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseOpus(opusPacket(t, tt.packet))
			if !errors.Is(err, ErrMalformed) || !strings.HasSuffix(err.Error(), fmt.Sprintf("(R%d)", tt.breaks)) {
				t.Errorf("got %+v, %v, want R%d broken", got, err, tt.breaks)
			}
		})
	}
	for r := 1; r <= 7; r++ {
		if !broken[r] {
			t.Errorf("no packet breaks R%d", r)
		}
	}
}

// A packet is put together frame by frame, as RFC 6716 §3.2.5 says; the parser
// must find as many frames in it.
func TestParseOpusFindsTheFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		toc := TOC(rapid.Byte().Draw(t, "toc") | 3)
		most := int(maxOpusDuration / toc.FrameDuration())
		sizes := rapid.SliceOfN(rapid.IntRange(0, maxOpusFrame), 1, most).Draw(t, "sizes")
		padding := rapid.IntRange(-1, 600).Draw(t, "padding")
		equal := rapid.Bool().Draw(t, "equal")
		packet := buildOpus(toc, sizes, padding, equal)
		want := OpusInfo{TOC: toc, Frames: len(sizes), Duration: time.Duration(len(sizes)) * toc.FrameDuration()}
		if got, err := ParseOpus(packet); err != nil || got != want {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

// buildOpus makes a code 3 packet. A padding of -1 leaves the padding's length
// out. Frames of equal size all have that of the first.
func buildOpus(toc TOC, sizes []int, padding int, equal bool) []byte {
	count := byte(len(sizes))
	if !equal {
		count |= 0x80
	}
	if padding >= 0 {
		count |= 0x40
	}
	b := []byte{byte(toc), count}
	if padding >= 0 {
		rest := padding
		for ; rest >= 255; rest -= 254 {
			b = append(b, 255)
		}
		b = append(b, byte(rest))
	}
	if equal {
		sizes = slices.Repeat(sizes[:1], len(sizes))
	} else {
		for _, size := range sizes[:len(sizes)-1] {
			if size < 252 {
				b = append(b, byte(size))
			} else {
				low := 252 + size%4
				b = append(b, byte(low), byte((size-low)/4))
			}
		}
	}
	for _, size := range sizes {
		b = append(b, bytes.Repeat([]byte{0xaa}, size)...)
	}
	return append(b, make([]byte, max(0, padding))...)
}

func FuzzOpus(f *testing.F) {
	for _, tt := range opusPackets {
		f.Add(opusPacket(f, tt.packet))
	}
	for _, tt := range badOpusPackets {
		f.Add(opusPacket(f, tt.packet))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		info, err := ParseOpus(packet)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("%x: %v", packet, err)
			}
			return
		}
		if info.Frames < 1 || info.Duration != time.Duration(info.Frames)*info.FrameDuration() ||
			info.Duration > maxOpusDuration || len(packet) > 3*maxOpusFrame*info.Frames && info.Code() != 3 {
			t.Fatalf("%x: %+v", packet, info)
		}
	})
}
