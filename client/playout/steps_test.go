package playout

import (
	"testing"
	"time"
)

// Clocks and sequences that do not simply go on.
func TestBufferSteps(t *testing.T) {
	hundred := say(0, 100, 0)
	// stepped changes what the speaker's clock says from a sequence on.
	stepped := func(as []arrival, from uint64, by time.Duration) []arrival {
		for i := range as {
			if as[i].seq >= from {
				as[i].spoken += by
			}
		}
		return as
	}
	// renumbered changes the sequences from one on.
	renumbered := func(as []arrival, from, to uint64) []arrival {
		for i := range as {
			if as[i].seq >= from {
				as[i].seq += to - from
			}
		}
		return as
	}
	tests := []struct {
		name     string
		arrivals []arrival
		want     string
		stats    Stats
	}{
		{
			name:     "the clock steps back by an hour",
			arrivals: stepped(hundred.sent(at(nil)), 50, -time.Hour),
			want:     "10. 100P 4S 37.",
			stats:    Stats{Last: 99, Expected: 100, Played: 100},
		},
		{
			name:     "the clock steps back by a century",
			arrivals: stepped(hundred.sent(at(nil)), 50, -100*365*24*time.Hour),
			want:     "10. 100P 4S 37.",
			stats:    Stats{Last: 99, Expected: 100, Played: 100},
		},
		{
			name:     "the clock steps ahead by an hour",
			arrivals: stepped(hundred.sent(at(nil)), 50, time.Hour),
			want:     "10. 100P 4S 37.",
			stats:    Stats{Last: 99, Expected: 100, Played: 100},
		},
		{
			name:     "it steps with frames under way that are from before",
			arrivals: stepped(hundred.sent(at(map[uint64]time.Duration{48: 60 * ms, 49: 60 * ms})), 50, -time.Hour),
			want:     "10. 100P 4S 37.",
			stats:    Stats{Last: 99, Expected: 100, Played: 100},
		},
		{
			// Two seconds' pause, and the clock does not know of it.
			// The first second of frames, later than any delay allows, is lost.
			name: "the clock stands still for two seconds",
			arrivals: say(0, 150, 0).sent(func(seq uint64) time.Duration {
				if seq < 50 {
					return 0
				}
				return 2 * time.Second
			}),
			want:  "10. 50P 4S 146. 41P",
			stats: Stats{Last: 140, Expected: 141, Played: 91, Lost: 50, Late: 50},
		},
		{
			// Frames 50 to 124 come at once, up to 1.5 s late. The oldest are worth
			// no silence; the delay has grown to its most, a second.
			name:     "an outage longer than the longest delay",
			arrivals: say(0, 200, 0).sent(during(1000*ms, 2500*ms)),
			want:     "10. 50P 4S 61. 125P 1S",
			stats:    Stats{Last: 199, Expected: 200, Played: 175, Lost: 25, Late: 25},
		},
		{
			name:     "the speaker begins again from 0 after two seconds",
			arrivals: append(hundred.sent(at(nil)), say(0, 50, 4*time.Second).sent(at(nil))...),
			want:     "10. 100P 4S 96. 1F 40P",
			stats:    Stats{Last: 40, Expected: 141, Played: 140, Lost: 1, Concealed: 1, Refused: 1},
		},
		{
			name:     "the sequence jumps by a trillion",
			arrivals: renumbered(hundred.sent(at(nil)), 50, 1<<40),
			want:     "10. 50P 4S 19. 1F 26P 4S 37.",
			stats:    Stats{Last: 1<<40 + 49, Expected: 1<<40 + 50, Played: 76, Lost: 1<<40 - 26, Concealed: 1, Refused: 24},
		},
		{
			name: "a single sequence of a trillion",
			arrivals: append(hundred.sent(at(nil)),
				arrival{at: 1010 * ms, seq: 1 << 40, spoken: 1010 * ms}),
			want:  "10. 100P 4S 37.",
			stats: Stats{Last: 99, Expected: 100, Played: 100, Refused: 1},
		},
		{
			name: "a copy of what was said a minute ago, frame by frame",
			arrivals: append(renumbered(hundred.sent(at(nil)), 0, 3000),
				say(0, 100, 0).sent(func(uint64) time.Duration { return 300 * ms })...),
			want:  "10. 100P 4S 37.",
			stats: Stats{First: 3000, Last: 3099, Expected: 100, Played: 100, Refused: 100},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &scene{t: t, arrivals: tt.arrivals, until: 3000 * ms}
			if last := tt.arrivals[len(tt.arrivals)-1].at; last > 3*time.Second {
				s.until = 5 * time.Second
			}
			s.run()
			if got := s.transcript(); got != tt.want {
				t.Errorf("played\n%s, want\n%s", got, tt.want)
			}
			if got := s.buffer.Stats(); got != tt.stats {
				t.Errorf("stats\n%+v, want\n%+v", got, tt.stats)
			}
		})
	}
}
