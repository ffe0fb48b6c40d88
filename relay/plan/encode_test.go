package plan

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// unhex joins the fields of a plan, in hex, with "text" in quotes standing for
// the rest of a name.
func unhex(t testing.TB, fields string) []byte {
	t.Helper()
	var b []byte
	for _, f := range strings.Fields(fields) {
		if text, ok := strings.CutPrefix(f, "'"); ok {
			b = append(b, text...)
			continue
		}
		part, err := hex.DecodeString(f)
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, part...)
	}
	return b
}

var wires = []struct {
	name string
	wire string
	want *Plan
}{
	{
		"alone, without a zone",
		"01 01 00 0001 'a 0001 'r 10 00 01  0000 00 01 0001 'a",
		&Plan{
			room: "r", degree: 16, size: 1, version: Version{1, "a", 0},
			zones: []zone{{"", false, []string{"a"}}},
		},
	},
	{
		"roots in two zones, names that begin alike",
		"01 4065 05 0003 'r-1 0103 'oom 06 01 02  0004 'east 00 01 0003 'r-1  0004 'west 01 02 0003 'r-2 0202 '33",
		&Plan{
			room: "room", degree: 6, size: 3, apart: true, version: Version{101, "r-1", 5},
			zones: []zone{{"east", false, []string{"r-1"}}, {"west", true, []string{"r-2", "r-33"}}},
		},
	},
}

func TestEncode(t *testing.T) {
	for _, tt := range wires {
		t.Run(tt.name, func(t *testing.T) {
			wire := unhex(t, tt.wire)
			if got := tt.want.Encode(); !bytes.Equal(got, wire) {
				t.Errorf("Encode = %x, want %x", got, wire)
			}
			got, err := Decode(wire)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Decode = %+v, %v, want %+v", got, err, tt.want)
			}
			for n := range wire {
				if _, err := Decode(wire[:n]); err == nil {
					t.Errorf("the first %d of %d bytes pass", n, len(wire))
				}
			}
		})
	}
}

var badWires = []struct {
	name string
	wire string
	want error
}{
	{"nothing", "", ErrMalformed},
	{"another format", "02 01 00 0001 'a 0001 'r 10 00 01 0000 00 01 0001 'a", ErrMalformed},
	{"bytes after the end", "01 01 00 0001 'a 0001 'r 10 00 01 0000 00 01 0001 'a 00", ErrMalformed},
	{"a loop: a relay that stands twice", "01 01 00 0001 'a 0001 'r 10 00 01 0000 00 03 0001 'a 0001 'b 0001 'a", ErrTwice},
	{"a relay in two zones", "01 01 00 0001 'a 0001 'r 10 01 02 0001 'y 00 01 0001 'a 0001 'z 00 01 0001 'a", ErrTwice},
	{"a zone that stands twice", "01 01 00 0001 'a 0001 'r 10 01 02 0001 'z 00 01 0001 'a 0001 'z 00 01 0001 'b", ErrTwice},
	{"a loop: degree 0", "01 01 00 0001 'a 0001 'r 00 00 01 0000 00 01 0001 'a", ErrDegree},
	{"degree below the least", "01 01 00 0001 'a 0001 'r 05 00 01 0000 00 01 0001 'a", ErrDegree},
	{"degree above the most", "01 01 00 0001 'a 0001 'r 4041 00 01 0000 00 01 0001 'a", ErrDegree},
	{"an enormous degree", "01 01 00 0001 'a 0001 'r ffffffffffffffff 00 01 0000 00 01 0001 'a", ErrDegree},
	{"no zone", "01 01 00 0001 'a 0001 'r 10 00 00", ErrRoots},
	{"an empty zone", "01 01 00 0001 'a 0001 'r 10 00 01 0001 'z 00 00", ErrMalformed},
	{"one zone, said to be two", "01 01 00 0001 'a 0001 'r 10 01 01 0000 00 01 0001 'a", ErrRoots},
	{"one relay with both trees", "01 01 00 0001 'a 0001 'r 10 00 02 0001 'y 00 01 0001 'a 0001 'z 00 01 0001 'b", ErrRoots},
	{"a flag that is none", "01 01 00 0001 'a 0001 'r 10 02 01 0000 00 01 0001 'a", ErrMalformed},
	{"a zone of one, turned", "01 01 00 0001 'a 0001 'r 10 00 01 0000 01 01 0001 'a", ErrMalformed},
	{"no keeper", "01 01 00 0000 0001 'r 10 00 01 0000 00 01 0001 'a", ErrName},
	{"no room", "01 01 00 0001 'a 0000 10 00 01 0000 00 01 0001 'a", ErrName},
	{"a relay without a name", "01 01 00 0001 'a 0001 'r 10 00 01 0000 00 01 0000", ErrName},
	{"a relay that is not UTF-8", "01 01 00 0001 'a 0001 'r 10 00 01 0000 00 01 0001 ff", ErrName},
	{"a zone that is not UTF-8", "01 01 00 0001 'a 0001 'r 10 00 01 0001 ff 00 01 0001 'a", ErrName},
	{"a name that shares more than there is", "01 01 00 0101 'a 0001 'r 10 00 01 0000 00 01 0001 'a", ErrMalformed},
	{"a name longer than the rest", "01 01 00 4040 0001 'r", ErrMalformed},
	{"more relays than bytes", "01 01 00 0001 'a 0001 'r 10 00 01 0000 00 4fff 0001 'a", ErrMalformed},
	{"more relays than a room may have", "01 01 00 0001 'a 0001 'r 10 00 01 0000 00 5001 0001 'a", ErrTooBig},
	{"more zones than a room may have", "01 01 00 0001 'a 0001 'r 10 00 ffffffffffffffff", ErrTooBig},
}

func TestDecodeRefuses(t *testing.T) {
	for _, tt := range badWires {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(unhex(t, tt.wire))
			checkErr(t, "Decode", err, tt.want)
		})
	}
	_, err := Decode(make([]byte, MaxSize+1))
	checkErr(t, "more than MaxSize", err, ErrTooBig)
	long := (&Plan{
		room: strings.Repeat("r", MaxName+1), degree: 16, size: 1, version: Version{Keeper: "a"},
		zones: []zone{{"", false, []string{"a"}}},
	}).Encode()
	_, err = Decode(long)
	checkErr(t, "a name of more than MaxName", err, ErrName)
}

// Relays that each have a zone of their own make the deepest plan. With the
// least degree it becomes too deep; the plan is refused, not followed.
func TestTooDeep(t *testing.T) {
	p := &Plan{room: "r", degree: MinDegree, apart: true, version: Version{1, "0", 0}}
	for i := range MaxRelays {
		p.zones = append(p.zones, zone{fmt.Sprint(i), false, []string{fmt.Sprint(i)}})
	}
	p.size = MaxRelays
	_, err := Decode(p.Encode())
	checkErr(t, "Decode", err, ErrDeep)

	p.zones = p.zones[:2]
	p.size = 2
	for i := 2; err == nil || i == 2; i++ {
		var next *Plan
		if next, _, err = p.Join(Relay{fmt.Sprint(i), fmt.Sprint(i)}); err == nil {
			p = next
		}
	}
	checkErr(t, "Join", err, ErrDeep)
	if d := p.Depth(); d != MaxDepth {
		t.Errorf("refused after a depth of %d, want %d", d, MaxDepth)
	}
	checkErr(t, "the plan before", p.Validate(), nil)
}

func FuzzDecode(f *testing.F) {
	for _, tt := range wires {
		f.Add(unhex(f, tt.wire))
	}
	for _, tt := range badWires {
		f.Add(unhex(f, tt.wire))
	}
	f.Add(grown(f, DefaultDegree, 3, 40).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			return
		}
		checkPlan(t, p)
		if q, _, err := p.Leave(p.Root(Red)); err == nil {
			checkPlan(t, q)
		}
	})
}

// grown is a plan of n relays, one after the other in each of some zones.
func grown(t testing.TB, degree, zones, n int) *Plan {
	t.Helper()
	relay := func(i int) Relay {
		return Relay{fmt.Sprintf("relay-%04d", i), fmt.Sprint("zone-", i%zones)}
	}
	p, err := New("town-hall", relay(0), relay(1), Options{Degree: degree})
	for i := 2; i < n && err == nil; i++ {
		p, _, err = p.Join(relay(i))
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}
