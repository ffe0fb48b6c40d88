package room

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stentor-audio/stentor/protocol"
)

func opusFor(sequence uint64) []byte { return []byte{0xfc, byte(sequence), byte(sequence >> 8)} }

func show(bundles []openBundle) string {
	s := ""
	for _, b := range bundles {
		s += fmt.Sprintf("%d@%d[", b.number, b.base/1000)
		for _, p := range b.packets {
			if p == nil {
				s += "-"
			} else {
				s += fmt.Sprint(p[1])
			}
		}
		s += "]"
	}
	return s
}

func TestPacker(t *testing.T) {
	const ms = time.Millisecond
	type step struct {
		sequence uint64
		at       time.Duration
		out      string
	}
	tests := []struct {
		name  string
		size  int
		steps []step
		late  time.Duration // expire is asked at this time
		out   string
	}{
		{"three packets", 3, []step{{0, 0, ""}, {1, 20 * ms, ""}, {2, 40 * ms, "0@0[012]"}}, 0, ""},
		{"six packets", 6, []step{{0, 0, ""}, {1, 0, ""}, {2, 0, ""}, {3, 0, ""}, {4, 0, ""}, {5, 0, "0@0[012345]"}}, 0, ""},
		{"out of order", 3, []step{{0, 0, ""}, {2, 20 * ms, ""}, {1, 40 * ms, "0@0[012]"}}, 0, ""},
		{"a second copy", 3, []step{{0, 0, ""}, {0, 5 * ms, ""}, {1, 20 * ms, ""}, {2, 40 * ms, "0@0[012]"}}, 0, ""},
		{"a lost one is waited for", 3, []step{{0, 0, ""}, {2, 40 * ms, ""}}, 119 * ms, ""},
		{"for its repair, no longer", 3, []step{{0, 0, ""}, {2, 40 * ms, ""}}, 120 * ms, "0@0[0-2]"},
		{"a late one is waited for", 3, []step{{0, 0, ""}, {1, 20 * ms, ""}}, 159 * ms, ""},
		{"a little longer", 3, []step{{0, 0, ""}, {1, 20 * ms, ""}}, 160 * ms, "0@0[01-]"},
		{"a stalled line", 3, []step{{0, 0, ""}, {1, 150 * ms, ""}, {2, 150 * ms, "0@0[012]"}}, 0, ""},
		{"overtaken by the next", 3, []step{{0, 0, ""}, {2, 40 * ms, ""}, {3, 60 * ms, ""}, {4, 65 * ms, ""}, {5, 70 * ms, "1@60[345]"}, {1, 110 * ms, "0@0[012]"}}, 0, ""},
		{"a straggler does not reopen", 3, []step{{0, 0, ""}, {3, 60 * ms, ""}, {4, 65 * ms, ""}, {5, 70 * ms, "1@60[345]"}, {3, 75 * ms, ""}}, time.Hour, "0@0[0--]"},
		{"joined in the middle of one", 3, []step{{4, 0, ""}, {5, 20 * ms, ""}, {6, 40 * ms, ""}, {7, 60 * ms, ""}, {8, 80 * ms, "2@120[678]"}}, 0, ""},
		{"joined at a start", 3, []step{{3, 0, ""}, {4, 20 * ms, ""}, {5, 40 * ms, "1@60[345]"}}, 0, ""},
		{"first slot missing", 3, []step{{2, 0, ""}, {4, 20 * ms, ""}}, time.Second, "1@60[-4-]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := packer{size: tt.size}
			for _, s := range tt.steps {
				if got := show(p.add(s.sequence, s.sequence*20_000, opusFor(s.sequence), epoch.Add(s.at))); got != s.out {
					t.Errorf("after %d: %q, want %q", s.sequence, got, s.out)
				}
			}
			if tt.late > 0 {
				out, _ := p.expire(epoch.Add(tt.late))
				if got := show(out); got != tt.out {
					t.Errorf("expired: %q, want %q", got, tt.out)
				}
			}
		})
	}
}

func TestBundleCarriesTheTimeOfItsFirstSlot(t *testing.T) {
	for slot := range uint64(3) {
		p := packer{size: 3, any: true}
		p.add(30+slot, 1_000_000+slot*20_000, opusFor(0), epoch)
		out, _ := p.expire(epoch.Add(time.Second))
		if len(out) != 1 || out[0].number != 10 || out[0].base != 1_000_000 {
			t.Errorf("from slot %d: %s", slot, show(out))
		}
	}
}

// TestBundlesAreTheSameAtEveryRelay feeds two packers the same packets in
// different orders, with copies: what both finish complete is the same bytes.
func TestBundlesAreTheSameAtEveryRelay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{3, 6}).Draw(t, "size")
		n := rapid.IntRange(1, 60).Draw(t, "packets")
		arrive := func(label string) map[uint64][]byte {
			p := packer{size: size, any: true}
			out := make(map[uint64][]byte)
			keep := func(done []openBundle) {
				for _, b := range done {
					if _, twice := out[b.number]; twice {
						t.Fatalf("bundle %d finished twice", b.number)
					}
					f, _ := b.group(epoch).Whole()
					if packets, err := protocol.ParseBundle(f.Payload, size); err != nil || len(packets) != size {
						t.Fatalf("bundle %d does not parse: %v", b.number, err)
					}
					if b.have == size {
						out[b.number] = append([]byte{byte(f.Timestamp)}, f.Payload...)
					} else {
						out[b.number] = nil
					}
				}
			}
			for i := range n {
				sequence := uint64(i)
				if swap := rapid.IntRange(0, 3).Draw(t, label); swap == 0 && i > 0 {
					sequence-- // a copy, or an exchange with the one before
				}
				keep(p.add(sequence, sequence*20_000, opusFor(sequence), epoch.Add(time.Duration(i)*packetTime)))
				if len(p.open) > maxOpen+1 {
					t.Fatalf("%d bundles open", len(p.open))
				}
			}
			done, _ := p.expire(epoch.Add(time.Hour))
			keep(done)
			return out
		}
		a, b := arrive("a"), arrive("b")
		for number, body := range a {
			if other := b[number]; body != nil && other != nil && !bytes.Equal(body, other) {
				t.Fatalf("bundle %d differs: %x and %x", number, body, other)
			}
		}
	})
}
