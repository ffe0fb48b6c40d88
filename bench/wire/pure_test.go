package wire

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestConditionsRefused(t *testing.T) {
	for name, c := range map[string]Conditions{
		"a negative round trip":           {RTT: -1},
		"a round trip to the moon":        {RTT: 11 * time.Second},
		"negative jitter":                 {RTT: time.Second, Jitter: -1},
		"more jitter than time":           {RTT: time.Second, Jitter: time.Second + 1},
		"a negative loss":                 {Loss: -0.1},
		"more lost than sent":             {Loss: 1.1},
		"a loss that is no number at all": {Loss: math.NaN()},
	} {
		if _, err := New(c); !errors.Is(err, ErrConditions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestThrow(t *testing.T) {
	start := time.Unix(1000, 0)
	tests := []struct {
		name        string
		c           Conditions
		least, most time.Duration
		lost        [2]int // of a thousand
	}{
		{"at once", Conditions{}, 0, 0, [2]int{0, 0}},
		{"half a round trip", Conditions{RTT: 40 * time.Millisecond}, 20 * time.Millisecond, 20 * time.Millisecond, [2]int{0, 0}},
		{"jitter", Conditions{RTT: 40 * time.Millisecond, Jitter: 10 * time.Millisecond}, 15 * time.Millisecond, 25 * time.Millisecond, [2]int{0, 0}},
		{"as much jitter as time", Conditions{RTT: 40 * time.Millisecond, Jitter: 40 * time.Millisecond}, 0, 40 * time.Millisecond, [2]int{0, 0}},
		{"some are lost", Conditions{Loss: 0.1}, 0, 0, [2]int{60, 140}},
		{"all are lost", Conditions{Loss: 1}, 0, 0, [2]int{1000, 1000}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDice(tt.c, 1)
			lost := 0
			var last time.Time
			for i := range 1000 {
				now := start.Add(time.Duration(i) * 50 * time.Millisecond) // apart, so that none waits for another
				due, arrives := d.throw(now, 2)
				if !arrives {
					lost++
					continue
				}
				if way := due.Sub(now); way < tt.least || way > tt.most {
					t.Fatalf("packet %d took %v, want %v to %v", i, way, tt.least, tt.most)
				}
				if due.Before(last) {
					t.Fatalf("packet %d overtook another", i)
				}
				last = due
			}
			if lost < tt.lost[0] || lost > tt.lost[1] {
				t.Errorf("%d lost, want %v", lost, tt.lost)
			}
		})
	}
}

// Packets to one host keep their order, however close they are, and those to
// another do not wait for them; the same seed decides the same.
func TestThrowKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Conditions{RTT: 40 * time.Millisecond, Jitter: 40 * time.Millisecond, Loss: 0.2, Seed: rapid.Uint64().Draw(t, "seed")}
		a, b := newDice(c, 1), newDice(c, 1)
		var last [4]time.Time
		now := time.Unix(1000, 0)
		for range 50 {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "pause")) * time.Millisecond)
			to := byte(rapid.IntRange(1, 3).Draw(t, "to"))
			due, ok := a.throw(now, to)
			if again, okAgain := b.throw(now, to); ok != okAgain || !due.Equal(again) {
				t.Fatal("the same seed decides differently")
			}
			if ok && (due.Before(last[to]) || due.Sub(now) > 40*time.Millisecond && !due.Equal(last[to])) {
				t.Fatalf("due %v after %v", due, last[to])
			}
			if ok {
				last[to] = due
			}
		}
	})
}

func TestDestination(t *testing.T) {
	packet := func(change func([]byte) []byte) []byte {
		b := make([]byte, 28)
		b[0] = 0x45
		copy(b[16:], []byte{198, 18, 0, 7})
		if change != nil {
			b = change(b)
		}
		return b
	}
	tests := []struct {
		name   string
		packet []byte
		want   byte
	}{
		{"to a host", packet(nil), 7},
		{"empty", nil, 0},
		{"cut short", packet(func(b []byte) []byte { return b[:19] }), 0},
		{"IPv6", packet(func(b []byte) []byte { b[0] = 0x60; return b }), 0},
		{"to another network", packet(func(b []byte) []byte { b[17] = 19; return b }), 0},
		{"to the network", packet(func(b []byte) []byte { b[19] = 0; return b }), 0},
		{"to all of it", packet(func(b []byte) []byte { b[19] = 255; return b }), 0},
	}
	for _, tt := range tests {
		if got, ok := destination(tt.packet); got != tt.want || ok != (tt.want != 0) {
			t.Errorf("%s: %d, %v", tt.name, got, ok)
		}
	}
	if address(7).String() != "198.18.0.7" {
		t.Error(address(7))
	}
}

func TestLine(t *testing.T) {
	l := newLine()
	at := func(ms int) time.Time { return time.Unix(1000, 0).Add(time.Duration(ms) * time.Millisecond) }
	if _, _, more := l.take(at(0), nil); more {
		t.Error("an empty line has more")
	}
	for i, ms := range []int{30, 10, 20, 10} {
		l.put([]byte{byte(i)}, at(ms))
	}
	due, next, more := l.take(at(9), nil)
	if len(due) != 0 || !next.Equal(at(10)) || !more {
		t.Errorf("too soon: %v, %v, %v", due, next, more)
	}
	due, next, more = l.take(at(20), nil)
	var order []byte
	for _, b := range due {
		order = append(order, b...)
	}
	if !slices.Equal(order, []byte{1, 3, 2}) || !next.Equal(at(30)) || !more {
		t.Errorf("%v, %v, %v", order, next, more)
	}
	l.give(due)
	l.put([]byte{9, 9}, at(30)) // in the bytes of another
	due, _, more = l.take(at(30), due[:0])
	if len(due) != 2 || due[0][0] != 0 || !slices.Equal(due[1], []byte{9, 9}) || more {
		t.Errorf("%v, %v", due, more)
	}
}

// The writer is woken for a packet that is due before all others, and for no
// other.
func TestLineWakes(t *testing.T) {
	l := newLine()
	for i, tt := range []struct {
		ms    int
		wakes bool
	}{{20, true}, {30, false}, {20, false}, {10, true}} {
		l.put(nil, time.Unix(0, int64(tt.ms)*1e6))
		woken := false
		select {
		case <-l.wake:
			woken = true
		default:
		}
		if woken != tt.wakes {
			t.Errorf("packet %d, due at %d: woken %v", i, tt.ms, woken)
		}
	}
}

func TestLineIsBounded(t *testing.T) {
	l := newLine()
	for i := range maxLine + 1 {
		if ok := l.put(nil, time.Unix(0, 0)); ok != (i < maxLine) {
			t.Fatalf("packet %d: %v", i, ok)
		}
	}
}
