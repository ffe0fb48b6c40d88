package room

import (
	"context"

	"github.com/stentor-audio/stentor/protocol"
)

// expectedAhead is how far beyond the newest group a FETCH may wait for.
const expectedAhead = 8

// group returns a held group, or nil.
func (t *Track) group(sequence uint64) *Group {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cache.groups[sequence]
}

// expects reports whether the group is the next few to come on a track that is
// being fed.
func (t *Track) expects(sequence uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || len(t.members) == 0 || !t.cache.any {
		return false
	}
	return sequence > t.cache.newest && sequence <= t.cache.newest+expectedAhead
}

// inRing reports whether the group is a hole in what the track holds.
func (t *Track) inRing(sequence uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cache.any && sequence >= t.cache.floor && sequence < t.cache.newest
}

// await waits for a group that has not come yet.
func (t *Track) await(ctx context.Context, sequence uint64) (*Group, error) {
	w := &waiter{sequence: sequence, found: make(chan *Group, 1)}
	m, err := t.Join(w, protocol.Delivery{Start: protocol.Seq(sequence)})
	if err != nil {
		return nil, err
	}
	defer m.Leave()
	select {
	case g := <-w.found:
		if g == nil {
			return nil, ErrUnknown
		}
		return g, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// waiter is a member that wants one group.
type waiter struct {
	sequence uint64
	found    chan *Group
}

func (w *waiter) Begin(held []*Group) {
	for _, g := range held {
		w.Push(g)
	}
}

func (w *waiter) Push(g *Group) {
	if g.Sequence == w.sequence {
		select {
		case w.found <- g:
		default:
		}
	}
}

func (w *waiter) End(uint64) {
	select {
	case w.found <- nil:
	default:
	}
}
