package membership

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestFind(t *testing.T) {
	var relays []Relay
	for i := range 9 {
		r := relayA()
		r.Name, r.CertificateSHA256 = fmt.Sprintf("r%d", i), [][32]byte{{byte(i)}, {100, byte(i)}}
		relays = append(relays, r)
	}
	for _, want := range relays {
		if got, ok := Find(relays, want.Name); !ok || !got.Equal(want) {
			t.Errorf("Find(%q) = %+v, %v", want.Name, got, ok)
		}
		for _, sum := range want.CertificateSHA256 {
			if got, ok := FindCertificate(relays, sum); !ok || !got.Equal(want) {
				t.Errorf("FindCertificate(%x) = %q, %v; want %q", sum[:2], got.Name, ok, want.Name)
			}
		}
	}
	for _, name := range []string{"", "r", "r10", "s"} {
		if got, ok := Find(relays, name); ok {
			t.Errorf("Find(%q) = %q", name, got.Name)
		}
	}
	if got, ok := FindCertificate(relays, [32]byte{200}); ok {
		t.Errorf("FindCertificate of nobody's = %q", got.Name)
	}
}

// TestDiff: what it says changed turns one snapshot into the other.
func TestDiff(t *testing.T) {
	snapshot := rapid.Custom(func(t *rapid.T) []Relay {
		var relays []Relay
		for _, name := range []string{"a", "b", "c", "d"} {
			if load := rapid.Uint8Max(3).Draw(t, name); load > 0 { // 0: it is not there
				relays = append(relays, Relay{Name: name, Load: load})
			}
		}
		return relays
	})
	rapid.Check(t, func(t *rapid.T) {
		before, after := snapshot.Draw(t, "before"), snapshot.Draw(t, "after")
		c := Diff(before, after)
		now := make(map[string]uint8)
		for _, r := range before {
			now[r.Name] = r.Load
		}
		for _, r := range c.Left {
			if now[r.Name] != r.Load {
				t.Fatalf("%q left as it never was", r.Name)
			}
			delete(now, r.Name)
		}
		for _, r := range c.Joined {
			if now[r.Name] != 0 {
				t.Fatalf("%q joined and was there", r.Name)
			}
			now[r.Name] = r.Load
		}
		for _, r := range c.Changed {
			if now[r.Name] == 0 || now[r.Name] == r.Load {
				t.Fatalf("%q did not change", r.Name)
			}
			now[r.Name] = r.Load
		}
		if len(now) != len(after) {
			t.Fatalf("%v, want %v", now, after)
		}
		for _, r := range after {
			if now[r.Name] != r.Load {
				t.Fatalf("%v, want %v", now, after)
			}
		}
	})
}

// TestTheLostAreBounded, and the last ones are kept.
func TestTheLostAreBounded(t *testing.T) {
	b := newBook("a/1", relayA())
	var last netip.AddrPort
	for i := range 2 * maxLost {
		r := relayA()
		r.Name = fmt.Sprintf("b%d", i)
		last = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1)
		member := memberName(r.Name)
		b.put(claim{member, last, r})
		b.drop(member)
	}
	_, lost := b.known()
	if len(lost) != maxLost || !slices.Contains(lost, last) {
		t.Errorf("%d are remembered, want %d, and the last among them", len(lost), maxLost)
	}
	if n := b.size(); n != 1 {
		t.Errorf("%d members", n)
	}
}
