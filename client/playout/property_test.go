package playout

import (
	"encoding/binary"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// audit checks what must hold of a window at any moment, after pushes frames
// were pushed.
func audit(t rapid.TB, w *window, pushes uint64) {
	t.Helper()
	here, missing := uint64(0), 0
	for seq := w.next; seq < w.end; seq++ {
		if w.at(seq).here {
			here++
		} else {
			missing++
		}
	}
	s := w.stats
	if got := s.Played + s.Late + s.Duplicate + s.Refused + here; got != pushes {
		t.Fatalf("%d of %d pushed frames accounted for: %+v, %d here", got, pushes, s, here)
	}
	if s.Played+s.Lost != s.Expected {
		t.Fatalf("played %d and lost %d of %d", s.Played, s.Lost, s.Expected)
	}
	if s.Repaired > s.Played || s.Concealed > s.Lost {
		t.Fatalf("parts greater than the whole: %+v", s)
	}
	if w.restarts == 0 && s.Expected > 0 && s.Last-s.First+1 != s.Expected {
		t.Fatalf("%d to %d are not %d", s.First, s.Last, s.Expected)
	}
	if missing != w.missing {
		t.Fatalf("%d holes, counted %d", missing, w.missing)
	}
	if w.end < w.next || w.end-w.next > w.size() {
		t.Fatalf("window of %d holds [%d, %d)", w.size(), w.next, w.end)
	}
	if uint64(len(w.spare))+here > w.size() {
		t.Fatalf("%d packets and %d spare in a window of %d", here, len(w.spare), w.size())
	}
}

// auditSlot checks a slot by itself.
func auditSlot(t rapid.TB, s Slot) {
	t.Helper()
	ok := false
	switch s.Kind {
	case Play:
		ok = len(s.Packet) > 0
	case Lost, Starved:
		ok = s.Run > 0
	case Silence:
		ok = s.Wait > 0
	case Ended:
		ok = true
	}
	if !ok {
		t.Fatalf("%v slot without its due: %+v", s.Kind, s)
	}
}

// A path is what the network does to a talk: late, lost, doubled.
func drawPath(t *rapid.T, n int) (as []arrival, speech talk) {
	speech = say(uint64(rapid.IntRange(0, 1000).Draw(t, "first")), 0, 0)
	first, spoken := uint64(len(speech.frames)), time.Duration(0)
	for range n {
		if rapid.IntRange(0, 20).Draw(t, "pauses") == 0 {
			spoken += time.Duration(rapid.IntRange(1, 100).Draw(t, "for")) * Frame
		}
		speech = speech.then(first, 1, spoken)
		for range rapid.SampledFrom([]int{0, 1, 1, 1, 1, 1, 1, 1, 2, 3}).Draw(t, "copies") {
			late := rapid.SampledFrom([]int{5, 5, 5, 5, 50, 300, 1500}).Draw(t, "late")
			late = rapid.IntRange(0, late).Draw(t, "by")
			as = append(as, arrival{at: spoken + time.Duration(late)*ms, seq: first, spoken: spoken})
		}
		first++
		spoken += Frame
	}
	return as, speech
}

// Whatever the network does, every frame is played once or counted, in order,
// and a talk that ends is played to its end.
func TestBufferProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		as, speech := drawPath(t, rapid.IntRange(1, 150).Draw(t, "frames"))
		s := &scene{
			t:         testing.TB(nil),
			cfg:       Config{MinDelay: time.Duration(rapid.SampledFrom([]int{20, 60, 200, 500}).Draw(t, "delay")) * ms},
			arrivals:  as,
			talk:      speech,
			roundTrip: time.Duration(rapid.SampledFrom([]int{0, 10, 40, 300}).Draw(t, "round trip")) * ms,
			end:       speech.frames[len(speech.frames)-1] + 1,
			until:     time.Minute,
		}
		s.run()
		audit(t, &s.buffer.win, s.pushed)
		if len(as) > 0 && !s.buffer.Done() {
			t.Fatalf("not done: %+v, %s", s.buffer.Stats(), s.transcript())
		}
		next, asked := uint64(0), map[uint64]int{}
		for _, slot := range s.blocks {
			auditSlot(t, slot)
			if slot.Kind == Play || slot.Kind == Lost {
				if slot.Sequence < next {
					t.Fatalf("%d after %d", slot.Sequence, next-1)
				}
				next = slot.Sequence + 1
			}
		}
		for _, seq := range s.fetched {
			if asked[seq]++; asked[seq] > maxAsks {
				t.Fatalf("%d asked for %d times", seq, asked[seq])
			}
		}
	})
}

// With a delay above all that the network does, nothing is lost and nothing
// but the sequence decides.
func TestBufferLosesNothingWithinItsDelay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 150).Draw(t, "frames")
		speech := say(0, n, 0)
		lost := 0
		as := speech.sent(func(uint64) time.Duration {
			if rapid.IntRange(0, 19).Draw(t, "lost") == 0 && lost < 2 {
				lost++
				return -1 // 5 %, never more than two in a row
			}
			lost = 0
			return time.Duration(rapid.IntRange(0, 60).Draw(t, "late")) * ms
		})
		if len(as) == 0 || as[0].seq != 0 {
			return // what is lost before anything came is not known to be
		}
		s := &scene{arrivals: as, talk: speech, roundTrip: 40 * ms, end: uint64(n), until: time.Minute}
		s.run()
		want := Stats{Last: uint64(n) - 1, Expected: uint64(n), Played: uint64(n)}
		got := s.buffer.Stats()
		got.Repaired, got.Duplicate = 0, 0
		if got != want {
			t.Fatalf("stats %+v, want %+v: %s", got, want, s.transcript())
		}
	})
}

// A step is one call to a buffer, as fuzzing makes them up.
type step struct {
	op       byte
	seq      uint64
	stamp    uint64
	size     int
	duration time.Duration
}

// play makes the calls and audits after each.
func play(t rapid.TB, steps []step) {
	b := NewBuffer(Config{MaxDelay: 300 * ms})
	q := NewSequencer(Config{MaxDelay: 300 * ms})
	packet := make([]byte, 1<<16)
	now, pushes := time.Duration(0), uint64(0)
	for _, s := range steps {
		now += s.duration
		switch s.op % 6 {
		case 0, 1:
			pushes++
			b.Push(s.seq, s.stamp, packet[:s.size], now)
			q.Push(s.seq, s.stamp, packet[:s.size], now)
		case 2:
			pushes++
			b.PushRepaired(s.seq, s.stamp, packet[:s.size], now)
			q.PushRepaired(s.seq, s.stamp, packet[:s.size], now)
		case 3:
			auditSlot(t, b.Pop(now))
			if slot, ok := q.Next(now); ok {
				if slot.Kind > Lost || slot.Sequence >= q.win.next {
					t.Fatalf("out of order: %+v", slot)
				}
			}
		case 4:
			rtt := time.Duration(s.size) * time.Microsecond
			for _, seq := range append(b.Holes(now, rtt, nil), q.Holes(now, rtt, nil)...) {
				b.FetchFailed(seq)
			}
		case 5:
			b.End(s.seq, now)
			q.End(s.seq, now)
		}
		audit(t, &b.win, pushes)
		audit(t, &q.win, pushes)
		if d := b.Timing(now).Delay; d < 200*ms || d > 300*ms {
			t.Fatalf("delay of %v", d)
		}
	}
}

// Arbitrary calls, mostly near each other, break nothing.
func TestBufferTakesAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var steps []step
		seq, stamp := uint64(0), uint64(0)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			seq += rapid.SampledFrom([]uint64{1, 1, 1, 1, 0, 2, 5, 70, 300, 1 << 40, 1<<64 - 1, 1<<64 - 50, 1<<64 - 1000}).Draw(t, "seq")
			stamp += rapid.SampledFrom([]uint64{20000, 20000, 20000, 0, 60000, 1 << 30, 1 << 61, 1<<64 - 20000, 1<<64 - 1<<40}).Draw(t, "stamp")
			steps = append(steps, step{
				op:       rapid.Byte().Draw(t, "op"),
				seq:      seq,
				stamp:    stamp,
				size:     rapid.SampledFrom([]int{100, 1, 0, 1275, MaxPacket, MaxPacket + 1}).Draw(t, "size"),
				duration: time.Duration(rapid.SampledFrom([]int{0, 0, 5, 20, 20, 600, 100000, -20}).Draw(t, "ms")) * ms,
			})
		}
		play(t, steps)
	})
}

func FuzzBuffer(f *testing.F) {
	encode := func(steps ...step) (b []byte) {
		for _, s := range steps {
			b = append(b, s.op)
			b = binary.BigEndian.AppendUint64(b, s.seq)
			b = binary.BigEndian.AppendUint64(b, s.stamp)
			b = binary.BigEndian.AppendUint16(b, uint16(s.size))
			b = binary.BigEndian.AppendUint16(b, uint16(s.duration/ms))
		}
		return b
	}
	pop := step{op: 3, duration: Frame}
	f.Add(encode(step{seq: 1, size: 9}, step{seq: 3, stamp: 40000, size: 9}, step{op: 4, size: 1000, duration: 20 * ms}, pop))
	f.Add(encode(step{seq: 1, size: 9}, step{seq: 1 << 40, size: 9, duration: time.Second}, step{seq: 1<<40 + 1, size: 9}, pop, pop))
	f.Add(encode(step{seq: 500, size: 9}, step{seq: 0, size: 9, duration: time.Second}, step{seq: 1, size: 9}, step{op: 5, seq: 9}, pop))
	f.Add(encode(step{seq: maxSequence, stamp: 1<<64 - 1, size: 9}, step{seq: maxSequence, size: 1}, pop, pop))
	f.Fuzz(func(t *testing.T, b []byte) {
		const size = 1 + 8 + 8 + 2 + 2
		var steps []step
		for ; len(b) >= size && len(steps) < 2000; b = b[size:] {
			steps = append(steps, step{
				op:       b[0],
				seq:      binary.BigEndian.Uint64(b[1:]),
				stamp:    binary.BigEndian.Uint64(b[9:]),
				size:     int(binary.BigEndian.Uint16(b[17:])),
				duration: time.Duration(int16(binary.BigEndian.Uint16(b[19:]))) * ms,
			})
		}
		play(t, steps)
	})
}
