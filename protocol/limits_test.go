package protocol

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/quic-go/quic-go/quicvarint"
)

// Every limit of docs/wire.md, section 15, just kept and just broken.

func TestMessageLimit(t *testing.T) {
	// The URI's own length takes four bytes of the body.
	m := Goaway{URI: strings.Repeat("u", MaxMessage-4)}
	codec := codecs["GOAWAY"]
	wire := m.Append(nil)
	if got, n, err := codec.parse(wire); err != nil || n != len(wire) || got != m {
		t.Errorf("a body of %d bytes: %d taken, %v", MaxMessage, n, err)
	}
	if got, err := codec.read(dripping(wire)); err != nil || got != m {
		t.Errorf("a body of %d bytes: %v", MaxMessage, err)
	}

	// The length alone is enough to refuse.
	for _, length := range []uint64{MaxMessage + 1, MaxVarint} {
		claim := appendVarint(nil, length)
		for name, codec := range codecs {
			b := claim
			if strings.HasPrefix(name, "SUBSCRIBE_") && name != "SUBSCRIBE_UPDATE" {
				b = append([]byte{typeStart}, claim...)
			}
			if _, _, err := codec.parse(b); !errors.Is(err, ErrTooLong) {
				t.Errorf("%s: parse of a body of %d bytes: %v, want ErrTooLong", name, length, err)
			}
			if _, err := codec.read(dripping(b)); !errors.Is(err, ErrTooLong) {
				t.Errorf("%s: read of a body of %d bytes: %v, want ErrTooLong", name, length, err)
			}
		}
	}
}

func TestFrameLimit(t *testing.T) {
	for _, v := range []Version{Lite05, Lite04} {
		f := Frame{Payload: make([]byte, MaxFrame)}
		f.Payload[MaxFrame-1] = 1
		wire := f.Append(nil, 0, v)
		got, err := NewReader(bytes.NewReader(wire)).Frame(0, v)
		if err != nil || !bytes.Equal(got.Payload, f.Payload) {
			t.Errorf("%s: a frame of %d bytes: %v", v.ALPN(), MaxFrame, err)
		}

		head := Frame{}.Append(nil, 0, v)
		head = head[:len(head)-1] // all but the size
		for _, size := range []uint64{MaxFrame + 1, MaxVarint} {
			_, err := dripping(appendVarint(head, size)).Frame(0, v)
			if !errors.Is(err, ErrTooLong) {
				t.Errorf("%s: a frame of %d bytes: %v, want ErrTooLong", v.ALPN(), size, err)
			}
		}
	}
}

// The length before a body takes 1, 2 or 4 bytes and is only known in the end.
func TestEveryLengthOfLength(t *testing.T) {
	for _, body := range []int{0, 1, 62, 63, 64, 65, 16382, 16383, 16384, 16385, MaxMessage} {
		want := bytes.Repeat([]byte{0xaa}, body)
		b, start := openBody([]byte("before"))
		got := closeBody(append(b, want...), start)
		if !bytes.Equal(got, append(appendVarint([]byte("before"), uint64(body)), want...)) {
			t.Errorf("a body of %d bytes starts with %x", body, got[:min(len(got), 12)])
		}
	}
}

// A wishful stream promises much and remembers how much the Reader believed.
type wishful struct {
	left    io.Reader
	largest int
}

// Read implements [io.Reader].
func (w *wishful) Read(b []byte) (int, error) {
	w.largest = max(w.largest, len(b))
	return w.left.Read(b)
}

// Memory for a payload has to be earned by bytes that came.
func TestClaimedSizesAreNotBelieved(t *testing.T) {
	frame := appendVarint([]byte{0}, MaxFrame)
	message := appendVarint(nil, MaxMessage)
	tests := []struct {
		name string
		sent []byte
		read func(*Reader) error
	}{
		{"frame", frame, func(r *Reader) error { _, err := r.Frame(0, Lite05); return err }},
		{"message", message, func(r *Reader) error { _, err := r.Goaway(); return err }},
	}
	for _, tt := range tests {
		for _, came := range []int{0, firstBytes, 3 * firstBytes} {
			w := &wishful{left: bytes.NewReader(append(tt.sent[:len(tt.sent):len(tt.sent)], make([]byte, came)...))}
			if err := tt.read(NewReader(w)); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s, %d bytes came: %v", tt.name, came, err)
			}
			if limit := max(firstBytes, 4*came); w.largest > limit {
				t.Errorf("%s, %d bytes came: room for %d asked at once, want at most %d", tt.name, came, w.largest, limit)
			}
		}
	}
}

func TestHopLimit(t *testing.T) {
	m := Announce{Status: AnnounceActive, Suffix: "a", Hops: make([]uint64, MaxHops)}
	codecs["ANNOUNCE_BROADCAST"].decodes(t, m.Append(nil), m)
	m.Hops = append(m.Hops, 0)
	for _, wire := range [][]byte{
		m.Append(nil),
		unhex(t, "0c 01 0161 ffffffffffffffff 00"),
	} {
		if _, _, err := ParseAnnounce(wire); !errors.Is(err, ErrTooManyHops) {
			t.Errorf("%x: %v, want ErrTooManyHops", wire, err)
		}
	}
}

func TestSegmentLimit(t *testing.T) {
	fits := Path(strings.Repeat("/s", MaxSegments)[1:])
	m := AnnounceRequest{Prefix: fits}
	codecs["ANNOUNCE_REQUEST"].decodes(t, m.Append(nil), m)

	// In every message that has a path.
	long := fits + "/s"
	for name, m := range map[string]message{
		"ANNOUNCE_REQUEST":   AnnounceRequest{Prefix: long},
		"ANNOUNCE_BROADCAST": Announce{Suffix: long},
		"SUBSCRIBE":          Subscribe{Broadcast: long},
		"TRACK":              TrackRequest{Broadcast: long},
		"FETCH":              Fetch{Broadcast: long},
	} {
		if _, _, err := codecs[name].parse(m.Append(nil)); !errors.Is(err, ErrTooManySegments) {
			t.Errorf("%s: %v, want ErrTooManySegments", name, err)
		}
	}
}

func TestParameterLimit(t *testing.T) {
	setup := func(n int) []byte {
		b, start := openBody(nil)
		b = appendVarint(b, uint64(n))
		for i := range n {
			b = appendSized(appendVarint(b, uint64(100+i)), nil)
		}
		return closeBody(b, start)
	}
	if _, _, err := ParseSetup(setup(MaxParameters)); err != nil {
		t.Errorf("%d parameters: %v", MaxParameters, err)
	}
	if _, _, err := ParseSetup(setup(MaxParameters + 1)); !errors.Is(err, ErrTooManyParameters) {
		t.Errorf("%d parameters: %v, want ErrTooManyParameters", MaxParameters+1, err)
	}
}

// A datagram above the length that we would send is read all the same.
func TestDatagramLimit(t *testing.T) {
	d := Datagram{SubscribeID: 1, Sequence: 2, Timestamp: 3, Payload: make([]byte, MaxDatagram)}
	wire := d.Append(nil)
	if len(wire) <= MaxDatagram {
		t.Fatalf("%d bytes are not too long", len(wire))
	}
	if got, err := ParseDatagram(wire); err != nil || !sameDatagram(got, d) {
		t.Errorf("%d bytes: %v", len(wire), err)
	}
}

// A timestamp that a datagram may have and the first frame of a group may not
// would be lost on its way.
func TestTimestampLimit(t *testing.T) {
	for _, micros := range []uint64{MaxInteger, maxTimestamp} {
		d, err := ParseDatagram(Datagram{Timestamp: micros}.Append(nil))
		if err != nil || d.Timestamp != micros {
			t.Fatalf("datagram: %d, %v", d.Timestamp, err)
		}
		wire := Frame{Timestamp: d.Timestamp}.Append(nil, 0, Lite05)
		if f, err := dripping(wire).Frame(0, Lite05); err != nil || f.Timestamp != micros {
			t.Errorf("frame: %d, %v", f.Timestamp, err)
		}
		// And back to 0, the longest way there is.
		wire = Frame{}.Append(nil, micros, Lite05)
		if f, err := dripping(wire).Frame(micros, Lite05); err != nil || f.Timestamp != 0 {
			t.Errorf("frame back to 0: %d, %v", f.Timestamp, err)
		}
	}
	const above = maxTimestamp + 1
	if _, err := ParseDatagram(Datagram{Timestamp: above}.Append(nil)); !errors.Is(err, ErrMalformed) {
		t.Errorf("datagram: %v", err)
	}
	if _, _, err := ParseLegacy(AppendLegacy(nil, above, nil)); !errors.Is(err, ErrMalformed) {
		t.Errorf("legacy container: %v", err)
	}
	if _, _, err := ParseLOC(AppendLOC(nil, above, nil)); !errors.Is(err, ErrMalformed) {
		t.Errorf("loc container: %v", err)
	}
	step := Frame{Timestamp: 1}.Append(nil, 0, Lite05)
	if _, err := dripping(step).Frame(maxTimestamp, Lite05); !errors.Is(err, ErrMalformed) {
		t.Errorf("frame: %v", err)
	}
}

// TestVarintAboveTheRange: see appendVarint.
func TestVarintAboveTheRange(t *testing.T) {
	for _, v := range []uint64{MaxVarint, MaxVarint + 1, 1<<64 - 1} {
		if got, _, err := quicvarint.Parse(appendVarint(nil, v)); got != MaxVarint || err != nil {
			t.Errorf("%d is written as %d, %v", v, got, err)
		}
	}
	if got := appendOptSeq(nil, Seq(1<<64-1)); !bytes.Equal(got, appendVarint(nil, MaxVarint)) {
		t.Errorf("the largest sequence is written as %x", got)
	}
}
