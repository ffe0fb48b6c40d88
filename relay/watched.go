package relay

import "sync"

// watched is a value that others wait for to change.
type watched[T comparable] struct {
	mu      sync.Mutex
	value   T
	changed chan struct{} // closed and made anew with each change
}

func newWatched[T comparable](value T) *watched[T] {
	return &watched[T]{value: value, changed: make(chan struct{})}
}

// Get returns the value, and a channel that is closed when it is no longer that.
func (w *watched[T]) Get() (T, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.value, w.changed
}

// Set changes the value.
func (w *watched[T]) Set(value T) {
	w.Swap(func(T) (T, bool) { return value, true })
}

// Swap changes the value to what f makes of it, if f says so.
func (w *watched[T]) Swap(f func(T) (T, bool)) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	value, ok := f(w.value)
	if !ok || value == w.value {
		return ok
	}
	w.value = value
	close(w.changed)
	w.changed = make(chan struct{})
	return true
}
