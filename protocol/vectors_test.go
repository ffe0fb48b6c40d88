package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"reflect"
	"slices"
	"testing"
)

const vectorsFile = "testdata/moq-lite-05.json"

// A vector is one entry of the lists about messages.
type vector struct {
	ID      string          `json:"id"`
	Message string          `json:"message"`
	Fields  json.RawMessage `json:"fields"`
	Hex     hexBytes        `json:"hex"`
	Why     string          `json:"why"`
	Note    string          `json:"note"`

	// In "malformed" and "differs".
	Expect string `json:"expect"`
	JS     string `json:"js"`
	Rust   string `json:"rust"`
	Advice string `json:"advice"`

	// In "hang".
	JSON []string `json:"json"`
}

func loadVectors(t testing.TB) map[string]json.RawMessage {
	t.Helper()
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var sections map[string]json.RawMessage
	if err := json.Unmarshal(b, &sections); err != nil {
		t.Fatal(err)
	}
	return sections
}

// TestVectors runs every list of the vectors. A list that nobody here knows
// fails, so nothing is passed over.
func TestVectors(t *testing.T) {
	lists := map[string]func(*testing.T, json.RawMessage){
		"varint":            testVarints,
		"varint_nonminimal": testLongVarints,
		"zigzag":            testZigzag,
		"messages":          testMessages,
		"streams":           testStreams,
		"conversations":     testConversations,
		"malformed":         testMalformed,
		"lenient":           testLenient,
		"differs":           testDiffers,
		"hang":              testHang,
		"compat_lite04":     testLite04,
	}
	elsewhere := []string{"tokens", "token_scopes"} // package token
	head := map[string]string{"format": "moq-lite-vectors/1", "version": Lite05.ALPN(), "source": ""}

	sections := loadVectors(t)
	for name, raw := range sections {
		if want, ok := head[name]; ok {
			var got string
			if err := json.Unmarshal(raw, &got); err != nil || want != "" && got != want {
				t.Errorf("%s is %q, %v, want %q", name, got, err, want)
			}
		} else if run, ok := lists[name]; ok {
			t.Run(name, func(t *testing.T) { run(t, raw) })
		} else if !slices.Contains(elsewhere, name) {
			t.Errorf("nothing tests the section %q", name)
		}
	}
	for name := range lists {
		if _, ok := sections[name]; !ok {
			t.Errorf("no section %q", name)
		}
	}
}

// load decodes a list and fails if it is empty or says something that V has no
// place for.
func load[V any](t *testing.T, raw json.RawMessage) []V {
	t.Helper()
	var vs []V
	if err := strictJSON(raw, &vs); err != nil {
		t.Fatal(err)
	}
	if len(vs) == 0 {
		t.Fatal("the list is empty")
	}
	return vs
}

func testVarints(t *testing.T, raw json.RawMessage) {
	for _, v := range load[struct {
		Value num      `json:"value"`
		Hex   hexBytes `json:"hex"`
	}](t, raw) {
		if got := appendVarint(nil, uint64(v.Value)); !bytes.Equal(got, v.Hex) {
			t.Errorf("%d is written as %x, want %x", v.Value, got, []byte(v.Hex))
		}
		checkVarint(t, v.Hex, uint64(v.Value))
	}
}

func testLongVarints(t *testing.T, raw json.RawMessage) {
	for _, v := range load[struct {
		Value num      `json:"value"`
		Hex   hexBytes `json:"hex"`
	}](t, raw) {
		checkVarint(t, v.Hex, uint64(v.Value))
	}
}

func checkVarint(t *testing.T, b []byte, want uint64) {
	t.Helper()
	c := cursor{rest: b, short: ErrShort}
	if got := c.varint(); got != want || c.end() != nil {
		t.Errorf("%x parses as %d, %v, want %d", b, got, c.err, want)
	}
	if got, err := dripping(b).first(); got != want || err != nil {
		t.Errorf("%x reads as %d, %v, want %d", b, got, err, want)
	}
}

func testZigzag(t *testing.T, raw json.RawMessage) {
	for _, v := range load[struct {
		Delta    json.Number `json:"delta"`
		Unsigned num         `json:"unsigned"`
		Hex      hexBytes    `json:"hex"`
	}](t, raw) {
		delta, err := v.Delta.Int64()
		if err != nil {
			t.Fatal(err)
		}
		if got := appendVarint(nil, zigzag(delta)); !bytes.Equal(got, v.Hex) {
			t.Errorf("%d is written as %x, want %x", delta, got, []byte(v.Hex))
		}
		if got := unzigzag(uint64(v.Unsigned)); got != delta {
			t.Errorf("%d means %d, want %d", v.Unsigned, got, delta)
		}
	}
}

// writtenShorter are messages whose fields we write in fewer bytes.
var writtenShorter = map[string]string{
	"SETUP/5": "0100", // an empty path is not sent at all
}

func testMessages(t *testing.T, raw json.RawMessage) {
	seen := map[string]bool{}
	for _, v := range load[vector](t, raw) {
		seen[v.Message] = true
		t.Run(v.ID, func(t *testing.T) {
			if v.Message == "DATAGRAM" {
				testDatagram(t, v)
				return
			}
			c, ok := codecs[v.Message]
			if !ok {
				t.Fatalf("nothing reads %s", v.Message)
			}
			want := fieldsOf(t, c, v)
			c.decodes(t, v.Hex, want)
			wire := []byte(v.Hex)
			if shorter, ok := writtenShorter[v.ID]; ok {
				wire = unhex(t, shorter)
			}
			if got := want.Append(nil); !bytes.Equal(got, wire) {
				t.Errorf("written as %x, want %x", got, wire)
			}
			if got := want.Append([]byte("before")); !bytes.Equal(got, append([]byte("before"), wire...)) {
				t.Errorf("written behind others as %x", got)
			}
		})
	}
	for name := range codecs {
		if name != "SUBSCRIBE_RESPONSE" && !seen[name] {
			t.Errorf("no vector for %s", name)
		}
	}
}

func fieldsOf(t *testing.T, c codec, v vector) message {
	t.Helper()
	want, err := c.value(v.Fields)
	if err != nil {
		t.Fatal(err)
	}
	return want
}

func testDatagram(t *testing.T, v vector) {
	var fields datagramFields
	if err := strictJSON(v.Fields, &fields); err != nil {
		t.Fatal(err)
	}
	want := fields.value()
	got, err := ParseDatagram(v.Hex)
	if err != nil || !sameDatagram(got, want) {
		t.Fatalf("got %+v, %v, want %+v", got, err, want)
	}
	if wire := want.Append(nil); !bytes.Equal(wire, v.Hex) {
		t.Errorf("written as %x, want %x", wire, []byte(v.Hex))
	}
	for n := range len(v.Hex) - len(want.Payload) {
		if _, err := ParseDatagram(v.Hex[:n]); !errors.Is(err, ErrShort) {
			t.Errorf("%x: %v, want ErrShort", []byte(v.Hex[:n]), err)
		}
	}
}

func sameDatagram(a, b Datagram) bool {
	same := bytes.Equal(a.Payload, b.Payload)
	a.Payload, b.Payload = nil, nil
	return same && reflect.DeepEqual(a, b)
}

// A step is one thing that the end of a stream sends.
type step struct {
	Message string          `json:"message"`
	Value   num             `json:"value"`
	Fields  json.RawMessage `json:"fields"`
}

func testStreams(t *testing.T, raw json.RawMessage) {
	for _, v := range load[struct {
		ID        string   `json:"id"`
		Kind      string   `json:"kind"`
		Opener    string   `json:"opener"`
		Hex       hexBytes `json:"hex"`
		FIN       bool     `json:"fin"`
		Decoded   []step   `json:"decoded"`
		Timescale num      `json:"timescale"`
		Note      string   `json:"note"`
	}](t, raw) {
		t.Run(v.ID, func(t *testing.T) {
			if got := testSteps(t, v.Hex, v.Decoded); !bytes.Equal(got, v.Hex) {
				t.Errorf("written as %x, want %x", got, []byte(v.Hex))
			}
		})
	}
}

// longHopID are conversations in which the relay writes its hop id, 7777, in
// four bytes instead of two.
var longHopID = map[string]bool{
	"conversation/announce-from-publisher": true,
	"conversation/announce-from-viewer":    true,
}

func testConversations(t *testing.T, raw json.RawMessage) {
	for _, v := range load[struct {
		ID              string   `json:"id"`
		Kind            string   `json:"kind"`
		Opener          string   `json:"opener"`
		Note            string   `json:"note"`
		Timescale       num      `json:"timescale"`
		OpenerHex       hexBytes `json:"opener_hex"`
		AcceptorHex     hexBytes `json:"acceptor_hex"`
		OpenerDecoded   []step   `json:"opener_decoded"`
		AcceptorDecoded []step   `json:"acceptor_decoded"`
	}](t, raw) {
		t.Run(v.ID, func(t *testing.T) {
			opener := testSteps(t, v.OpenerHex, v.OpenerDecoded)
			acceptor := testSteps(t, v.AcceptorHex, v.AcceptorDecoded)
			if longHopID[v.ID] {
				return
			}
			if !bytes.Equal(opener, v.OpenerHex) || !bytes.Equal(acceptor, v.AcceptorHex) {
				t.Errorf("written as %x and %x, want %x and %x",
					opener, acceptor, []byte(v.OpenerHex), []byte(v.AcceptorHex))
			}
		})
	}
}

// testSteps checks that a stream holds exactly steps, and returns how we write
// them.
func testSteps(t *testing.T, stream []byte, steps []step) (wire []byte) {
	t.Helper()
	r := dripping(stream)
	var readTime, writeTime uint64
	for _, s := range steps {
		switch s.Message {
		case "STREAM_TYPE":
			if got, err := r.StreamType(); err != nil || got != StreamType(s.Value) {
				t.Fatalf("stream type %d, %v, want %d", got, err, s.Value)
			}
			wire = StreamType(s.Value).Append(wire)
		case "FRAME":
			var fields frameFields
			if err := strictJSON(s.Fields, &fields); err != nil {
				t.Fatal(err)
			}
			want := fields.value()
			got, err := r.Frame(readTime, Lite05)
			if err != nil || got.Timestamp != want.Timestamp || !bytes.Equal(got.Payload, want.Payload) {
				t.Fatalf("got %+v, %v, want %+v", got, err, want)
			}
			wire = want.Append(wire, writeTime, Lite05)
			readTime, writeTime = got.Timestamp, want.Timestamp
		default:
			c, ok := codecs[s.Message]
			if !ok {
				t.Fatalf("nothing reads %s", s.Message)
			}
			want := fieldsOf(t, c, vector{Fields: s.Fields})
			if got, err := c.read(r); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("got %+v, %v, want %+v", got, err, want)
			}
			wire = want.Append(wire)
		}
	}
	if _, err := r.StreamType(); !isEOF(err) {
		t.Errorf("after the last message: %v, want EOF", err)
	}
	return wire
}

func testMalformed(t *testing.T, raw json.RawMessage) {
	for _, v := range load[vector](t, raw) {
		t.Run(v.ID, func(t *testing.T) {
			if v.Expect != "error" {
				t.Fatalf("expects %q", v.Expect)
			}
			if err := decodeAlone(t, v.Message, v.Hex); !isDecodeError(err) {
				t.Errorf("%s: got %v", v.Why, err)
			}
			if c, ok := codecs[v.Message]; ok {
				c.agree(t, v.Hex)
			}
		})
	}
}

// decodeAlone decodes b as the whole of what a message, datagram, group or
// varint is and returns the error, if any.
func decodeAlone(t *testing.T, message string, b []byte) error {
	t.Helper()
	switch message {
	case "VARINT":
		c := cursor{rest: b, short: ErrShort}
		c.varint()
		return c.end()
	case "FRAMES":
		_, err := readFrames(b, Lite05)
		return err
	case "DATAGRAM":
		_, err := ParseDatagram(b)
		return err
	}
	c, ok := codecs[message]
	if !ok {
		t.Fatalf("nothing reads %s", message)
	}
	_, n, err := c.parse(b)
	if err == nil && n != len(b) {
		t.Fatalf("%d of %d bytes taken", n, len(b))
	}
	return err
}

func isDecodeError(err error) bool {
	return errors.Is(err, ErrShort) || errors.Is(err, ErrMalformed) || errors.Is(err, io.ErrUnexpectedEOF)
}

// readFrames reads frames up to the end of a group.
func readFrames(b []byte, v Version) ([]Frame, error) {
	r := dripping(b)
	var frames []Frame
	var prev uint64
	for {
		f, err := r.Frame(prev, v)
		if isEOF(err) {
			return frames, nil
		}
		if err != nil {
			return frames, err
		}
		frames, prev = append(frames, f), f.Timestamp
	}
}

func testLenient(t *testing.T, raw json.RawMessage) {
	for _, v := range load[vector](t, raw) {
		t.Run(v.ID, func(t *testing.T) {
			c, ok := codecs[v.Message]
			if !ok {
				t.Fatalf("nothing reads %s", v.Message)
			}
			c.decodes(t, v.Hex, fieldsOf(t, c, v))
		})
	}
}

// testDiffers pins what we do where others disagree (docs/wire.md, section 17).
func testDiffers(t *testing.T, raw json.RawMessage) {
	accept := map[string]bool{
		"differs/SUBSCRIBE/1":   false,
		"differs/TRACK_INFO/1":  false,
		"differs/GROUP/1":       true,
		"differs/TRACK_INFO/2":  true,
		"differs/SUBSCRIBE/2":   true,
		"differs/SUBSCRIBE/3":   true,
		"differs/ANNOUNCE_OK/1": true,
		"differs/DATAGRAM/1":    true,
		"differs/FRAMES/1":      false,
		"differs/SETUP/1":       true,
		"differs/ANNOUNCE_OK/2": true,
		"differs/DATAGRAM/2":    true,
	}
	for _, v := range load[vector](t, raw) {
		t.Run(v.ID, func(t *testing.T) {
			want, ok := accept[v.ID]
			if !ok {
				t.Fatal("undecided")
			}
			if err := decodeAlone(t, v.Message, v.Hex); (err == nil) != want {
				t.Errorf("%s: %v, want accepted: %v", v.Why, err, want)
			}
		})
	}
}

func testLite04(t *testing.T, raw json.RawMessage) {
	older := map[string]codec{
		"ANNOUNCE_INTEREST": codecs["ANNOUNCE_REQUEST"],
		"ANNOUNCE":          codecs["ANNOUNCE_BROADCAST"],
		"SUBSCRIBE":         codecs["SUBSCRIBE"],
		"SUBSCRIBE_OK":      responseCodec(Lite04, func(f updateFields) message { return SubscribeOK04{f.delivery()} }),
		"SUBSCRIBE_DROP":    responseCodec(Lite04, dropFields.value),
	}
	for _, v := range load[vector](t, raw) {
		t.Run(v.ID, func(t *testing.T) {
			c, ok := older[v.Message]
			if !ok {
				t.Fatalf("nothing reads %s", v.Message)
			}
			want := fieldsOf(t, c, v)
			c.decodes(t, v.Hex, want)
			got := want.Append(nil)
			if drop, ok := want.(SubscribeDrop); ok {
				got = drop.Append04(nil)
			}
			if !bytes.Equal(got, v.Hex) {
				t.Errorf("written as %x, want %x", got, []byte(v.Hex))
			}
		})
	}
}
