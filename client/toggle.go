package client

import (
	"context"
	"sync"
)

// A toggle is something that is wanted or not, for somebody to act on. The zero
// value is not wanted.
type toggle struct {
	mu      sync.Mutex
	on      bool
	changed chan struct{} // closed and replaced at every change; nil: nobody asked
}

func (t *toggle) set(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.on == on {
		return
	}
	t.on = on
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

// get is the state, and a channel that is closed once it is another.
func (t *toggle) get() (on bool, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changed == nil {
		t.changed = make(chan struct{})
	}
	return t.on, t.changed
}

// wanted waits until it is wanted, or ctx ends.
func (t *toggle) wanted(ctx context.Context) error {
	for {
		on, changed := t.get()
		if on {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
