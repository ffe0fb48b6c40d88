package stage

import (
	"cmp"
	"strings"
)

// A Stamp orders what happened to a room (Lamport, "Time, Clocks, and the Ordering
// of Events in a Distributed System", 1978): each command gets a number above
// all that its relay has seen of the room, and the relay's name decides between
// equal numbers.
type Stamp struct {
	N  uint64 `json:"n"`
	By string `json:"by,omitempty"`
}

// Compare is negative if s is earlier than t, positive if it is later.
func (s Stamp) Compare(t Stamp) int {
	return cmp.Or(cmp.Compare(s.N, t.N), strings.Compare(s.By, t.By))
}

// A Field is a value with the stamp of the command that set it. The zero Field has
// never been set.
type Field[T comparable] struct {
	Value T     `json:"v"`
	Stamp Stamp `json:"at"`
}

// set makes the value v.
func (f *Field[T]) set(v T, at Stamp) { f.Value, f.Stamp = v, at }

// later is the one of two that was set last.
func later[T comparable](a, b Field[T]) Field[T] {
	if b.Stamp.Compare(a.Stamp) > 0 {
		return b
	}
	return a
}
