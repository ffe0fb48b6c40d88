package protocol

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"
)

// seeds gives a fuzz target every vector of a message, good or bad.
func seeds(f *testing.F, message string) {
	sections := loadVectors(f)
	n := 0
	for _, list := range []string{"messages", "malformed", "lenient", "differs", "hang"} {
		var vs []struct {
			Message string `json:"message"`
			Hex     string `json:"hex"`
		}
		if err := json.Unmarshal(sections[list], &vs); err != nil {
			f.Fatal(err)
		}
		for _, v := range vs {
			if v.Message != message {
				continue
			}
			b, err := hex.DecodeString(v.Hex)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
			n++
		}
	}
	if n == 0 {
		f.Fatalf("no vector of %s", message)
	}
}

// fuzzMessage fuzzes the parser and the Reader of one message; see codec.agree.
func fuzzMessage(f *testing.F, name string) {
	seeds(f, name)
	c := codecs[name]
	f.Fuzz(func(t *testing.T, b []byte) { c.agree(t, b) })
}

func FuzzAnnounceRequest(f *testing.F) { fuzzMessage(f, "ANNOUNCE_REQUEST") }
func FuzzAnnounceOK(f *testing.F)      { fuzzMessage(f, "ANNOUNCE_OK") }
func FuzzAnnounce(f *testing.F)        { fuzzMessage(f, "ANNOUNCE_BROADCAST") }
func FuzzSubscribe(f *testing.F)       { fuzzMessage(f, "SUBSCRIBE") }
func FuzzSubscribeUpdate(f *testing.F) { fuzzMessage(f, "SUBSCRIBE_UPDATE") }
func FuzzTrackRequest(f *testing.F)    { fuzzMessage(f, "TRACK") }
func FuzzTrackInfo(f *testing.F)       { fuzzMessage(f, "TRACK_INFO") }
func FuzzFetch(f *testing.F)           { fuzzMessage(f, "FETCH") }
func FuzzProbe(f *testing.F)           { fuzzMessage(f, "PROBE") }
func FuzzGoaway(f *testing.F)          { fuzzMessage(f, "GOAWAY") }
func FuzzGroupHeader(f *testing.F)     { fuzzMessage(f, "GROUP") }

func FuzzSetup(f *testing.F) {
	for _, tt := range ownSetups {
		f.Add(unhex(f, tt.wire))
	}
	fuzzMessage(f, "SETUP")
}

func FuzzSubscribeResponse(f *testing.F) {
	for _, name := range []string{"SUBSCRIBE_START", "SUBSCRIBE_END", "SUBSCRIBE_DROP", "SUBSCRIBE_RESPONSE"} {
		seeds(f, name)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		codecs["SUBSCRIBE_RESPONSE"].agree(t, b)

		m, n, err := ParseSubscribeResponse(b, Lite04)
		read, readErr := dripping(b).SubscribeResponse(Lite04)
		if (err == nil) != (readErr == nil) || m != read {
			t.Fatalf("%x: parsed %+v, %v, read %+v, %v", b, m, err, read, readErr)
		}
		if err != nil {
			return
		}
		wire := m.Append(nil)
		if drop, ok := m.(SubscribeDrop); ok {
			wire = drop.Append04(nil)
		}
		if again, _, err := ParseSubscribeResponse(wire, Lite04); err != nil || again != m || len(wire) > n {
			t.Fatalf("%x: %+v comes back as %+v, %v", b, m, again, err)
		}
	})
}

// FuzzFrames reads a group; what was read must be read again from what is
// written of it.
func FuzzFrames(f *testing.F) {
	seeds(f, "FRAMES")
	f.Add(Frame{Timestamp: maxTimestamp}.Append(Frame{}.Append(nil, maxTimestamp, Lite05), 0, Lite05))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range []Version{Lite05, Lite04} {
			frames, err := readFrames(b, v)
			if err != nil && !isDecodeError(err) {
				t.Fatalf("%x: %v", b, err)
			}
			var wire []byte
			var prev uint64
			for _, frame := range frames {
				wire = frame.Append(wire, prev, v)
				prev = frame.Timestamp
			}
			again, err := readFrames(wire, v)
			if err != nil || !sameFrames(frames, again) || len(wire) > len(b) {
				t.Fatalf("%x: %+v comes back as %+v, %v", b, frames, again, err)
			}
		}
	})
}

func FuzzDatagram(f *testing.F) {
	seeds(f, "DATAGRAM")
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseDatagram(b)
		if err != nil {
			if !isDecodeError(err) {
				t.Fatalf("%x: %v", b, err)
			}
			return
		}
		wire := d.Append(nil)
		if again, err := ParseDatagram(wire); err != nil || !sameDatagram(d, again) || len(wire) > len(b) {
			t.Fatalf("%x: %+v comes back as %+v, %v", b, d, again, err)
		}
		// A relay turns it into a group stream for those who read none.
		frame := Frame{Timestamp: d.Timestamp, Payload: d.Payload}
		frames, err := readFrames(frame.Append(nil, 0, Lite05), Lite05)
		if err != nil || !sameFrames(frames, []Frame{frame}) {
			t.Fatalf("%x: %+v becomes %+v, %v", b, frame, frames, err)
		}
	})
}

func FuzzLegacy(f *testing.F) {
	seeds(f, "LEGACY_FRAME")
	f.Fuzz(func(t *testing.T, b []byte) { fuzzContainer(t, b, ParseLegacy, AppendLegacy) })
}

func FuzzLOC(f *testing.F) {
	seeds(f, "LOC_FRAME")
	f.Fuzz(func(t *testing.T, b []byte) { fuzzContainer(t, b, ParseLOC, AppendLOC) })
}

func fuzzContainer(
	t *testing.T, b []byte,
	parse func([]byte) (uint64, []byte, error),
	write func([]byte, uint64, []byte) []byte,
) {
	micros, opus, err := parse(b)
	if err != nil {
		if !isDecodeError(err) {
			t.Fatalf("%x: %v", b, err)
		}
		return
	}
	wire := write(nil, micros, opus)
	again, opus2, err := parse(wire)
	if err != nil || again != micros || !bytes.Equal(opus, opus2) {
		t.Fatalf("%x: %d, %x comes back as %d, %x, %v", b, micros, opus, again, opus2, err)
	}
}

func FuzzBundle(f *testing.F) {
	for _, tt := range bundles {
		f.Add(unhex(f, tt.wire))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, want := range []int{1, 3, 6} {
			packets, err := ParseBundle(b, want)
			if err != nil {
				if !isDecodeError(err) {
					t.Fatalf("%x: %v", b, err)
				}
				continue
			}
			wire := AppendBundle(nil, packets)
			again, err := ParseBundle(wire, want)
			if err != nil || !samePackets(packets, again) || len(wire) > len(b) {
				t.Fatalf("%x: %x comes back as %x, %v", b, packets, again, err)
			}
		}
	})
}

func FuzzCatalog(f *testing.F) {
	f.Add(Catalog{Audio: []Rendition{speech}}.JSON())
	f.Add([]byte(`{"audio":{"track":{"name":"a"},"config":{"codec":"opus","sampleRate":48000,"numberOfChannels":1}}}`))
	f.Add([]byte(`{"audio":{"renditions":null},"video":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCatalog(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("%q: %v", b, err)
			}
			return
		}
		if again, err := ParseCatalog(c.JSON()); err != nil || !sameCatalog(c, again) {
			t.Fatalf("%q: %+v comes back as %+v, %v", b, c, again, err)
		}
	})
}
