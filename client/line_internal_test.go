package client

import "testing"

// A list of relays that comes after a newer one is out of date.
func TestListsInOrder(t *testing.T) {
	var l line
	for _, tt := range []struct {
		sequence uint64
		want     bool
	}{{0, true}, {0, false}, {3, true}, {2, false}, {3, false}, {4, true}} {
		if got := l.inOrder(tt.sequence); got != tt.want {
			t.Errorf("list %d: %v, want %v", tt.sequence, got, tt.want)
		}
	}
}
