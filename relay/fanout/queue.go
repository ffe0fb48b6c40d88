// Package fanout holds the bounded queue between the goroutine that brings a
// group and the goroutine that sends it to one session. It never blocks the
// one who pushes: a session that does not keep up loses its oldest groups and
// costs nobody else any time.
package fanout

import "sync"

// A Queue is a first-in first-out queue of at most Limit items. Push may be
// called from anywhere; Pop belongs to one goroutine.
type Queue[T any] struct {
	wake chan struct{}

	mu    sync.Mutex
	items []T // ring; grows up to limit
	head  int
	n     int
	limit int
}

// minItems is what a queue starts with: most sessions never hold more than one
// or two groups, and there are very many sessions.
const minItems = 4

// NewQueue returns a queue of at most limit items; limit below one counts as one.
func NewQueue[T any](limit int) *Queue[T] {
	return &Queue[T]{wake: make(chan struct{}, 1), limit: max(1, limit)}
}

// Push appends v and reports whether the oldest item had to go for it.
func (q *Queue[T]) Push(v T) (dropped bool) {
	q.mu.Lock()
	if q.n == len(q.items) && q.n < q.limit {
		q.grow()
	}
	if q.n == len(q.items) {
		q.head = (q.head + 1) % len(q.items)
		q.n--
		dropped = true
	}
	q.items[(q.head+q.n)%len(q.items)] = v
	q.n++
	first := q.n == 1
	q.mu.Unlock()
	if first {
		q.Poke() // only the push onto an empty queue has somebody to wake
	}
	return dropped
}

// Poke wakes who waits for the queue, for whatever other reason. It never
// blocks.
func (q *Queue[T]) Poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *Queue[T]) grow() {
	bigger := make([]T, min(q.limit, max(minItems, 2*len(q.items))))
	for i := range q.n {
		bigger[i] = q.items[(q.head+i)%len(q.items)]
	}
	q.items, q.head = bigger, 0
}

// Pop takes the oldest item, or reports false where there is none. rest is how
// many remain behind it.
func (q *Queue[T]) Pop() (v T, rest int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n == 0 {
		return v, 0, false
	}
	var zero T
	v = q.items[q.head]
	q.items[q.head] = zero
	q.head = (q.head + 1) % len(q.items)
	q.n--
	return v, q.n, true
}

// Wake receives after the queue has gone from empty to not empty, and after
// Poke. A receive may be stale: Pop may find nothing.
func (q *Queue[T]) Wake() <-chan struct{} { return q.wake }

// Len is how many items wait.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n
}
