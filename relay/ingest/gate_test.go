package ingest

import (
	"testing"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// legacy is an Opus packet (CELT, 20 ms, one frame) behind a timestamp in ms.
func legacy(ms uint64, size int) []byte {
	packet := make([]byte, size)
	if size > 0 {
		packet[0] = 0xf8
	}
	return protocol.AppendLegacy(nil, ms*1000, packet)
}

func TestGate(t *testing.T) {
	type step struct {
		sequence uint64
		payload  []byte
		want     Drop
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"speech", []step{{0, legacy(0, 80), Taken}, {1, legacy(20, 80), Taken}, {2, legacy(40, 80), Taken}}},
		{"from anywhere", []step{{1 << 40, legacy(1<<40, 80), Taken}, {1<<40 + 1, legacy(1<<40+20, 80), Taken}}},
		{"out of order", []step{{1, legacy(20, 80), Taken}, {0, legacy(0, 80), Taken}, {2, legacy(40, 80), Taken}}},
		{"a pause", []step{{0, legacy(0, 80), Taken}, {1, legacy(60_000, 80), Taken}}},
		{"an end marker", []step{{0, legacy(0, 0), Taken}}},
		{"nothing", []step{{0, nil, NotOpus}}},
		{"half a timestamp", []step{{0, []byte{0xc0, 1}, NotOpus}}},
		{"no Opus", []step{{0, []byte{0x00, 0xf9, 1, 2, 3}, NotOpus}}},
		{"text", []step{{0, []byte("\x00\x7fhello"), NotOpus}}},
		{"as large as may be", []step{{0, legacy(0, maxAudio-1), Taken}}},
		{"one byte more", []step{{0, legacy(0, maxAudio), TooLarge}}},
		{"a jump", []step{{0, legacy(0, 80), Taken}, {jumpLimit, legacy(20, 80), Taken}, {2*jumpLimit + 1, legacy(40, 80), Jump}, {jumpLimit + 1, legacy(60, 80), Taken}}},
		{"back by a little", []step{{0, legacy(5000, 80), Taken}, {1, legacy(3000, 80), Taken}}},
		{"back by more", []step{{0, legacy(5000, 80), Taken}, {1, legacy(2999, 80), Backwards}, {2, legacy(5020, 80), Taken}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var g gate
			for i, s := range tt.steps {
				if got := g.check(s.sequence, s.payload, epoch.Add(time.Duration(i)*20*time.Millisecond)); got != s.want {
					t.Errorf("step %d, group %d: %q, want %q", i, s.sequence, got, s.want)
				}
			}
		})
	}
}

func TestGateStopsFloods(t *testing.T) {
	var g gate
	passed := func(groups int, every time.Duration, from time.Time) int {
		n := 0
		for i := range groups {
			if g.check(uint64(i), legacy(uint64(i)*20, 40), from.Add(time.Duration(i)*every)) == Taken {
				n++
			}
		}
		return n
	}
	if n := passed(1000, 20*time.Millisecond, epoch); n != 1000 {
		t.Errorf("speech for 20 s: %d of 1000 passed", n)
	}
	g = gate{}
	if n := passed(1000, 0, epoch.Add(time.Hour)); n != floodBurst {
		t.Errorf("all at once: %d of 1000 passed, want %d", n, floodBurst)
	}
	g = gate{}
	if n := passed(10_000, time.Millisecond, epoch.Add(2*time.Hour)); n < 1200 || n > 1300 {
		t.Errorf("1000 a second for 10 s: %d passed, want 300 and 100 a second", n)
	}
}

// FuzzGate checks that what passes is what every listener can take apart.
func FuzzGate(f *testing.F) {
	f.Add(uint64(0), legacy(0, 80))
	f.Add(uint64(7), []byte{0x00, 0xf9, 1, 2, 3})
	f.Fuzz(func(t *testing.T, sequence uint64, payload []byte) {
		var g gate
		if g.check(sequence, payload, epoch) != Taken {
			return
		}
		_, opus, err := protocol.ParseLegacy(payload)
		if err != nil || len(payload) > protocol.MaxDatagram {
			t.Fatalf("%x passed: %v", payload, err)
		}
		if len(opus) > 0 {
			if _, err := protocol.ParseOpus(opus); err != nil {
				t.Fatalf("%x passed: %v", payload, err)
			}
		}
	})
}

func TestHeard(t *testing.T) {
	var h heard
	for _, step := range []struct {
		packets uint64
		at      time.Duration
		alive   bool
	}{
		{10, 0, true},
		{10, 6 * time.Second, true},
		{10, 7 * time.Second, false},
		{11, 8 * time.Second, true},
		{11, 14 * time.Second, true},
		{11, 15 * time.Second, false},
	} {
		if got := h.update(step.packets, epoch.Add(step.at)); got != step.alive {
			t.Errorf("%d packets at %v: alive %v", step.packets, step.at, got)
		}
	}
}
