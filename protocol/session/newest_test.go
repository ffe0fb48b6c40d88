package session_test

import (
	"slices"
	"testing"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// What comes after something newer is out of date, however it comes.
func TestNewestLeavesOutWhatIsOlder(t *testing.T) {
	var took []uint64
	sink := session.Newest(func(f protocol.Frame) { took = append(took, f.Timestamp) })
	for _, sequence := range []uint64{0, 0, 3, 2, 3, 4, 1 << 61, 5} {
		sink.Datagram(sequence, protocol.Frame{Timestamp: sequence})
	}
	if want := []uint64{0, 3, 4, 1 << 61}; !slices.Equal(took, want) {
		t.Errorf("took %v, want %v", took, want)
	}
}
