package protocol

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func TestTrackNames(t *testing.T) {
	tests := []struct {
		name   string
		audio  bool
		bundle int
	}{
		{TrackAudio, true, 1},
		{Track60, true, 3},
		{Track120, true, 6},
		{"audio/hd", true, 0},
		{"audio", false, 0},
		{"Audio/data", false, 0},
		{"video/hd", false, 0},
		{TrackCatalog, false, 0},
		{"", false, 0},
	}
	for _, tt := range tests {
		if got := IsAudioTrack(tt.name); got != tt.audio {
			t.Errorf("IsAudioTrack(%q) = %v", tt.name, got)
		}
		if got := BundleSize(tt.name); got != tt.bundle {
			t.Errorf("BundleSize(%q) = %d, want %d", tt.name, got, tt.bundle)
		}
	}
}

func TestContainersRefuse(t *testing.T) {
	legacy := func(b []byte) error { _, _, err := ParseLegacy(b); return err }
	loc := func(b []byte) error { _, _, err := ParseLOC(b); return err }
	bundle := func(b []byte) error { _, err := ParseBundle(b, 3); return err }
	tests := []struct {
		name  string
		parse func([]byte) error
		wire  string
		want  error
	}{
		{"legacy: nothing", legacy, "", ErrShort},
		{"legacy: timestamp cut", legacy, "80004e", ErrShort},
		{"legacy: timestamp 2^62-1", legacy, "ffffffffffffffff", ErrMalformed},

		{"loc: nothing", loc, "", ErrShort},
		{"loc: properties cut", loc, "05 10 8000", ErrShort},
		{"loc: no properties", loc, "00 f8", ErrMalformed},
		{"loc: no timestamp", loc, "02 08 01 f8", ErrMalformed},
		{"loc: timestamp runs past the properties", loc, "02 10 80 004e20 f8", ErrMalformed},
		{"loc: property without value", loc, "01 10 f8", ErrMalformed},
		{"loc: bytes run past the properties", loc, "05 10 00 01 05 aa", ErrMalformed},
		{"loc: timescale 0", loc, "04 08 00 08 01 f8", ErrMalformed},
		{"loc: more microseconds than 62 bits", loc, "0b 08 01 08 ffffffffffffffff f8", ErrMalformed},
		{"loc: more microseconds than 61 bits", loc, "09 10 e000000000000000 f8", ErrMalformed},
		{"loc: id out of range", loc, "0b 10 00 fffffffffffffffe 00 f8", ErrMalformed},

		{"bundle: nothing", bundle, "", ErrShort},
		{"bundle: two of three", bundle, "01 f8 01 f8", ErrShort},
		{"bundle: length cut", bundle, "00 00 40", ErrShort},
		{"bundle: packet cut", bundle, "00 00 02 f8", ErrShort},
		{"bundle: absurd length", bundle, "00 00 ffffffffffffffff f8", ErrShort},
		{"bundle: four", bundle, "00 00 00 00", ErrMalformed},
		{"bundle: a byte too many", bundle, "01 f8 01 f8 01 f8 f8", ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.parse(unhex(t, tt.wire)); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestLOCTimescales(t *testing.T) {
	for _, tt := range []struct {
		name string
		wire string
		want uint64
	}{
		{"thirds of a second round down", "04 08 03 08 02 f8", 666666},
		{"milliseconds", "05 08 43e8 08 14 f8", 20000},
		{"timescale after the old timestamp", "04 06 01 02 01 f8", 1000000},
		{"the newer timestamp counts", "04 06 05 0a 07 f8", 7},
		{"a product above 64 bits", "12 08 e000000000000000 08 e000000000000000 f8", 1000000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, opus, err := ParseLOC(unhex(t, tt.wire))
			if err != nil || got != tt.want || !bytes.Equal(opus, []byte{0xf8}) {
				t.Errorf("got %d, %x, %v, want %d", got, opus, err, tt.want)
			}
		})
	}
}

var bundles = []struct {
	name    string
	wire    string
	packets [][]byte
}{
	{"whole", "02 f801 01 f8 03 f80203", [][]byte{{0xf8, 1}, {0xf8}, {0xf8, 2, 3}}},
	{"hole at the start", "00 01 f8 01 f8", [][]byte{nil, {0xf8}, {0xf8}}},
	{"hole at the end", "01 f8 01 f8 00", [][]byte{{0xf8}, {0xf8}, nil}},
	{"nothing came", "00 00 00", [][]byte{nil, nil, nil}},
	{"six", "01 01 00 01 03 01 04 01 05 01 06", [][]byte{{1}, nil, {3}, {4}, {5}, {6}}},
	{"length of two bytes", "4040" + string(bytes.Repeat([]byte("78"), 64)), [][]byte{bytes.Repeat([]byte{0x78}, 64)}},
}

func TestBundle(t *testing.T) {
	for _, tt := range bundles {
		t.Run(tt.name, func(t *testing.T) {
			wire := unhex(t, tt.wire)
			if got := AppendBundle(nil, tt.packets); !bytes.Equal(got, wire) {
				t.Errorf("written as %x, want %x", got, wire)
			}
			got, err := ParseBundle(wire, len(tt.packets))
			if err != nil || !samePackets(got, tt.packets) {
				t.Errorf("got %x, %v, want %x", got, err, tt.packets)
			}
			for n := range wire {
				if _, err := ParseBundle(wire[:n], len(tt.packets)); !errors.Is(err, ErrShort) {
					t.Errorf("%d bytes: %v, want ErrShort", n, err)
				}
			}
		})
	}
}

// samePackets is stricter than bytes.Equal: a packet that never came is nil.
func samePackets(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) || (a[i] == nil) != (b[i] == nil) {
			return false
		}
	}
	return true
}

func TestBundleGivesBackWhatWasPutIn(t *testing.T) {
	packet := rapid.Custom(func(t *rapid.T) []byte {
		if b := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "packet"); len(b) > 0 {
			return b
		}
		return nil
	})
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(packet, 0, 6).Draw(t, "packets")
		got, err := ParseBundle(AppendBundle(nil, want), len(want))
		if err != nil || !samePackets(got, want) {
			t.Fatalf("got %x, %v, want %x", got, err, want)
		}
	})
}
