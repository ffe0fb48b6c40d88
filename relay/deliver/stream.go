package deliver

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

const (
	// creditFor is how long a group that is not audio waits for the peer to
	// allow another stream, and creditEvery how often it looks.
	creditFor   = 10 * time.Second
	creditEvery = 50 * time.Millisecond
	// frameFor bounds the write of one frame: a peer that does not take it for
	// so long loses the group.
	frameFor = 10 * time.Second
)

// stream sends a group that may still grow, or is too long for one packet, in a
// goroutine of its own, so that the next groups need not wait for it.
func (s *subscription) stream(ctx context.Context, g *room.Group) {
	if s.streaming.Add(1) > maxStreaming {
		s.streaming.Add(-1)
		s.deliver.Counters.Dropped[DropQueue].Add(1)
		return
	}
	s.deliver.tasks.Go(func() {
		defer s.streaming.Add(-1)
		patience := creditFor
		if s.audio {
			patience = 0
		}
		w, err := openGroup(ctx, s.sub, g.Sequence, patience)
		if err != nil {
			s.count(nil, 0, err)
			return
		}
		size, err := s.copy(ctx, g, w)
		if err != nil {
			w.Cancel(session.CodeOf(err))
		} else {
			w.Close()
		}
		s.count(&s.deliver.Counters.Streams, size, err)
	})
}

// openGroup waits for stream credit, for tracks whose groups may not be lost.
func openGroup(ctx context.Context, sub *session.Subscriber, sequence uint64, patience time.Duration) (*session.GroupWriter, error) {
	for waited := time.Duration(0); ; waited += creditEvery {
		w, err := sub.OpenGroup(sequence)
		if !errors.Is(err, session.ErrNoCredit) || waited >= patience {
			return w, err
		}
		select {
		case <-time.After(creditEvery):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// copy writes the group's frames as they come and returns their bytes.
func (s *subscription) copy(ctx context.Context, g *room.Group, w *session.GroupWriter) (size int, err error) {
	for i := 0; ; i++ {
		f, err := g.Frame(ctx, i)
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return size, err
		}
		w.SetDeadline(time.Now().Add(frameFor))
		if err := w.Write(f); err != nil {
			return size, session.Refuse(protocol.CodeTooOld, "frame not taken: %w", err)
		}
		size += len(f.Payload)
	}
}
