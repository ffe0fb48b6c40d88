package protocol

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// errReset stands for what a stream fails with when its peer resets it.
var errReset = errors.New("reset")

// A stream's own error must come through wherever it strikes, so that a caller
// finds the reset code in it, and must never look like the end of the stream.
func TestReaderPassesOnTheErrorOfItsStream(t *testing.T) {
	wire := StreamSubscribe.Append(nil)
	wire = Subscribe{ID: 1, Broadcast: "room/ada", Track: TrackAudio}.Append(wire)
	for n := range len(wire) + 1 {
		r := NewReader(io.MultiReader(bytes.NewReader(wire[:n]), iotest.ErrReader(errReset)))
		_, err := r.StreamType()
		if err == nil {
			_, err = r.Subscribe()
		}
		if err == nil {
			_, err = r.SubscribeUpdate()
		}
		if !errors.Is(err, errReset) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("reset after %d bytes: %v", n, err)
		}
	}
}

// A body that does not fit the Reader's buffer goes another way.
func TestReaderAroundTheSizeOfItsBuffer(t *testing.T) {
	for size := readerBuffer - 8; size < readerBuffer+8; size++ {
		want := Goaway{URI: string(bytes.Repeat([]byte("u"), size))}
		wire := want.Append(want.Append(nil))
		for _, r := range []*Reader{NewReader(bytes.NewReader(wire)), dripping(wire)} {
			for range 2 {
				if got, err := r.Goaway(); err != nil || got != want {
					t.Fatalf("%d bytes: %v", size, err)
				}
			}
			if _, err := r.Goaway(); !isEOF(err) {
				t.Fatalf("%d bytes: %v at the end", size, err)
			}
		}
		for n := 1; n < len(wire)/2; n++ {
			if _, err := NewReader(bytes.NewReader(wire[:n])).Goaway(); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%d of %d bytes: %v", n, size, err)
			}
		}
	}
}

func TestStreamTypeMayBeUnknown(t *testing.T) {
	for _, want := range []StreamType{StreamTrack, 7, 0x20, MaxVarint} {
		if got, err := dripping(want.Append(nil)).StreamType(); got != want || err != nil {
			t.Errorf("got %d, %v, want %d", got, err, want)
		}
	}
	if _, err := dripping([]byte{0x80, 0}).StreamType(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut: %v", err)
	}
}

// The same bytes mean different things in the two versions.
func TestSubscribeResponsesByVersion(t *testing.T) {
	tests := []struct {
		wire string
		v    Version
		want SubscribeResponse // nil: malformed
	}{
		{"00 01 05", Lite05, SubscribeStart{5}},
		{"00 01 05", Lite04, nil},
		{"01 01 05", Lite05, SubscribeEnd{5}},
		{"01 01 05", Lite04, nil},
		{"01 03 050702", Lite05, nil},
		{"01 03 050702", Lite04, SubscribeDrop{5, 7, 2}},
		{"02 03 050702", Lite05, SubscribeDrop{5, 7, 2}},
		{"02 03 050702", Lite04, nil},
		{"00 05 5001000000", Lite05, nil},
		{"00 05 5001000600", Lite04, SubscribeOK04{Delivery{Priority: 80, Ordered: true, Start: Seq(5)}}},
	}
	for _, tt := range tests {
		wire := unhex(t, tt.wire)
		got, _, err := ParseSubscribeResponse(wire, tt.v)
		if got != tt.want || (err == nil) != (tt.want != nil) || err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s in %s: %+v, %v, want %+v", tt.wire, tt.v.ALPN(), got, err, tt.want)
		}
	}
}

func TestVersionNames(t *testing.T) {
	for alpn, want := range map[string]Version{"moq-lite-05": Lite05, "moq-lite-04": Lite04} {
		if got, ok := ParseVersion(alpn); !ok || got != want || got.ALPN() != alpn {
			t.Errorf("%s: %d, %v", alpn, got, ok)
		}
	}
	for _, alpn := range []string{"", "moq-lite-03", "moq-lite-06-wip", "h3", "moq-lite-05 "} {
		if got, ok := ParseVersion(alpn); ok {
			t.Errorf("%q: %d", alpn, got)
		}
	}
	if got := Version(0).ALPN(); got != "" {
		t.Errorf("version 0 is called %q", got)
	}
}
