package playout

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Ten minutes over networks that lose packets at random and jitter, in both
// directions, so that what is asked for may not come either. What stays lost is
// what nobody could miss in time: of two packets of 60 ms lost in a row, the
// first frame of the first is due 160 ms after it should have come, and the
// loss shows after 120. (The hop asks before that, when a packet is overdue.)
// The seeds are fixed, so a run is the same every time.
func TestLossAndRepair(t *testing.T) {
	tests := []struct {
		name   string
		bundle int
		loss   float64
		jitter time.Duration // exponential, mean
		most   uint64        // frames lost of 30,000
	}{
		{"20 ms, 1 %", 1, 0.01, 3 * ms, 0},
		{"20 ms, 5 %", 1, 0.05, 3 * ms, 12},
		{"60 ms, 1 %", 3, 0.01, 3 * ms, 6},
		{"60 ms, 5 %", 3, 0.05, 3 * ms, 70},
		{"120 ms, 5 %", 6, 0.05, 3 * ms, 60},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(i), 11))
			path := func() time.Duration {
				if random.Float64() < tt.loss {
					return -1
				}
				return 20*ms + time.Duration(random.ExpFloat64()*float64(tt.jitter))
			}
			speech := say(0, 30_000, 0)
			s := &scene{
				t: t, cfg: Config{Packet: time.Duration(tt.bundle) * Frame},
				talk: speech, roundTrip: 40 * ms, until: 11 * time.Minute, end: 30_000,
				answer: func() time.Duration {
					there, back := path(), path()
					if there < 0 || back < 0 {
						return -1
					}
					return there + back
				},
			}
			transit := time.Duration(0)
			for _, a := range speech.bundled(uint64(tt.bundle), nil) {
				if a.seq%uint64(tt.bundle) == 0 {
					transit = path()
				}
				if a.at += transit; transit >= 0 {
					s.arrivals = append(s.arrivals, a)
				}
			}
			got := s.run().buffer.Stats()
			if got.Lost > tt.most || got.Expected != 30_000 {
				t.Errorf("more than %d lost: %+v", tt.most, got)
			}
			if missed := 30_000 - uint64(len(s.arrivals)); got.Repaired+got.Lost != missed {
				t.Errorf("%d of %d missing frames accounted for: %+v", got.Repaired+got.Lost, missed, got)
			}
		})
	}
}
