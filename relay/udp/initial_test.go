package udp

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// datagram makes a datagram that begins with these bytes, in hex, and is long enough.
func datagram(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return append(b, make([]byte, leastInitial)...)
}

var initials = []struct {
	name   string
	header string // first byte, version, destination, source, token
	want   Initial
	ok     bool
}{
	{"of a client that has not been here", "c3 00000001 08 0102030405060708 04 aabbccdd 00", Initial{Source: []byte{0xaa, 0xbb, 0xcc, 0xdd}}, true},
	{"with no connection ID of its own", "c3 00000001 08 0102030405060708 00 00", Initial{Source: []byte{}}, true},
	{"with a token, to the ID that the server gave", "c3 00000001 04 01020304 00 4040 ff", Initial{Source: []byte{}, Token: true}, true},
	{"of version 2", "d3 6b3343cf 08 0102030405060708 01 aa 00", Initial{Source: []byte{0xaa}}, true},
	{"longest IDs", "c0 00000001 14" + strings.Repeat("01", 20) + "14" + strings.Repeat("02", 20) + "00", Initial{Source: bytes.Repeat([]byte{2}, 20)}, true},
	{"later in a handshake: no token, and the ID that the server gave", "c3 00000001 04 01020304 04 aabbccdd 00", Initial{}, false},
	{"short header", "43 00000001 08 0102030405060708 00 00", Initial{}, false},
	{"no QUIC", "83 00000001 08 0102030405060708 00 00", Initial{}, false},
	{"0-RTT", "d3 00000001 08 0102030405060708 00 00", Initial{}, false},
	{"handshake", "e3 00000001 08 0102030405060708 00 00", Initial{}, false},
	{"of version 2, where an Initial of version 1 has 0-RTT", "c3 6b3343cf 08 0102030405060708 00 00", Initial{}, false},
	{"version negotiation", "c3 00000000 08 0102030405060708 00 00", Initial{}, false},
	{"an unknown version", "c3 1a2a3a4a 08 0102030405060708 00 00", Initial{}, false},
	{"an ID that is too long", "c3 00000001 15" + strings.Repeat("01", 21) + "00 00", Initial{}, false},
	{"an ID of its own that is too long", "c3 00000001 08 0102030405060708 15" + strings.Repeat("02", 21) + "00", Initial{}, false},
}

func TestParseInitial(t *testing.T) {
	for _, tt := range initials {
		got, ok := ParseInitial(datagram(t, tt.header))
		if ok != tt.ok || !bytes.Equal(got.Source, tt.want.Source) || got.Token != tt.want.Token {
			t.Errorf("%s: %+v, %v", tt.name, got, ok)
		}
		if _, ok := ParseInitial(datagram(t, tt.header)[:leastInitial-1]); ok {
			t.Errorf("%s: a datagram that is too short", tt.name)
		}
	}
	if _, ok := ParseInitial(nil); ok {
		t.Error("an empty datagram")
	}
}

func FuzzParseInitial(f *testing.F) {
	for _, tt := range initials {
		f.Add(datagram(f, tt.header)[:64])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = append(b, make([]byte, leastInitial)...)
		if i, ok := ParseInitial(b); ok && len(i.Source) > maxConnectionID {
			t.Errorf("%d bytes of connection ID", len(i.Source))
		}
	})
}
