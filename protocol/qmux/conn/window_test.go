package conn

import (
	"testing"

	"pgregory.net/rapid"
)

func TestWindow(t *testing.T) {
	w := newWindow(100)
	if !w.receive(100) || w.receive(1) {
		t.Fatal("the limit is not where it should be")
	}
	if limit, raise := w.consume(49); raise {
		t.Errorf("raised to %d although more than half is left", limit)
	}
	if limit, raise := w.consume(1); !raise || limit != 150 {
		t.Errorf("raised to %d, %v, want 150", limit, raise)
	}
	if !w.receive(50) || w.receive(1<<62) {
		t.Error("the new limit is not where it should be")
	}
}

// TestWindowNeverStarves: a peer that is read may always go on, and may never send
// more than the window beyond what was read.
func TestWindowNeverStarves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Uint64Range(1, 1000).Draw(t, "size")
		w := newWindow(size)
		for range 50 {
			n := rapid.Uint64Range(0, w.limit-w.received).Draw(t, "received")
			if !w.receive(n) {
				t.Fatalf("%d of %d refused", n, w.limit-w.received)
			}
			w.consume(rapid.Uint64Range(0, w.received-w.consumed).Draw(t, "consumed"))
			if w.limit > w.consumed+size {
				t.Fatalf("limit %d, consumed %d, size %d", w.limit, w.consumed, size)
			}
			if w.received == w.consumed && w.limit == w.received {
				t.Fatalf("everything is read and nothing allowed")
			}
		}
	})
}

func TestSlots(t *testing.T) {
	s := newSlots(4)
	for _, step := range []struct {
		index          uint64
		first, allowed bool
	}{
		{2, true, true},   // opens 0 and 1
		{2, false, true},  // known
		{0, true, true},   // used for the first time
		{0, false, true},  // known
		{4, false, false}, // above the limit
		{3, true, true},
		{1, true, true},
	} {
		if first, allowed := s.open(step.index); first != step.first || allowed != step.allowed {
			t.Fatalf("stream %d: first %v, allowed %v", step.index, first, allowed)
		}
	}
	s.finish()
	if limit, raise := s.refill(); !raise || limit != 5 {
		t.Errorf("raised to %d, %v when all are used, want 5", limit, raise)
	}
}

// TestSlotsNeverStarve: with a slot free the peer knows of one, and never has more
// streams open than there are slots.
func TestSlotsNeverStarve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Uint64Range(1, 20).Draw(t, "size")
		s := newSlots(size)
		open := uint64(0)
		for range 100 {
			if rapid.Bool().Draw(t, "opens") && s.next < s.limit {
				s.open(s.next)
				open++
			} else if open > 0 {
				s.finish()
				open--
			}
			s.refill()
			if open > size || s.limit-s.next > size-open {
				t.Fatalf("%d open and %d allowed of %d", open, s.limit-s.next, size)
			}
			if open < size && s.limit == s.next {
				t.Fatalf("%d of %d open and none allowed", open, size)
			}
		}
	})
}
