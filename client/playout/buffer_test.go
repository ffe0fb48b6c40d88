package playout

import (
	"slices"
	"testing"
	"time"
)

// at is a transit of nothing, except for some sequences.
func at(except map[uint64]time.Duration) func(uint64) time.Duration {
	return func(seq uint64) time.Duration { return except[seq] }
}

// during holds what is spoken from one moment on back until another.
func during(from, until time.Duration) func(seq uint64) time.Duration {
	return func(seq uint64) time.Duration {
		spoken := time.Duration(seq) * Frame
		if spoken >= from && spoken < until {
			return until - spoken
		}
		return 0
	}
}

func gone(seqs ...uint64) func(uint64) bool {
	return func(seq uint64) bool { return slices.Contains(seqs, seq) }
}

// Frames are spoken every 20 ms from 0 on, and the delay is 200 ms, so frame n
// sounds in block 10+n when all goes well.
func TestBuffer(t *testing.T) {
	fifty := say(0, 50, 0)
	tests := []struct {
		name      string
		cfg       Config
		talk      talk
		arrivals  []arrival
		roundTrip time.Duration // 0: nothing is fetched
		nobody    bool          // has what is fetched
		want      string
		stats     Stats
		fetched   []uint64
	}{
		{
			name: "all in time", talk: fifty, arrivals: fifty.sent(at(nil)),
			want:  "10. 50P 1E",
			stats: Stats{Last: 49, Expected: 50, Played: 50},
		},
		{
			name: "the transit does not matter, its spread does", talk: fifty,
			arrivals: fifty.sent(func(uint64) time.Duration { return 5 * time.Second }),
			want:     "260. 50P 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 50},
		},
		{
			name: "spread within the delay", talk: fifty,
			arrivals: fifty.sent(func(seq uint64) time.Duration { return time.Duration(seq*37%160) * ms }),
			want:     "10. 50P 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 50},
		},
		{
			name: "in reverse order by fives", talk: fifty,
			arrivals: fifty.sent(func(seq uint64) time.Duration { return time.Duration(8-2*(seq%5)) * Frame }),
			want:     "10. 50P 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 50},
		},
		{
			name: "twice, from two sources", talk: fifty,
			arrivals: append(fifty.sent(at(nil)), fifty.sent(func(uint64) time.Duration { return 30 * ms })...),
			want:     "10. 50P 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 50, Duplicate: 50},
		},
		{
			name: "one lost, nobody fetches", talk: fifty,
			arrivals: fifty.sent(at(map[uint64]time.Duration{20: -1})),
			want:     "10. 20P 1F 29P 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 49, Lost: 1, Concealed: 1},
		},
		{
			name: "seven lost in a row, nobody fetches", talk: fifty,
			arrivals: fifty.sent(at(map[uint64]time.Duration{20: -1, 21: -1, 22: -1, 23: -1, 24: -1, 25: -1, 26: -1})),
			want:     "10. 20P 6L 1F 23P 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 43, Lost: 7, Concealed: 5}, // four guessed, one by FEC
		},
		{
			name: "one lost, fetched once", talk: fifty, roundTrip: 40 * ms,
			arrivals: fifty.sent(at(map[uint64]time.Duration{20: -1})),
			want:     "10. 20P 1R 29P 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 50, Repaired: 1},
			fetched:  []uint64{20},
		},
		{
			name: "one lost, the round trip too long to fetch", talk: fifty, roundTrip: 200 * ms,
			arrivals: fifty.sent(at(map[uint64]time.Duration{20: -1})),
			want:     "10. 20P 1F 29P 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 49, Lost: 1, Concealed: 1},
		},
		{
			// Asked for at 440 ms and 60 ms later; another 60 ms would be too late.
			name: "one lost, nobody has it", talk: fifty, roundTrip: 40 * ms, nobody: true,
			arrivals: fifty.sent(at(map[uint64]time.Duration{20: -1})),
			want:     "10. 20P 1F 29P 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 49, Lost: 1, Concealed: 1},
			fetched:  []uint64{20, 20},
		},
		{
			name: "overtaken by two frames, not fetched", talk: fifty, roundTrip: 40 * ms,
			cfg:      Config{Reorder: 50 * ms},
			arrivals: fifty.sent(at(map[uint64]time.Duration{20: 45 * ms})),
			want:     "10. 50P 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 50},
		},
		{
			name: "one comes after its time", talk: fifty,
			arrivals: fifty.sent(at(map[uint64]time.Duration{20: 230 * ms})),
			want:     "10. 20P 1F 29P 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 49, Lost: 1, Concealed: 1, Late: 1},
		},
		{
			name: "late and once more", talk: fifty,
			arrivals: append(fifty.sent(at(map[uint64]time.Duration{20: 230 * ms})), arrival{at: 700 * ms, seq: 20, spoken: 400 * ms}),
			want:     "10. 20P 1F 29P 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 49, Lost: 1, Concealed: 1, Late: 1, Duplicate: 1},
		},
		{
			// Nothing is lost: speech goes on after 420 ms of waiting, which is what
			// the outage took beyond the delay, and one block more because the delay
			// grows to the 600 ms just seen and 20 ms.
			name: "an outage of 600 ms and all at once", talk: say(0, 100, 0),
			arrivals: say(0, 100, 0).sent(during(400*ms, 1000*ms)),
			want:     "10. 20P 4S 17. 80P 1E",
			stats:    Stats{Last: 99, Expected: 100, Played: 100, Stalled: 21},
		},
		{
			// The five whose time is over when that shows take no more of it; four
			// were guessed meanwhile. The next ten are lost in their time.
			name: "an outage of 300 ms and nothing of it", talk: fifty,
			arrivals: fifty.sent(func(seq uint64) time.Duration {
				if seq >= 20 && seq < 35 {
					return -1
				}
				return 0
			}),
			want:  "10. 20P 4S 1. 9L 1F 15P 1E",
			stats: Stats{Last: 49, Expected: 50, Played: 35, Lost: 15, Concealed: 5},
		},
		{
			// A short one is concealed, and no silence is added.
			name: "an outage of 260 ms and all at once", talk: fifty,
			arrivals: fifty.sent(during(400*ms, 660*ms)),
			want:     "10. 20P 3S 30P 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 50, Stalled: 3},
		},
		{
			// The default delay is there for this one: a relay dies at 400 ms, the
			// last packet of 60 ms came at 340, the standby's ring answers 130 ms
			// after that with what was missed.
			name: "a hop", talk: say(0, 60, 0), cfg: Config{Packet: 60 * ms},
			arrivals: func() []arrival {
				as := say(0, 60, 0).bundled(3, nil)
				for i, a := range as {
					if a.at > 340*ms && a.at < 470*ms {
						as[i].at = 470 * ms
					}
				}
				return as
			}(),
			want:  "10. 60P 1E",
			stats: Stats{Last: 59, Expected: 60, Played: 60},
		},
		{
			name: "packets of 60 ms", talk: say(0, 60, 0), cfg: Config{Packet: 60 * ms},
			arrivals: say(0, 60, 0).bundled(3, nil),
			want:     "10. 60P 1E",
			stats:    Stats{Last: 59, Expected: 60, Played: 60},
		},
		{
			name: "packets of 120 ms", talk: say(0, 60, 0), cfg: Config{Packet: 120 * ms},
			arrivals: say(0, 60, 0).bundled(6, nil),
			want:     "16. 60P 1E",
			stats:    Stats{Last: 59, Expected: 60, Played: 60},
		},
		{
			name: "a packet of 60 ms lost and fetched", talk: say(0, 60, 0), cfg: Config{Packet: 60 * ms},
			roundTrip: 40 * ms,
			arrivals:  say(0, 60, 0).bundled(3, gone(5)),
			want:      "10. 15P 3R 42P 1E",
			stats:     Stats{Last: 59, Expected: 60, Played: 60, Repaired: 3},
			fetched:   []uint64{15, 16, 17},
		},
		{
			name: "a packet of 120 ms lost and fetched", talk: say(0, 60, 0), cfg: Config{Packet: 120 * ms},
			roundTrip: 40 * ms,
			arrivals:  say(0, 60, 0).bundled(6, gone(5)),
			want:      "16. 30P 6R 24P 1E",
			stats:     Stats{Last: 59, Expected: 60, Played: 60, Repaired: 6},
			fetched:   []uint64{30, 31, 32, 33, 34, 35},
		},
		{
			name:     "the speaker pauses for a second",
			talk:     say(0, 12, 0).then(12, 12, 1240*ms),
			arrivals: say(0, 12, 0).then(12, 12, 1240*ms).sent(at(nil)),
			// Until the next frame comes, nobody knows that it is a pause.
			want:  "10. 12P 4S 46. 12P 1E",
			stats: Stats{Last: 23, Expected: 24, Played: 24},
		},
		{
			name:     "a short pause, known in time",
			talk:     say(0, 12, 0).then(12, 12, 340*ms),
			arrivals: say(0, 12, 0).then(12, 12, 340*ms).sent(at(nil)),
			want:     "10. 12P 5. 12P 1E",
			stats:    Stats{Last: 23, Expected: 24, Played: 24},
		},
		{
			// The frames lost may belong before or after the pause, and there is
			// time for them until the latter is certain.
			name: "the first frames after a pause lost and fetched", roundTrip: 40 * ms,
			talk:     say(0, 12, 0).then(12, 12, 1240*ms),
			arrivals: say(0, 12, 0).then(12, 12, 1240*ms).sent(at(map[uint64]time.Duration{12: -1, 13: -1, 14: -1})),
			want:     "10. 12P 4S 46. 3R 9P 1E",
			stats:    Stats{Last: 23, Expected: 24, Played: 24, Repaired: 3},
			fetched:  []uint64{12, 13, 14},
		},
		{
			name:     "the first frames after a pause lost for good",
			talk:     say(0, 12, 0).then(12, 12, 1240*ms),
			arrivals: say(0, 12, 0).then(12, 12, 1240*ms).sent(at(map[uint64]time.Duration{12: -1, 13: -1, 14: -1})),
			want:     "10. 12P 4S 46. 2L 1F 9P 1E",
			stats:    Stats{Last: 23, Expected: 24, Played: 21, Lost: 3, Concealed: 1},
		},
		{
			name: "the last frames lost and fetched", talk: fifty, roundTrip: 40 * ms,
			arrivals: fifty.sent(at(map[uint64]time.Duration{48: -1, 49: -1})),
			want:     "10. 48P 2R 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 50, Repaired: 2},
			fetched:  []uint64{48, 49},
		},
		{
			name: "the last frames lost for good", talk: fifty,
			arrivals: fifty.sent(at(map[uint64]time.Duration{48: -1, 49: -1})),
			want:     "10. 48P 2L 1E",
			stats:    Stats{Last: 49, Expected: 50, Played: 48, Lost: 2, Concealed: 2},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &scene{
				t:         t,
				cfg:       tt.cfg,
				talk:      tt.talk,
				arrivals:  tt.arrivals,
				roundTrip: tt.roundTrip,
				end:       tt.stats.Last + 1,
				until:     10 * time.Second,
			}
			if tt.nobody {
				s.talk = talk{}
			}
			s.run()
			if got := s.transcript(); got != tt.want {
				t.Errorf("played\n%s, want\n%s", got, tt.want)
			}
			if got := s.buffer.Stats(); got != tt.stats {
				t.Errorf("stats\n%+v, want\n%+v", got, tt.stats)
			}
			if !slices.Equal(s.fetched, tt.fetched) {
				t.Errorf("fetched %v, want %v", s.fetched, tt.fetched)
			}
		})
	}
}
