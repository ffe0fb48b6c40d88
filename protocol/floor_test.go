package protocol

import (
	"errors"
	"reflect"
	"testing"
)

var floors = []struct {
	name  string
	floor Floor
	size  int
}{
	{"nobody", Floor{}, 0},
	{"one who is heard", Floor{[]Voice{{Name: "ada", Publisher: 7, Spans: []Span{{0, Forever}}}}}, 8},
	{"one who is not", Floor{[]Voice{{Name: "ada", Publisher: 7}}}, 6},
	{"some", Floor{[]Voice{
		{Name: "ada", Publisher: MaxInteger, Spans: []Span{{6, 120}, {606, Forever}}},
		{Name: "hall/ben", Spans: []Span{{0, 6}, {6, 12}}},
	}}, 34},
}

func TestFloor(t *testing.T) {
	for _, tt := range floors {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.floor.Append(nil)
			if len(b) != tt.size {
				t.Errorf("%d bytes, want %d: %x", len(b), tt.size, b)
			}
			got, err := ParseFloor(b)
			if err != nil || !reflect.DeepEqual(*got, tt.floor) {
				t.Fatalf("%v (%v), want %v", got, err, &tt.floor)
			}
			whole := map[int]bool{0: true}
			for i := range tt.floor.Voices {
				whole[len((&Floor{tt.floor.Voices[:i+1]}).Append(nil))] = true
			}
			for n := range b {
				if _, err := ParseFloor(b[:n]); whole[n] != (err == nil) {
					t.Errorf("the first %d bytes of %x: %v", n, b, err)
				}
			}
		})
	}
}

func TestFloorThatIsNone(t *testing.T) {
	many := Floor{}
	for range MaxVoices + 1 {
		many.Voices = append(many.Voices, Voice{Name: "a"})
	}
	nine := Voice{Name: "a"}
	for i := range uint64(MaxSpans + 1) {
		nine.Spans = append(nine.Spans, Span{2 * i, 2*i + 1})
	}
	for name, b := range map[string][]byte{
		"too many voices":       many.Append(nil),
		"too many spans":        (&Floor{[]Voice{nine}}).Append(nil),
		"no path":               {1, 0xff, 0, 0},
		"a span behind the end": {1, 'a', 0, 2, 0, 0, 1, 1},
		"beyond all numbers":    {1, 'a', 0, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
	} {
		if f, err := ParseFloor(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v (%v)", name, f, err)
		}
	}
}

func TestVoice(t *testing.T) {
	f := &floors[3].floor
	if f.Voice("ada", 1) != nil || (*Floor)(nil).Voice("ada", 1) != nil {
		t.Error("another publisher's broadcast is another voice")
	}
	v := f.Voice("ada", MaxInteger)
	for sequence, want := range map[uint64]struct {
		has  bool
		next uint64
	}{0: {false, 6}, 6: {true, 6}, 119: {true, 119}, 120: {false, 606}, 605: {false, 606}, 606: {true, 606}, 1 << 40: {true, 1 << 40}} {
		if got := v.Has(sequence); got != want.has {
			t.Errorf("%d: %v", sequence, got)
		}
		if got := v.Next(sequence); got != want.next {
			t.Errorf("after %d: %d, want %d", sequence, got, want.next)
		}
	}
	for sequence, want := range map[uint64]Span{0: {0, 6}, 6: {120, 606}, 120: {120, 606}, 300: {300, 606}, 606: {Forever, Forever}} {
		if from, until := v.Gap(sequence); (Span{from, until}) != want {
			t.Errorf("the gap after %d: %d to %d, want %v", sequence, from, until, want)
		}
	}
	if from, until := f.Voice("hall/ben", 0).Gap(3); from != 12 || until != Forever {
		t.Errorf("the gap after two spans side by side: %d to %d", from, until)
	}
	if next := f.Voice("hall/ben", 0).Next(12); next != Forever {
		t.Errorf("nothing more is known, not %d", next)
	}
	if got, want := f.String(), "ada 6-119 606-; hall/ben 0-5 6-11"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLevel(t *testing.T) {
	for _, tt := range []struct {
		db     uint8
		speech bool
		want   Level
	}{{0, false, 0}, {26, true, 0x9a}, {127, false, 0x7f}, {200, true, 0xff}} {
		l := NewLevel(tt.db, tt.speech)
		if l != tt.want || l.DB() != min(tt.db, 127) || l.Speech() != tt.speech {
			t.Errorf("%d, %v: %#x", tt.db, tt.speech, l)
		}
	}
}

func FuzzFloor(f *testing.F) {
	for _, tt := range floors {
		f.Add(tt.floor.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		floor, err := ParseFloor(b)
		if err != nil {
			return
		}
		again, err := ParseFloor(floor.Append(nil))
		if err != nil || !reflect.DeepEqual(again, floor) {
			t.Fatalf("%x is %v and again %v (%v)", b, floor, again, err)
		}
	})
}
