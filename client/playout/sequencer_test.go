package playout

import (
	"strings"
	"testing"
	"time"
)

func TestSequencer(t *testing.T) {
	type push struct {
		at       time.Duration // a multiple of 20 ms
		seq      uint64
		repaired bool
	}
	tests := []struct {
		name   string
		pushes []push
		end    uint64 // at the last push
		leaves bool   // then, too
		until  time.Duration
		want   string // P, R and L as they come out; . for each 20 ms gone by
		stats  Stats
	}{
		{
			name:   "in order, at once",
			pushes: []push{{0, 7, false}, {0, 8, false}, {0, 9, false}},
			want:   "PPP.",
			stats:  Stats{First: 7, Last: 9, Expected: 3, Played: 3},
		},
		{
			name:   "a hole is waited for",
			pushes: []push{{0, 7, false}, {20 * ms, 9, false}, {60 * ms, 8, true}},
			until:  80 * ms,
			want:   "P...RP..",
			stats:  Stats{First: 7, Last: 9, Expected: 3, Played: 3, Repaired: 1},
		},
		{
			name:   "and given up 200 ms after it was seen",
			pushes: []push{{0, 7, false}, {20 * ms, 10, false}, {240 * ms, 8, false}},
			until:  240 * ms,
			want:   "P...........LLP..",
			stats:  Stats{First: 7, Last: 10, Expected: 4, Played: 2, Lost: 2, Late: 1},
		},
		{
			name:   "a frame later than any delay is as good as any",
			pushes: []push{{0, 7, false}, {0, 8, false}, {2 * time.Second, 9, false}},
			until:  2 * time.Second,
			want:   "PP" + strings.Repeat(".", 100) + "P.",
			stats:  Stats{First: 7, Last: 9, Expected: 3, Played: 3},
		},
		{
			name:   "the end shows what is missing",
			pushes: []push{{0, 7, false}, {0, 8, false}},
			end:    10, until: 200 * ms,
			want:  "PP..........L.",
			stats: Stats{First: 7, Last: 9, Expected: 3, Played: 2, Lost: 1},
		},
		{
			name:   "who leaves does not wait",
			pushes: []push{{0, 7, false}, {0, 9, false}},
			end:    11, leaves: true,
			want:  "PLPL.",
			stats: Stats{First: 7, Last: 10, Expected: 4, Played: 2, Lost: 2},
		},
		{
			name: "nothing at all", end: 11, want: ".",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, got := NewSequencer(Config{}), ""
			for now := time.Duration(0); now <= tt.until; now += Frame {
				for ; len(tt.pushes) > 0 && tt.pushes[0].at <= now; tt.pushes = tt.pushes[1:] {
					p := tt.pushes[0]
					if p.repaired {
						s.PushRepaired(p.seq, 0, packetOf(p.seq), now)
					} else {
						s.Push(p.seq, 0, packetOf(p.seq), now)
					}
				}
				if len(tt.pushes) == 0 && tt.end > 0 {
					s.End(tt.end, now)
				}
				if tt.leaves {
					s.Flush()
				}
				for slot, ok := s.Next(now); ok; slot, ok = s.Next(now) {
					if slot.Kind == Play && sequenceOf(slot.Packet) != slot.Sequence {
						t.Errorf("sequence %d has the packet of %d", slot.Sequence, sequenceOf(slot.Packet))
					}
					got += string(letter(slot))
				}
				got += "."
			}
			if got != tt.want {
				t.Errorf("gave out %s, want %s", got, tt.want)
			}
			if s.Stats() != tt.stats {
				t.Errorf("stats\n%+v, want\n%+v", s.Stats(), tt.stats)
			}
			if s.Done() != (tt.end > 0) {
				t.Errorf("done: %v", s.Done())
			}
		})
	}
}
