package hop

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	epoch = int64(1_000_000_000)
	frame = int64(20_000)
)

func stamp(i int) uint64 { return uint64(epoch + int64(i)*frame) }

// arrives is when frame i comes after so many ms.
func arrives(i, ms int) time.Time { return time.UnixMicro(int64(stamp(i)) + int64(ms)*1000) }

func TestAccount(t *testing.T) {
	type heard struct{ frame, ms int }
	steady := func(from, to, ms int) (all []heard) {
		for i := from; i < to; i++ {
			all = append(all, heard{i, ms})
		}
		return all
	}
	join := func(parts ...[]heard) (all []heard) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	tests := []struct {
		name     string
		heard    []heard
		from, to int // frames that are asked for
		want     Heard
	}{
		{name: "nothing came", from: 0, to: 10},
		{name: "all in time", heard: steady(0, 100, 50), from: 10, to: 90, want: Heard{Expected: 80}},
		{
			name:  "in time is until the least way and the delay are over",
			heard: join(steady(0, 50, 50), steady(50, 60, 250), steady(60, 70, 251), steady(70, 100, 50)), from: 0, to: 100,
			want: Heard{Expected: 100, Lost: 10, Longest: 200 * time.Millisecond},
		},
		{
			name:  "a hole, and then another",
			heard: join(steady(0, 50, 50), steady(53, 60, 50), steady(65, 100, 50)), from: 0, to: 100,
			want: Heard{Expected: 100, Lost: 8, Longest: 100 * time.Millisecond},
		},
		{
			name:  "a hole that the question cuts in two",
			heard: join(steady(0, 50, 50), steady(60, 100, 50)), from: 55, to: 100,
			want: Heard{Expected: 45, Lost: 5, Longest: 100 * time.Millisecond},
		},
		{
			name:  "what never comes is expected, too",
			heard: steady(0, 50, 50), from: 40, to: 100,
			want: Heard{Expected: 60, Lost: 50, Longest: time.Second},
		},
		{
			name:  "the first copy counts",
			heard: join(steady(0, 50, 50), steady(20, 30, 900)), from: 0, to: 50,
			want: Heard{Expected: 50},
		},
		{
			name:  "a late first copy is not mended by an early second",
			heard: join(steady(0, 20, 50), steady(20, 22, 900), steady(20, 50, 50)), from: 0, to: 50,
			want: Heard{Expected: 50, Lost: 2, Longest: 40 * time.Millisecond},
		},
		{
			name:  "order does not matter",
			heard: join(steady(0, 1, 50), steady(30, 50, 50), steady(1, 30, 60)), from: 0, to: 50,
			want: Heard{Expected: 50},
		},
		{
			name:  "what was before the first frame is nobody's",
			heard: join(steady(20, 50, 50), steady(0, 20, 50)), from: 0, to: 50,
			want: Heard{Expected: 30},
		},
		{name: "the end before the beginning", heard: steady(0, 50, 50), from: 40, to: 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var a Account
			for _, h := range tt.heard {
				a.Hear(1000+uint64(h.frame), stamp(h.frame), arrives(h.frame, h.ms), false)
			}
			if got := a.Learn(); got != (len(tt.heard) > 0) {
				t.Errorf("Learn = %v", got)
			}
			if got := a.Between(int64(stamp(tt.from)), int64(stamp(tt.to)), 200*time.Millisecond); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// What is learned stays: a way that grows later is not the new normal.
func TestLearnOnce(t *testing.T) {
	var a Account
	for i := range 10 {
		a.Hear(uint64(i), stamp(i), arrives(i, 50-i), false) // 41 ms at the least
	}
	a.Learn()
	a.Hear(10, stamp(10), arrives(10, 1), false) // not learned
	a.Hear(11, stamp(11), arrives(11, 241), false)
	a.Hear(12, stamp(12), arrives(12, 242), false)
	if got := a.Between(0, int64(stamp(13)), 200*time.Millisecond); got.Lost != 1 {
		t.Errorf("%+v", got)
	}
}

func TestStrangeFrames(t *testing.T) {
	var a Account
	a.Hear(5, stamp(0), arrives(0, 10), false)
	a.Hear(6, stamp(1)+9_999, arrives(1, 10), false) // a little off
	a.Hear(7, stamp(2)+10_001, arrives(2, 10), false)
	a.Hear(8, stamp(0), arrives(0, 10), false)
	a.Hear(9, math.MaxUint64, arrives(3, 10), false)
	a.Hear(5+maxFrames, stamp(maxFrames), arrives(maxFrames, 10), false) // too far to be kept
	a.Learn()
	if got, want := a.Between(epoch, int64(stamp(2)), time.Second), (Heard{Expected: 2, Strange: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestAdd(t *testing.T) {
	a, b := Heard{10, 2, time.Second, 1}, Heard{5, 1, time.Minute, 2}
	if got, want := a.Add(b), (Heard{15, 3, time.Minute, 3}); got != want || b.Add(a) != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// However a time is cut, its parts have the frames of the whole, and no gap of a
// part is longer than that of the whole.
func TestPartsOfATime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a Account
		for i := range 60 {
			if i == 0 || rapid.Bool().Draw(t, "came") {
				a.Hear(uint64(i), stamp(i), arrives(i, rapid.IntRange(0, 400).Draw(t, "ms")), false)
			}
		}
		a.Learn()
		end := int64(stamp(60))
		cut := rapid.Int64Range(epoch-frame, end+frame).Draw(t, "cut")
		whole := a.Between(epoch, end, 200*time.Millisecond)
		left, right := a.Between(epoch, min(cut, end), 200*time.Millisecond), a.Between(max(cut, epoch), end, 200*time.Millisecond)
		sum := left.Add(right)
		if sum.Expected != whole.Expected || sum.Lost != whole.Lost || sum.Longest > whole.Longest {
			t.Fatalf("%+v and %+v, of %+v", left, right, whole)
		}
	})
}
