package sim

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Events come in the order of their times, and of the same time in that in which
// they were noted, however far off they are and whatever is noted meanwhile.
func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var want []event // sorted
		now, noted := time.Duration(0), uint64(0)
		note := func(at time.Duration) {
			noted++
			e := event{at: at, n: noted, kind: wake, a: int32(noted)}
			q.push(event{at: at, kind: wake, a: int32(noted)})
			i, _ := slices.BinarySearchFunc(want, e, func(x, y event) int {
				if x.before(&y) {
					return -1
				}
				return 1
			})
			want = slices.Insert(want, i, e)
		}
		ahead := rapid.OneOf(
			rapid.Int64Range(0, int64(3*slotWidth)),
			rapid.Int64Range(0, int64(slots*slotWidth)),
			rapid.Int64Range(int64((slots-2)*slotWidth), int64((slots+2)*slotWidth)),
			rapid.Int64Range(0, int64(time.Hour)),
		)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "note") {
				note(now + time.Duration(ahead.Draw(t, "ahead")))
				continue
			}
			if len(want) == 0 {
				if at := q.next(); at != never {
					t.Fatalf("something is due at %v in an empty queue", at)
				}
				continue
			}
			// Whoever only looks may note something that is due before.
			if at := q.next(); at != want[0].at {
				t.Fatalf("due at %v, want %v", at, want[0].at)
			}
			if rapid.Bool().Draw(t, "before") {
				note(now + (want[0].at-now)/2)
			}
			got := q.pop()
			if got != want[0] {
				t.Fatalf("%+v, want %+v", got, want[0])
			}
			now, want = got.at, want[1:]
		}
	})
}

// A call's place is used again, and never by two at once.
func TestQueueCalls(t *testing.T) {
	var q queue
	var order []int
	for i := range 100 {
		q.call(time.Duration(i%10)*time.Second, func() { order = append(order, i) })
		if i%3 == 0 {
			q.called(q.pop())()
		}
	}
	for q.next() != never {
		q.called(q.pop())()
	}
	slices.Sort(order)
	if len(order) != 100 || len(slices.Compact(order)) != 100 {
		t.Errorf("%d functions were run", len(order))
	}
	if len(q.calls) > 70 {
		t.Errorf("%d places for 66 calls", len(q.calls))
	}
}

func BenchmarkQueue(b *testing.B) {
	var q queue
	r := source(1, 1)
	for range 1_000_000 {
		q.push(event{at: time.Duration(r.Int64N(int64(8 * time.Second)))})
	}
	for b.Loop() {
		e := q.pop()
		q.push(event{at: e.at + time.Duration(r.Int64N(int64(8*time.Second)))})
	}
}
