package qmux_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strconv"
	"testing"

	"github.com/stentor-audio/stentor/protocol/qmux"
)

// vectors are protocol/testdata/qmux.json: bytes that another implementation
// wrote, and what it makes of bytes that are wrong.
type vectors struct {
	Subprotocols []struct {
		ID, Offer string
		Expect    *string
	}
	Frames     []vector
	DecodeOnly []vector `json:"decode_only"`
	Records    []vector
	Malformed  []struct{ ID, Hex, Why string }
	Lenient    []vector
	CompatOld  []vector `json:"compat_old"`

	Conversations []struct {
		ID       string
		Messages []vector
	}
}

type vector struct {
	ID, Hex, Frame string
	Fields         fields
	Decoded        []decoded
}

type decoded struct {
	Frame  string
	Fields fields
}

type fields map[string]any

func (f fields) uint(t testing.TB, name string) uint64 {
	s, ok := f[name].(string)
	if !ok {
		return 0
	}
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (f fields) bool(name string) bool { b, _ := f[name].(bool); return b }

func (f fields) text(name string) string { s, _ := f[name].(string); return s }

func load(t testing.TB) vectors {
	t.Helper()
	b, err := os.ReadFile("../testdata/qmux.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// frame makes the frame that a vector names.
func frame(t testing.TB, name string, f fields) qmux.Frame {
	t.Helper()
	id, limit := f.uint(t, "stream_id"), f.uint(t, "limit")
	switch name {
	case "STREAM":
		return qmux.Stream{ID: id, Offset: f.uint(t, "offset"), FIN: f.bool("fin"), Data: unhex(t, f.text("payload"))}
	case "RESET_STREAM":
		_, at := f["reliable_size"]
		return qmux.ResetStream{ID: id, Code: f.uint(t, "code"), FinalSize: f.uint(t, "final_size"), At: at, ReliableSize: f.uint(t, "reliable_size")}
	case "STOP_SENDING":
		return qmux.StopSending{ID: id, Code: f.uint(t, "code")}
	case "MAX_DATA":
		return qmux.MaxData{Max: f.uint(t, "max")}
	case "MAX_STREAM_DATA":
		return qmux.MaxStreamData{ID: id, Max: f.uint(t, "max")}
	case "MAX_STREAMS_BIDI", "MAX_STREAMS_UNI":
		return qmux.MaxStreams{Uni: name == "MAX_STREAMS_UNI", Max: f.uint(t, "max")}
	case "DATA_BLOCKED":
		return qmux.Blocked{What: qmux.BlockedOnData, Limit: limit}
	case "STREAM_DATA_BLOCKED":
		return qmux.Blocked{What: qmux.BlockedOnStream, ID: id, Limit: limit}
	case "STREAMS_BLOCKED_BIDI":
		return qmux.Blocked{What: qmux.BlockedOnStreamsBidi, Limit: limit}
	case "STREAMS_BLOCKED_UNI":
		return qmux.Blocked{What: qmux.BlockedOnStreamsUni, Limit: limit}
	case "CONNECTION_CLOSE":
		return qmux.ConnectionClose{Code: f.uint(t, "code"), Reason: f.text("reason")}
	case "APPLICATION_CLOSE":
		return qmux.ApplicationClose{Code: f.uint(t, "code"), Reason: f.text("reason")}
	case "DATAGRAM":
		prefixed, says := f["length_prefixed"].(bool)
		return qmux.Datagram{Payload: unhex(t, f.text("payload")), Rest: says && !prefixed}
	case "PING_REQUEST":
		return qmux.Ping{Sequence: f.uint(t, "sequence")}
	case "PING_RESPONSE":
		return qmux.Pong{Sequence: f.uint(t, "sequence")}
	case "TRANSPORT_PARAMETERS":
		p, _ := f["params"].(map[string]any)
		return parameters(t, p)
	}
	t.Fatalf("unknown frame %s", name)
	return nil
}

func parameters(t testing.TB, p fields) qmux.Parameters {
	return qmux.Parameters{
		MaxIdleTimeout:          p.uint(t, "max_idle_timeout"),
		MaxData:                 p.uint(t, "initial_max_data"),
		MaxStreamDataBidiLocal:  p.uint(t, "initial_max_stream_data_bidi_local"),
		MaxStreamDataBidiRemote: p.uint(t, "initial_max_stream_data_bidi_remote"),
		MaxStreamDataUni:        p.uint(t, "initial_max_stream_data_uni"),
		MaxStreamsBidi:          p.uint(t, "initial_max_streams_bidi"),
		MaxStreamsUni:           p.uint(t, "initial_max_streams_uni"),
		MaxDatagram:             p.uint(t, "max_datagram_frame_size"),
		MaxRecord:               p.uint(t, "max_record_size"),
		ResetStreamAt:           p.bool("reset_stream_at"),
	}
}

// normal takes out of a frame what the vectors do not tell.
func normal(f qmux.Frame) qmux.Frame {
	switch f := f.(type) {
	case qmux.Stream:
		f.NoOffset = false
		f.Data = bytes.Clone(f.Data)
		if f.Data == nil {
			f.Data = []byte{}
		}
		return f
	case qmux.ConnectionClose:
		f.Type = 0
		return f
	case qmux.Datagram:
		f.Payload = append([]byte{}, f.Payload...)
		return f
	case qmux.Parameters:
		if f.MaxRecord == 0 {
			f.MaxRecord = qmux.MaxRecord // what a reader makes of none
		}
		return f
	}
	return f
}

// read takes a record apart.
func read(record []byte) (out []qmux.Frame, err error) {
	for {
		f, rest, err := qmux.Next(record)
		if err != nil || f == nil {
			return out, err
		}
		out, record = append(out, normal(f)), rest
	}
}

func TestFramesOfTheVectors(t *testing.T) {
	for _, v := range load(t).Frames {
		want := frame(t, v.Frame, v.Fields)
		if got := hex.EncodeToString(want.Append(nil)); got != v.Hex {
			t.Errorf("%s: written as %s, want %s", v.ID, got, v.Hex)
		}
		got, err := read(unhex(t, v.Hex))
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], normal(want)) {
			t.Errorf("%s: read as %+v, %v, want %+v", v.ID, got, err, want)
		}
		for n := 1; n < len(v.Hex)/2; n++ {
			if got, err := read(unhex(t, v.Hex)[:n]); !errors.Is(err, qmux.ErrMalformed) {
				t.Errorf("%s: %d bytes of it are read as %+v, %v", v.ID, n, got, err)
			}
		}
	}
}

func TestRecordsOfTheVectors(t *testing.T) {
	all := load(t)
	var list []vector
	list = append(append(append(list, all.DecodeOnly...), all.Records...), all.Lenient...)
	for _, c := range all.Conversations {
		for i, m := range c.Messages {
			m.ID = c.ID + "/" + strconv.Itoa(i)
			list = append(list, m)
		}
	}
	for _, v := range all.CompatOld {
		if v.Decoded != nil {
			list = append(list, v)
		}
	}
	for _, v := range list {
		var want []qmux.Frame
		for _, d := range v.Decoded {
			want = append(want, normal(frame(t, d.Frame, d.Fields)))
		}
		got, err := read(unhex(t, v.Hex))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read as %+v, %v, want %+v", v.ID, got, err, want)
		}
	}
}

func TestMalformedVectors(t *testing.T) {
	for _, v := range load(t).Malformed {
		if got, err := read(unhex(t, v.Hex)); !errors.Is(err, qmux.ErrMalformed) {
			t.Errorf("%s (%s): read as %+v, %v", v.ID, v.Why, got, err)
		}
	}
}

func TestGarbledApplicationCloseIsStillOne(t *testing.T) {
	f, _, err := qmux.Next(unhex(t, "1d000568"))
	if _, ok := f.(qmux.ApplicationClose); !ok || err == nil {
		t.Errorf("cut reason: %v, %v", f, err)
	}
	f, _, err = qmux.Next(unhex(t, "1d000003627965")) // with the frame type that 0.1.3 wrote
	if f != (qmux.ApplicationClose{}) || err != nil {
		t.Errorf("with a frame type: %v, %v", f, err)
	}
}

func TestSubprotocolsOfTheVectors(t *testing.T) {
	for _, v := range load(t).Subprotocols {
		app, version, ok := qmux.Select([]string{v.Offer}, []string{"moq-lite-05", "moq-lite-04"})
		switch {
		case ok != (v.Expect != nil):
			t.Errorf("%s: chose %v %q", v.ID, ok, app)
		case ok && version.Subprotocol(app) != *v.Expect:
			t.Errorf("%s: chose %s, want %s", v.ID, version.Subprotocol(app), *v.Expect)
		}
	}
}

func TestSelect(t *testing.T) {
	tests := []struct {
		name  string
		lines []string
		want  string
	}{
		{"several header lines", []string{"qmux-00.x, ", " ,qmux-01.moq-lite-05"}, "qmux-01.moq-lite-05"},
		{"the application counts before the version", []string{"qmux-02.moq-lite-04", "qmux-01.moq-lite-05"}, "qmux-01.moq-lite-05"},
		{"lite-04 where nothing else fits", []string{"qmux-02.moq-lite-04,qmux-01.moq-lite-04"}, "qmux-02.moq-lite-04"},
		{"qmux-00 is not spoken", []string{"qmux-00.moq-lite-05"}, ""},
		{"nothing", nil, ""},
	}
	for _, tt := range tests {
		app, v, ok := qmux.Select(tt.lines, []string{"moq-lite-05", "moq-lite-04"})
		got := ""
		if ok {
			got = v.Subprotocol(app)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if again, w, ok := qmux.ParseSubprotocol(got); tt.want != "" && (!ok || again != app || w != v) {
			t.Errorf("%s: %q is taken apart as %q, %v", tt.name, got, again, w)
		}
	}
	for _, bare := range []string{"", "qmux-02", "qmux-02.", "webtransport", "moq-lite-05", "qmux-00.moq-lite-05"} {
		if app, _, ok := qmux.ParseSubprotocol(bare); ok {
			t.Errorf("%q is taken apart as %q", bare, app)
		}
	}
	if got := qmux.Offer("moq-lite-05"); !reflect.DeepEqual(got, []string{"qmux-02.moq-lite-05", "qmux-01.moq-lite-05"}) {
		t.Errorf("offered %v", got)
	}
}
