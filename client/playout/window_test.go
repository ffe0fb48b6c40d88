package playout

import (
	"slices"
	"testing"
	"time"
)

func TestBufferRefuses(t *testing.T) {
	good := packetOf(100)
	tests := []struct {
		name   string
		seq    uint64
		packet []byte
	}{
		{"an empty packet", 101, nil},
		{"a packet longer than any", 101, make([]byte, MaxPacket+1)},
		{"a sequence no varint holds", 1 << 62, good},
		{"the highest sequence", 1<<64 - 1, good},
		{"a sequence far ahead", 100 + 10000, good},
		{"a sequence just outside", 100 + 256, good},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := NewBuffer(Config{})
			b.Push(100, 0, good, 0)
			if got := b.Push(tt.seq, 20000, tt.packet, 20*ms); got != Refused {
				t.Errorf("Push = %v, want refused", got)
			}
			if got := b.Timing(20 * ms); got.Buffered != 1 || got.Missing != 0 {
				t.Errorf("%d frames and %d holes, want 1 and 0", got.Buffered, got.Missing)
			}
		})
	}
}

func TestBufferOutcomes(t *testing.T) {
	b, now := NewBuffer(Config{}), 200*ms
	for _, step := range []struct {
		what string
		seq  uint64
		pop  int // slots before it is pushed
		want Outcome
	}{
		{"the first", 100, 0, Accepted},
		{"again", 100, 0, Duplicate},
		{"one before it, nothing played yet", 98, 0, Accepted},
		{"the one between", 99, 0, Accepted},
		{"one with two missing before", 103, 0, Accepted},
		{"one that was played", 100, 3, Duplicate},
		{"one before all that was played", 97, 0, Late},
		{"and once more", 97, 0, Duplicate},
		{"one that may still come", 102, 1, Accepted},
		{"one given up", 101, 0, Late},
	} {
		for range step.pop {
			b.Pop(now)
			now += Frame
		}
		if got := b.Push(step.seq, micros(time.Duration(step.seq)*Frame), packetOf(step.seq), 0); got != step.want {
			t.Errorf("%s: Push(%d) = %v, want %v", step.what, step.seq, got, step.want)
		}
	}
}

// A window that moves before anything was played loses what it held.
func TestBufferMovesBeforeItPlays(t *testing.T) {
	for _, tt := range []struct {
		name string
		to   uint64
		want Stats
	}{
		{"ahead", 5000, Stats{First: 1000, Last: 4999, Expected: 4000, Lost: 4000, Late: 2, Refused: 1}},
		{"behind", 0, Stats{First: 1000, Last: 1001, Expected: 2, Lost: 2, Late: 2, Refused: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := NewBuffer(Config{})
			for i, seq := range []uint64{1000, 1001, tt.to, tt.to + 1} {
				now := time.Duration(i/2) * time.Second
				b.Push(seq, micros(now), packetOf(seq), now)
			}
			if got := b.Stats(); got != tt.want {
				t.Errorf("stats\n%+v, want\n%+v", got, tt.want)
			}
			if got := b.Holes(1010*ms, 0, nil); !slices.Equal(got, []uint64{tt.to}) {
				t.Errorf("holes %v, want the refused %d", got, tt.to)
			}
		})
	}
}

// A flood keeps a window's worth and nothing else.
func TestBufferFlood(t *testing.T) {
	b := NewBuffer(Config{})
	packet := make([]byte, MaxPacket)
	for i := range uint64(100_000) {
		b.Push(i, i*20000, packet, time.Duration(i)*time.Microsecond)
	}
	if got := b.Timing(0).Buffered; got != 256 {
		t.Errorf("%d frames held, want 256", got)
	}
	if got := b.Stats().Refused; got != 100_000-256 {
		t.Errorf("%d frames refused, want %d", got, 100_000-256)
	}
	for range 1000 { // it goes on when its speaker does
		b.Pop(time.Second)
	}
	b.Push(100_000, 100_000*20000, packet, 2*time.Second)
	if got := b.Push(100_001, 100_001*20000, packet, 2*time.Second); got != Accepted {
		t.Errorf("a second frame after the flood: %v, want accepted", got)
	}
}

func TestHolesAreAskedForOnce(t *testing.T) {
	newBuffer := func() *Buffer {
		b := NewBuffer(Config{})
		for _, seq := range []uint64{0, 1, 4} { // 2 and 3 are missing, due at 240 ms
			b.Push(seq, micros(time.Duration(seq)*Frame), packetOf(seq), time.Duration(seq)*Frame)
		}
		return b
	}
	both, none := []uint64{2, 3}, []uint64(nil)
	tests := []struct {
		name string
		at   time.Duration
		rtt  time.Duration
		fail uint64 // reported before
		want []uint64
	}{
		{"too early: it may only be overtaken", 89 * ms, 30 * ms, 0, none},
		{"now", 90 * ms, 30 * ms, 0, both},
		{"not again", 110 * ms, 30 * ms, 0, none},
		{"a fetch that failed", 120 * ms, 30 * ms, 3, []uint64{3}},
		{"a round trip and 20 ms later", 140 * ms, 30 * ms, 0, []uint64{2}},
		{"the one that was asked for later", 170 * ms, 30 * ms, 0, []uint64{3}},
		{"three times are enough", 190 * ms, 30 * ms, 3, []uint64{2}},
		{"for both", 210 * ms, 20 * ms, 2, none},
		{"a sequence that is not missing", 211 * ms, 20 * ms, 4, none},
	}
	b := newBuffer()
	for _, tt := range tests {
		b.FetchFailed(tt.fail)
		if got := b.Holes(tt.at, tt.rtt, nil); !slices.Equal(got, tt.want) {
			t.Errorf("%s: Holes = %v, want %v", tt.name, got, tt.want)
		}
	}
	// Two is due at 240 ms, three at 260.
	for _, tt := range []struct {
		at   time.Duration
		want []uint64
	}{
		{139 * ms, both}, {140 * ms, []uint64{3}}, {159 * ms, []uint64{3}}, {160 * ms, none},
	} {
		if got := newBuffer().Holes(tt.at, 100*ms, nil); !slices.Equal(got, tt.want) {
			t.Errorf("at %v: Holes = %v, want %v", tt.at, got, tt.want)
		}
	}
}

func TestExpectedBy(t *testing.T) {
	b := NewBuffer(Config{Packet: 60 * ms})
	if _, _, ok := b.ExpectedBy(); ok {
		t.Error("expects a frame before the first")
	}
	for _, a := range say(0, 60, 0).bundled(3, nil) {
		b.Push(a.seq, micros(a.spoken), packetOf(a.seq), a.at+30*ms)
	}
	b.Pop(1250 * ms)
	// The last bundle came at 1180+30 ms; the next will 60 ms later.
	if seq, by, _ := b.ExpectedBy(); seq != 60 || by != 1270*ms {
		t.Errorf("expects %d by %v, want 60 by 1.27s", seq, by)
	}
}
