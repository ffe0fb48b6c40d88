package protocol

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// group is what a relay sends most: one Opus packet of 20 ms at 32 kbit/s.
var group = Datagram{
	SubscribeID: 3, Sequence: 180000, Timestamp: 3600000000,
	Payload: AppendLegacy(nil, 3600000000, bytes.Repeat([]byte{0x78}, 80)),
}

// Each of these runs once for every packet and listener, or for every packet.
func TestThePathOfAFrameDoesNotAllocate(t *testing.T) {
	wire := group.Append(nil)
	room := make([]byte, 0, MaxDatagram)
	frame := Frame{Timestamp: group.Timestamp, Payload: group.Payload}
	header := GroupHeader{SubscribeID: group.SubscribeID, Sequence: group.Sequence}
	for name, f := range map[string]func(){
		"Datagram.Append":    func() { group.Append(room) },
		"GroupHeader.Append": func() { header.Append(room) },
		"Frame.Append":       func() { frame.Append(room, 0, Lite05) },
		"AppendLegacy":       func() { AppendLegacy(room, group.Timestamp, group.Payload) },
		"AppendLOC":          func() { AppendLOC(room, group.Timestamp, group.Payload) },
		"AppendBundle":       func() { AppendBundle(room, [][]byte{group.Payload, nil, group.Payload}) },
		"ParseDatagram": func() {
			if _, err := ParseDatagram(wire); err != nil {
				t.Error(err)
			}
		},
		"ParseLegacy": func() {
			if _, _, err := ParseLegacy(group.Payload); err != nil {
				t.Error(err)
			}
		},
		"ParseOpus": func() {
			if _, err := ParseOpus(group.Payload[8:]); err != nil {
				t.Error(err)
			}
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func TestDatagramSharesItsBytes(t *testing.T) {
	wire := group.Append(nil)
	d, err := ParseDatagram(wire)
	if err != nil || !sameDatagram(d, group) {
		t.Fatalf("got %+v, %v", d, err)
	}
	if &d.Payload[0] != &wire[len(wire)-len(d.Payload)] {
		t.Error("the payload was copied")
	}
}

// A frame outlives the buffer of the stream that it came from.
func TestFramePayloadIsFresh(t *testing.T) {
	wire := Frame{Payload: []byte("one")}.Append(nil, 0, Lite05)
	wire = Frame{Payload: []byte("two")}.Append(wire, 0, Lite05)
	r := NewReader(bytes.NewReader(wire))
	one, err := r.Frame(0, Lite05)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Frame(0, Lite05); err != nil || string(one.Payload) != "one" {
		t.Errorf("the first became %q, %v", one.Payload, err)
	}
}

func TestFramesOfLite04(t *testing.T) {
	frames := []Frame{{Payload: []byte{1, 2}}, {}, {Payload: []byte{3}}}
	var wire []byte
	for _, f := range frames {
		wire = f.Append(wire, 99, Lite04)
	}
	if want := unhex(t, "02 0102 00 01 03"); !bytes.Equal(wire, want) {
		t.Fatalf("written as %x, want %x", wire, want)
	}
	got, err := readFrames(wire, Lite04)
	if err != nil || !sameFrames(got, frames) {
		t.Errorf("got %+v, %v, want %+v", got, err, frames)
	}
	for n, whole := range []bool{true, false, false, true, true, false, true} {
		if _, err := readFrames(wire[:n], Lite04); (err == nil) != whole ||
			err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
}

func sameFrames(a, b []Frame) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Timestamp != b[i].Timestamp || !bytes.Equal(a[i].Payload, b[i].Payload) {
			return false
		}
	}
	return true
}

func BenchmarkDatagramAppend(b *testing.B) {
	b.ReportAllocs()
	buf := make([]byte, 0, MaxDatagram)
	for b.Loop() {
		buf = group.Append(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkDatagramParse(b *testing.B) {
	b.ReportAllocs()
	wire := group.Append(nil)
	b.SetBytes(int64(len(wire)))
	for b.Loop() {
		if _, err := ParseDatagram(wire); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFrameAppend(b *testing.B) {
	b.ReportAllocs()
	f := Frame{Timestamp: group.Timestamp, Payload: group.Payload}
	buf := make([]byte, 0, MaxDatagram)
	for b.Loop() {
		buf = f.Append(buf[:0], 0, Lite05)
	}
	b.SetBytes(int64(len(buf)))
}

// BenchmarkGroupStream reads a whole group stream, a new Reader each.
func BenchmarkGroupStream(b *testing.B) {
	b.ReportAllocs()
	wire := GroupHeader{SubscribeID: group.SubscribeID, Sequence: group.Sequence}.Append(StreamGroup.Append(nil))
	wire = Frame{Timestamp: group.Timestamp, Payload: group.Payload}.Append(wire, 0, Lite05)
	b.SetBytes(int64(len(wire)))
	stream := bytes.NewReader(wire)
	for b.Loop() {
		stream.Reset(wire)
		r := NewReader(stream)
		_, err := r.StreamType()
		if err == nil {
			_, err = r.GroupHeader()
		}
		if err == nil {
			_, err = r.Frame(0, Lite05)
		}
		if err == nil {
			_, err = r.Frame(0, Lite05)
		}
		if !isEOF(err) {
			b.Fatal(err)
		}
	}
}
