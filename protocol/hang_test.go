package protocol

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"io"
	"testing"
)

// decodedOnly are containers that we read and would write otherwise.
var decodedOnly = map[string]bool{
	"hang/LOC_FRAME/4": true, // a timescale of its own
	"hang/LOC_FRAME/5": true, // the old id of the timestamp
	"hang/LOC_FRAME/6": true, // a property that means nothing to us
}

func testHang(t *testing.T, raw json.RawMessage) {
	for _, v := range load[vector](t, raw) {
		t.Run(v.ID, func(t *testing.T) {
			switch v.Message {
			case "LEGACY_FRAME":
				testContainer(t, v, ParseLegacy, AppendLegacy)
			case "LOC_FRAME":
				testContainer(t, v, ParseLOC, AppendLOC)
			case "CATALOG":
				testCatalogGroup(t, v)
			default:
				t.Fatalf("nothing reads %s", v.Message)
			}
		})
	}
}

func testContainer(
	t *testing.T, v vector,
	parse func([]byte) (uint64, []byte, error),
	write func([]byte, uint64, []byte) []byte,
) {
	var want struct {
		Timestamp num      `json:"timestamp_us"`
		Payload   hexBytes `json:"payload"`
	}
	if err := strictJSON(v.Fields, &want); err != nil {
		t.Fatal(err)
	}
	micros, opus, err := parse(v.Hex)
	if err != nil || micros != uint64(want.Timestamp) || !bytes.Equal(opus, want.Payload) {
		t.Fatalf("got %d, %x, %v, want %+v", micros, opus, err, want)
	}
	if got := write(nil, micros, opus); !bytes.Equal(got, v.Hex) && !decodedOnly[v.ID] {
		t.Errorf("written as %x, want %x", got, []byte(v.Hex))
	}
}

// testCatalogGroup plays a group of a catalog track: inflate it if it is
// compressed, apply the patches after the first frame, and read the document.
func testCatalogGroup(t *testing.T, v vector) {
	var fields struct {
		Frames      []hexBytes `json:"frames"`
		Compression bool       `json:"compression"`
	}
	if err := strictJSON(v.Fields, &fields); err != nil {
		t.Fatal(err)
	}
	frames := fields.Frames
	if fields.Compression {
		frames = inflate(t, frames)
	}
	if len(frames) != len(v.JSON) {
		t.Fatalf("%d frames, %d documents", len(frames), len(v.JSON))
	}
	bitrates := []uint32{32000, 64000}
	var state any
	for i, frame := range frames {
		var patch any
		if err := json.Unmarshal(frame, &patch); err != nil {
			t.Fatal(err)
		}
		state = mergePatch(state, patch)
		document, err := json.Marshal(state)
		if err != nil {
			t.Fatal(err)
		}
		want := Catalog{Audio: []Rendition{speech}}
		want.Audio[0].Bitrate = bitrates[i]
		got, err := ParseCatalog(document)
		if err != nil || !sameCatalog(got, want) {
			t.Errorf("frame %d: %+v, %v, want %+v", i, got, err, want)
		}
		if written := got.JSON(); string(written) != v.JSON[i] {
			t.Errorf("frame %d is written as\n%s, want\n%s", i, written, v.JSON[i])
		}
	}
}

// inflate undoes the compression of a group: one DEFLATE stream, each frame up
// to a sync flush whose last four bytes were left out.
func inflate(t *testing.T, frames []hexBytes) []hexBytes {
	t.Helper()
	var stream []byte
	before := 0
	out := make([]hexBytes, len(frames))
	for i, frame := range frames {
		stream = append(append(stream, frame...), 0, 0, 0xff, 0xff)
		b, err := io.ReadAll(flate.NewReader(bytes.NewReader(stream)))
		if !errors.Is(err, io.ErrUnexpectedEOF) { // the stream goes on
			t.Fatalf("frame %d: %v", i, err)
		}
		out[i], before = b[before:], len(b)
	}
	return out
}

// mergePatch is RFC 7396 §2.
func mergePatch(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	for name, value := range changes {
		if value == nil {
			delete(object, name)
		} else {
			object[name] = mergePatch(object[name], value)
		}
	}
	return object
}
