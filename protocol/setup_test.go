package protocol

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

// Parameters of Stentor's own (docs/wire.md, section 3.3); the others are in the
// vectors.
var ownSetups = []struct {
	name string
	wire string // length, count, then id, size and value of each parameter
	want Setup
}{
	{"reads datagrams", "07 01 80005354 01 01", Setup{Datagrams: true}},
	{"acts on GOAWAY", "07 01 80005355 01 01", Setup{Goaway: true}},
	{"20 ms packets", "07 01 80005356 01 14", Setup{Packet: 20 * time.Millisecond}},
	{"60 ms packets", "07 01 80005356 01 3c", Setup{Packet: 60 * time.Millisecond}},
	{"120 ms packets", "08 01 80005356 02 4078", Setup{Packet: 120 * time.Millisecond}},
	{"no load", "07 01 80005357 01 00", Setup{HasLoad: true}},
	{"full", "08 01 80005357 02 4064", Setup{Load: 100, HasLoad: true}},
	{"more than full", "08 01 80005357 02 40ff", Setup{Load: 255, HasLoad: true}},
	{
		"everything",
		"2d 08 01 01 02 02 02 2f72 03 01 02 05 08 c0000000fcde41b2" +
			"80005354 01 01 80005355 01 01 80005356 01 3c 80005357 01 07",
		Setup{
			Probe: ProbeIncrease, Path: "/r", Role: RoleSubscriber, HopID: 4242424242,
			Datagrams: true, Goaway: true, Packet: 60 * time.Millisecond, Load: 7, HasLoad: true,
		},
	},
}

func TestOwnSetupParameters(t *testing.T) {
	for _, tt := range ownSetups {
		t.Run(tt.name, func(t *testing.T) {
			wire := unhex(t, tt.wire)
			codecs["SETUP"].decodes(t, wire, tt.want)
			if got := tt.want.Append(nil); !bytes.Equal(got, wire) {
				t.Errorf("written as %x, want %x", got, wire)
			}
		})
	}
}

func TestSetupValuesOutOfRange(t *testing.T) {
	tests := []struct {
		name string
		wire string
		want Setup
	}{
		{"datagrams 0", "07 01 80005354 01 00", Setup{}},
		{"datagrams 2", "07 01 80005354 01 02", Setup{Datagrams: true}},
		{"goaway 0", "07 01 80005355 01 00", Setup{}},
		{"goaway 2^62-1", "0e 01 80005355 08 ffffffffffffffff", Setup{Goaway: true}},
		{"packets of 40 ms", "07 01 80005356 01 28", Setup{}},
		{"packets of 2^62-1 ms", "0e 01 80005356 08 ffffffffffffffff", Setup{}},
		{"load 256", "08 01 80005357 02 4100", Setup{Load: 255, HasLoad: true}},
		{"load 2^62-1", "0e 01 80005357 08 ffffffffffffffff", Setup{Load: 255, HasLoad: true}},
		{"probe 2^62-1", "0b 01 01 08 ffffffffffffffff", Setup{Probe: ProbeIncrease}},
		{"role 2^62-1", "0b 01 03 08 ffffffffffffffff", Setup{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { codecs["SETUP"].decodes(t, unhex(t, tt.wire), tt.want) })
	}
}

func TestSetupRefuses(t *testing.T) {
	tests := []struct{ name, wire string }{
		{"datagrams empty", "06 01 80005354 00"},
		{"datagrams cut", "07 01 80005354 01 40"},
		{"datagrams and a byte more", "08 01 80005354 02 0101"},
		{"goaway empty", "06 01 80005355 00"},
		{"goaway and a byte more", "08 01 80005355 02 0101"},
		{"packet empty", "06 01 80005356 00"},
		{"packet and a byte more", "08 01 80005356 02 1400"},
		{"load empty", "06 01 80005357 00"},
		{"load cut", "08 01 80005357 02 8000"},
		{"hop id empty", "03 01 05 00"},
		{"own parameter twice", "0d 02 80005354 01 01 80005354 01 01"},
		{"unknown parameter twice", "05 02 3f 00 3f 00"},
		{"same id in another length", "06 02 3f 00 403f 00"},
		{"absurd count", "08 ffffffffffffffff"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wire := unhex(t, tt.wire)
			if m, _, err := ParseSetup(wire); !errors.Is(err, ErrMalformed) {
				t.Errorf("got %+v, %v, want ErrMalformed", m, err)
			}
			codecs["SETUP"].agree(t, wire)
		})
	}
}
