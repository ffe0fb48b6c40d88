package fanout

import (
	"testing"

	"pgregory.net/rapid"
)

// TestQueueAgainstASlice compares the ring with the plain thing it stands for.
func TestQueueAgainstASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(-1, 40).Draw(t, "limit")
		q := NewQueue[int](limit)
		limit = max(1, limit)
		var model []int
		next := 0
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				dropped := q.Push(next)
				model = append(model, next)
				next++
				if want := len(model) > limit; dropped != want {
					t.Fatalf("dropped = %v, want %v", dropped, want)
				}
				if dropped {
					model = model[1:]
				}
			},
			"pop": func(t *rapid.T) {
				v, rest, ok := q.Pop()
				if ok != (len(model) > 0) {
					t.Fatalf("ok = %v with %d held", ok, len(model))
				}
				if !ok {
					return
				}
				if v != model[0] || rest != len(model)-1 {
					t.Fatalf("Pop = %d, %d; want %d, %d", v, rest, model[0], len(model)-1)
				}
				model = model[1:]
			},
			"": func(t *rapid.T) {
				if q.Len() != len(model) {
					t.Fatalf("Len = %d, want %d", q.Len(), len(model))
				}
			},
		})
	})
}

func TestQueueWakesOnceForEmptyToFull(t *testing.T) {
	q := NewQueue[int](4)
	q.Push(1)
	q.Push(2)
	<-q.Wake()
	select {
	case <-q.Wake():
		t.Error("woken for a push onto a queue that was not empty")
	default:
	}
	q.Pop()
	q.Pop()
	q.Push(3)
	<-q.Wake()
}

func BenchmarkPushPop(b *testing.B) {
	q := NewQueue[*int](64)
	v := new(int)
	b.ReportAllocs()
	for b.Loop() {
		q.Push(v)
		q.Pop()
	}
}
