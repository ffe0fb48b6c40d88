package room

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go/quicvarint"

	"github.com/stentor-audio/stentor/protocol"
)

// A Group is one group of a track. An Opus packet is a *whole* group: one frame,
// there from the start, never changed, so that any number of listeners read it
// without a lock. Any other group may still be growing.
type Group struct {
	Sequence uint64
	Arrived  time.Time

	whole bool
	frame protocol.Frame // of a whole group
	tail  []byte         // of a whole group: its datagram without the Subscribe ID

	mu      sync.Mutex
	frames  []protocol.Frame
	size    int
	ended   bool
	err     error // why it was cut short
	copies  int   // on their way
	changed chan struct{}
	budget  *atomic.Int64 // of the track that holds it
}

// NewWhole makes a group of exactly one frame.
func NewWhole(sequence uint64, f protocol.Frame, now time.Time) *Group {
	g := &Group{Sequence: sequence, Arrived: now, whole: true, frame: f}
	g.tail = make([]byte, 0, quicvarint.Len(sequence)+quicvarint.Len(f.Timestamp)+len(f.Payload))
	g.tail = quicvarint.Append(g.tail, sequence)
	g.tail = quicvarint.Append(g.tail, f.Timestamp)
	g.tail = append(g.tail, f.Payload...)
	g.frame.Payload = g.tail[len(g.tail)-len(f.Payload):] // one copy serves both
	return g
}

// NewGroup makes a group that grows by Append until End.
func NewGroup(sequence uint64, now time.Time) *Group {
	return &Group{Sequence: sequence, Arrived: now, changed: make(chan struct{})}
}

// Whole returns the frame of a group that is one frame and complete.
func (g *Group) Whole() (protocol.Frame, bool) { return g.frame, g.whole }

// AppendDatagram appends the body of the datagram that carries a whole group to
// the subscription with the given ID. The bytes but the ID are made once for
// all listeners.
func (g *Group) AppendDatagram(b []byte, subscribeID uint64) []byte {
	b = quicvarint.Append(b, subscribeID)
	return append(b, g.tail...)
}

// Append adds a frame to a growing group and reports false if the group has
// grown beyond what a relay holds of one group.
func (g *Group) Append(f protocol.Frame) bool { return g.appendAt(-1, f) == nil }

// appendAt adds the i-th frame, -1 being the next one, unless it is there already.
func (g *Group) appendAt(i int, f protocol.Frame) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.ended:
		return ErrComplete
	case i >= 0 && i < len(g.frames):
		return nil // another copy was quicker
	case len(g.frames) >= maxGroupFrames || g.size+len(f.Payload) > maxGroupBytes:
		return ErrTooLarge
	}
	g.frames = append(g.frames, f)
	g.size += len(f.Payload)
	if g.budget != nil {
		g.budget.Add(int64(len(f.Payload)))
	}
	g.wake()
	return nil
}

// join counts a copy of the group that is on its way, and reports false if none
// is wanted.
func (g *Group) join() bool {
	if g.whole {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		return false
	}
	g.copies++
	return true
}

// leave counts a copy that has ended. It reports whether that decides about the
// group: it was complete with so many frames and no copy has brought more, or it
// was the last.
func (g *Group) leave(complete int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.copies--
	return complete >= len(g.frames) || g.copies == 0
}

// growing reports whether the group is not complete yet.
func (g *Group) growing() bool {
	if g.whole {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.ended
}

// abandon cuts the group short if no copy of it is on its way.
func (g *Group) abandon(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended || g.copies > 0 {
		return
	}
	g.ended, g.err = true, err
	g.wake()
}

func (g *Group) length() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.frames)
}

const (
	maxGroupFrames = 1024
	maxGroupBytes  = 32 << 20
)

// End completes a growing group; a non-nil err cuts it short. Only the first
// call counts.
func (g *Group) End(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.whole || g.ended {
		return
	}
	g.ended, g.err = true, err
	g.wake()
}

func (g *Group) wake() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// Frame returns the i-th frame, waiting for it while the group grows. It returns
// io.EOF behind the last one, and the reason where the group was cut short.
func (g *Group) Frame(ctx context.Context, i int) (protocol.Frame, error) {
	if g.whole {
		if i == 0 {
			return g.frame, nil
		}
		return protocol.Frame{}, io.EOF
	}
	for {
		g.mu.Lock()
		frames, ended, err, changed := g.frames, g.ended, g.err, g.changed
		g.mu.Unlock()
		switch {
		case i < len(frames):
			return frames[i], nil
		case ended && err != nil:
			return protocol.Frame{}, err
		case ended:
			return protocol.Frame{}, io.EOF
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return protocol.Frame{}, context.Cause(ctx)
		}
	}
}

// attach makes the group count its bytes in a track's budget, detach ends that.
func (g *Group) attach(budget *atomic.Int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.budget = budget
	g.budget.Add(int64(g.size + len(g.tail)))
}

func (g *Group) detach() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.budget != nil {
		g.budget.Add(-int64(g.size + len(g.tail)))
		g.budget = nil
	}
}

// cut reports whether the group ended before its end.
func (g *Group) cut() bool {
	if g.whole {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ended && g.err != nil
}
