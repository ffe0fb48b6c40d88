package session

import (
	"context"
	"sync"

	"github.com/stentor-audio/stentor/protocol"
)

// Newest is the sink of a subscription to a track of which each group is one frame that
// says all there is to know. Groups have a stream each, and of two that are sent at once
// the older may be read last: it is left out then. take is called by one goroutine at
// a time, owns the payload, and must not block.
func Newest(take func(protocol.Frame)) Sink { return &newest{take: take} }

type newest struct {
	take func(protocol.Frame)

	mu   sync.Mutex // held while it is taken
	next uint64     // sequence: whatever is below it comes too late
}

// Datagram implements [Sink].
func (n *newest) Datagram(sequence uint64, f protocol.Frame) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if sequence >= n.next {
		n.next = sequence + 1
		n.take(f)
	}
}

// Group implements [Sink].
func (n *newest) Group(_ context.Context, g *GroupReader) {
	f, err := g.Next()
	if err != nil {
		return
	}
	n.Datagram(g.Sequence, f)
	_, _ = g.Next() // to the end, or it would be stopped
}
