package membership

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// relayA is a plain description, which tests change one field of.
func relayA() Relay {
	return Relay{
		Name:              "relay-a",
		Zone:              "par",
		URL:               "https://a.example:4443",
		Addr:              "192.0.2.1:4443",
		CertificateSHA256: [][32]byte{{1}, {2}},
		HopID:             0x0102030405060708,
		Capacity:          5000,
		Load:              35,
		State:             Ready,
		Started:           time.Unix(1_700_000_000, 0),
		Version:           "v0.3.0",
	}
}

// fullest is as long as a description gets.
func fullest() Relay {
	r := relayA()
	r.Name = strings.Repeat("n", MaxName)
	r.Zone = strings.Repeat("z", MaxZone)
	r.URL = "https://" + strings.Repeat("u", MaxURL-len("https://"))
	r.Addr = strings.Repeat("a", MaxAddr-len(":4443")) + ":4443"
	r.Version = strings.Repeat("v", MaxVersion)
	r.CertificateSHA256 = make([][32]byte, MaxCertificates)
	r.HopID, r.Capacity, r.Load, r.State = math.MaxUint64, math.MaxUint32, 100, 255
	r.Generation = math.MaxUint32
	r.Started = time.Unix(math.MaxUint32, 0)
	return r
}

var descriptions = []struct {
	name string
	with func(*Relay) // changes relayA
	bad  bool
}{
	{"plain", func(*Relay) {}, false},
	{"everything at its longest", func(r *Relay) { *r = fullest() }, false},
	{"only what is needed", func(r *Relay) { *r = Relay{Name: "a", URL: "https://a", Addr: "a:1"} }, false},
	{"state of a later version", func(r *Relay) { r.State = 9 }, false},
	{"host name as name", func(r *Relay) { r.Name = "relay-7.eu-west_1.example" }, false},
	{"IPv6", func(r *Relay) { r.URL, r.Addr = "https://[2001:db8::1]:4443/x", "[2001:db8::1]:4443" }, false},

	{"no name", func(r *Relay) { r.Name = "" }, true},
	{"name too long", func(r *Relay) { r.Name = strings.Repeat("n", MaxName+1) }, true},
	{"name with a blank", func(r *Relay) { r.Name = "relay a" }, true},
	{"name with a slash", func(r *Relay) { r.Name = "a/b" }, true},
	{"name with a terminal's escape", func(r *Relay) { r.Name = "a\x1b[2J" }, true},
	{"name beyond ASCII", func(r *Relay) { r.Name = "relé" }, true},
	{"zone too long", func(r *Relay) { r.Zone = strings.Repeat("z", MaxZone+1) }, true},
	{"zone with markup", func(r *Relay) { r.Zone = "<b>" }, true},
	{"version too long", func(r *Relay) { r.Version = strings.Repeat("v", MaxVersion+1) }, true},
	{"version with a line break", func(r *Relay) { r.Version = "v1\nv2" }, true},
	{"no URL", func(r *Relay) { r.URL = "" }, true},
	{"URL too long", func(r *Relay) { r.URL = "https://" + strings.Repeat("u", MaxURL) }, true},
	{"URL in the clear", func(r *Relay) { r.URL = "http://a.example" }, true},
	{"URL that runs", func(r *Relay) { r.URL = "javascript:alert(1)" }, true},
	{"URL without a host", func(r *Relay) { r.URL = "https:///x" }, true},
	{"URL with a password", func(r *Relay) { r.URL = "https://u:p@a.example" }, true},
	{"URL with a blank", func(r *Relay) { r.URL = "https://a.example/ x" }, true},
	{"no address", func(r *Relay) { r.Addr = "" }, true},
	{"address too long", func(r *Relay) { r.Addr = strings.Repeat("a", MaxAddr) + ":1" }, true},
	{"address without a port", func(r *Relay) { r.Addr = "192.0.2.1" }, true},
	{"address without a host", func(r *Relay) { r.Addr = ":4443" }, true},
	{"port 0", func(r *Relay) { r.Addr = "a:0" }, true},
	{"port 65536", func(r *Relay) { r.Addr = "a:65536" }, true},
	{"load of 101", func(r *Relay) { r.Load = 101 }, true},
	{"four certificates", func(r *Relay) { r.CertificateSHA256 = make([][32]byte, 4) }, true},
	{"started before 1970", func(r *Relay) { r.Started = time.Unix(-1, 0) }, true},
	{"started after 2106", func(r *Relay) { r.Started = time.Unix(math.MaxUint32+1, 0) }, true},
}

func TestDescription(t *testing.T) {
	for _, tt := range descriptions {
		t.Run(tt.name, func(t *testing.T) {
			r := relayA()
			tt.with(&r)
			b, err := Encode(r)
			if tt.bad {
				if !errors.Is(err, ErrRelay) {
					t.Fatalf("Encode = %v, want ErrRelay", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(b) > MaxEncoded {
				t.Errorf("%d bytes", len(b))
			}
			again, err := Decode(b)
			if err != nil || !again.Equal(r) {
				t.Fatalf("Decode = %+v, %v\nwant %+v", again, err, r)
			}
			for n := range b {
				if _, err := Decode(b[:n]); !errors.Is(err, ErrRelay) {
					t.Fatalf("the first %d of %d bytes: %v, want ErrRelay", n, len(b), err)
				}
			}
		})
	}
}

// TestDecodeRefuses feeds what Encode would never write.
func TestDecodeRefuses(t *testing.T) {
	plain, err := Encode(relayA())
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int, to byte) []byte {
		b := bytes.Clone(plain)
		b[at] = to
		return b
	}
	tests := []struct {
		name string
		b    []byte
	}{
		{"nothing", nil},
		{"513 bytes", append(bytes.Clone(plain), make([]byte, MaxEncoded+1-len(plain))...)},
		{"layout 0", changed(0, 0)},
		{"layout 2", changed(0, 2)},
		{"load 101", changed(2, 101)},
		{"name runs over the end", changed(23, 255)},
		{"name of no bytes", changed(23, 0)},
		{"text", []byte("hello, I am a relay, please let me in, will you")},
		{"255 certificates", changed(len(plain)-65, 255)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if r, err := Decode(tt.b); !errors.Is(err, ErrRelay) || !r.Equal(Relay{}) {
				t.Errorf("Decode = %+v, %v; want nothing and ErrRelay", r, err)
			}
		})
	}
}

// TestDecodeSkipsLaterFields: a newer relay may say more.
func TestDecodeSkipsLaterFields(t *testing.T) {
	b, err := Encode(fullest())
	if err != nil {
		t.Fatal(err)
	}
	later := append(bytes.Clone(b), make([]byte, MaxEncoded-len(b))...)
	r, err := Decode(later)
	if err != nil || !r.Equal(fullest()) {
		t.Errorf("Decode = %+v, %v", r, err)
	}
}

func TestDecodeKeepsNothing(t *testing.T) {
	b, err := Encode(relayA())
	if err != nil {
		t.Fatal(err)
	}
	r, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if !r.Equal(relayA()) {
		t.Errorf("changed with the bytes it came from: %+v", r)
	}
}

// TestEqualSeesEveryField: what it misses would never reach a watcher.
func TestEqualSeesEveryField(t *testing.T) {
	changes := map[string]func(*Relay){
		"name":        func(r *Relay) { r.Name = "b" },
		"zone":        func(r *Relay) { r.Zone = "b" },
		"url":         func(r *Relay) { r.URL = "b" },
		"addr":        func(r *Relay) { r.Addr = "b" },
		"certificate": func(r *Relay) { r.CertificateSHA256 = [][32]byte{{1}, {3}} },
		"hop id":      func(r *Relay) { r.HopID++ },
		"capacity":    func(r *Relay) { r.Capacity++ },
		"load":        func(r *Relay) { r.Load++ },
		"state":       func(r *Relay) { r.State++ },
		"generation":  func(r *Relay) { r.Generation++ },
		"started":     func(r *Relay) { r.Started = r.Started.Add(time.Second) },
		"version":     func(r *Relay) { r.Version = "b" },
	}
	for name, change := range changes {
		r := relayA()
		change(&r)
		if r.Equal(relayA()) {
			t.Errorf("%s: seen as equal", name)
		}
	}
}

// TestWhatIsEncodedFits: no valid description is longer than memberlist takes.
func TestWhatIsEncodedFits(t *testing.T) {
	name := rapid.StringMatching(`[A-Za-z0-9._-]{1,70}`)
	rapid.Check(t, func(t *rapid.T) {
		r := Relay{
			Name:       name.Draw(t, "name"),
			Zone:       name.Draw(t, "zone"),
			URL:        "https://" + rapid.StringMatching(`[a-z0-9.-]{1,170}`).Draw(t, "url"),
			Addr:       rapid.StringMatching(`[a-z0-9.-]{1,80}:[0-9]{1,5}`).Draw(t, "addr"),
			Version:    rapid.StringMatching(`[!-~]{0,40}`).Draw(t, "version"),
			HopID:      rapid.Uint64().Draw(t, "hop id"),
			Capacity:   rapid.Uint32().Draw(t, "capacity"),
			Load:       rapid.Uint8Max(110).Draw(t, "load"),
			State:      State(rapid.Uint8().Draw(t, "state")),
			Generation: rapid.Uint32().Draw(t, "generation"),
			Started:    time.Unix(int64(rapid.Uint32Min(1).Draw(t, "started")), 0),
		}
		r.CertificateSHA256 = make([][32]byte, rapid.IntRange(0, 4).Draw(t, "certificates"))
		b, err := Encode(r)
		if err != nil {
			if r.Validate() == nil {
				t.Fatalf("valid, but: %v", err)
			}
			return
		}
		if len(b) > MaxEncoded {
			t.Fatalf("%d bytes", len(b))
		}
		if again, err := Decode(b); err != nil || !again.Equal(r) {
			t.Fatalf("%+v, %v", again, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, tt := range descriptions {
		r := relayA()
		tt.with(&r)
		if b, err := Encode(r); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Decode(b)
		if err != nil {
			if !errors.Is(err, ErrRelay) {
				t.Fatalf("%v is not an ErrRelay", err)
			}
			return
		}
		again, err := Encode(r)
		if err != nil {
			t.Fatalf("%x was taken, but cannot be written: %v", b, err)
		}
		if !bytes.HasPrefix(b, again) {
			t.Fatalf("%x came back as %x", b, again)
		}
	})
}
