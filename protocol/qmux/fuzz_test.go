package qmux_test

import (
	"reflect"
	"testing"

	"github.com/stentor-audio/stentor/protocol/qmux"
)

// FuzzFrame checks that what is read comes out of its bytes again.
func FuzzFrame(f *testing.F) {
	all := load(f)
	for _, v := range all.Frames {
		f.Add(unhex(f, v.Hex))
	}
	for _, v := range all.Malformed {
		f.Add(unhex(f, v.Hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, _, err := qmux.Next(b)
		if err != nil || got == nil {
			return
		}
		again, rest, err := qmux.Next(got.Append(nil))
		if err != nil || len(rest) > 0 || !reflect.DeepEqual(normal(again), normal(got)) {
			t.Fatalf("%+v does not survive a round trip: %+v, %v", got, again, err)
		}
	})
}

// FuzzRecord checks that a record written from what was read reads the same, and
// that the frames of a record do not take more bytes than it has.
func FuzzRecord(f *testing.F) {
	all := load(f)
	for _, v := range all.Records {
		f.Add(unhex(f, v.Hex))
	}
	for _, c := range all.Conversations {
		for _, m := range c.Messages {
			f.Add(unhex(f, m.Hex))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := read(b)
		if err != nil {
			return
		}
		data := 0
		var record []byte
		for _, frame := range got {
			if s, ok := frame.(qmux.Stream); ok {
				data += len(s.Data)
			}
			if d, ok := frame.(qmux.Datagram); ok {
				d.Rest = false
				frame = d
			}
			record = frame.Append(record)
		}
		if data > len(b) {
			t.Fatalf("%d bytes of data out of %d", data, len(b))
		}
		if again, err := read(record); err != nil || len(again) != len(got) {
			t.Fatalf("%+v does not survive a round trip: %+v, %v", got, again, err)
		}
	})
}
