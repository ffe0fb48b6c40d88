package ingest

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

// sink takes the groups of one subscription at a publisher and writes them to
// the track.
type sink struct {
	source *source
	track  *room.Track
	audio  bool // Opus packets, checked one by one

	trusted bool // by another relay, where they came in

	mu   sync.Mutex // datagrams and group streams come on different goroutines
	gate gate

	many atomic.Bool // the publisher puts several frames in a group
	open atomic.Int32
}

// maxOpenGroups is how many group streams of one track may be open at once.
const maxOpenGroups = 256

// Datagram implements [session.Sink].
func (s *sink) Datagram(sequence uint64, f protocol.Frame) { s.whole(sequence, f, time.Now()) }

// whole checks a group of one frame and writes it.
func (s *sink) whole(sequence uint64, f protocol.Frame, now time.Time) {
	if s.audio && !s.trusted {
		s.mu.Lock()
		drop := s.gate.check(sequence, f.Payload, now)
		s.mu.Unlock()
		if drop != Taken {
			s.source.ingest.dropped(s.source.path, drop)
			return
		}
		s.source.ingest.accepted.Add(1)
	}
	if s.hushes(sequence) {
		return
	}
	if !s.audio && s.isLevel() && s.refusesLevel(f.Payload, now) {
		return
	}
	s.track.Write(room.NewWhole(sequence, f, now))
}

// Group implements [session.Sink]. An audio group of one frame becomes a whole
// group; anything else is forwarded frame by frame as it comes.
func (s *sink) Group(ctx context.Context, in *session.GroupReader) {
	if s.open.Add(1) > maxOpenGroups {
		s.open.Add(-1)
		in.Cancel(protocol.CodeBounds)
		return
	}
	defer s.open.Add(-1)
	now := time.Now()
	if !s.audio && !s.isLevel() {
		s.forward(in, now)
		return
	}
	first, err := s.next(in)
	if errors.Is(err, io.EOF) {
		return // no packet, nothing to tell anybody
	}
	if err != nil {
		s.source.ingest.broken(s.source.path, err)
		return
	}
	if s.many.Load() {
		s.forward(in, now, first)
		return
	}
	second, err := s.next(in)
	if errors.Is(err, io.EOF) {
		s.whole(in.Sequence, first, now)
		return
	}
	if err != nil {
		s.source.ingest.broken(s.source.path, err)
		return
	}
	if !s.audio {
		in.Cancel(protocol.CodeBounds) // a level is one frame
		return
	}
	// Several packets a group: from now on they are passed on as they come.
	s.many.Store(true)
	s.forward(in, now, first, second)
}

var errBounds = session.Refuse(protocol.CodeBounds, "%w", room.ErrTooLarge)

// forward passes a group on frame by frame until it ends. Another source may
// bring it at the same time.
func (s *sink) forward(in *session.GroupReader, now time.Time, begun ...protocol.Frame) {
	if s.hushes(in.Sequence) {
		in.Cancel(protocol.CodeUnauthorized)
		return
	}
	c := s.track.Grow(in.Sequence, now)
	if c == nil {
		in.Cancel(protocol.CodeDuplicate)
		return
	}
	for {
		var f protocol.Frame
		var err error
		if len(begun) > 0 {
			f, begun = begun[0], begun[1:]
		} else {
			f, err = s.next(in)
		}
		if err == nil && s.hushes(in.Sequence) {
			in.Cancel(protocol.CodeUnauthorized)
			c.End()
			return
		}
		if err == nil && s.refuses(f) {
			continue
		}
		if err == nil {
			err = c.Append(f)
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, io.EOF):
			c.End()
		case errors.Is(err, room.ErrComplete):
			in.Cancel(protocol.CodeDuplicate)
			c.End()
		case errors.Is(err, room.ErrTooLarge):
			in.Cancel(protocol.CodeBounds)
			c.Cut(errBounds)
		default:
			c.Break(err)
		}
		return
	}
}

// hushes reports whether a group is not to be passed on because its speaker may not
// be heard.
func (s *sink) hushes(sequence uint64) bool {
	if !s.source.isShut(s.track.Name) {
		return false
	}
	s.source.hushed.add(s.track.Name, sequence)
	if s.source.ingest.cfg.OnDrop != nil {
		s.source.ingest.cfg.OnDrop(Muted)
	}
	return true
}

// refuses checks a packet of a publisher's.
func (s *sink) refuses(f protocol.Frame) bool {
	if !s.audio || s.trusted {
		return false
	}
	why := checkPacket(f.Payload)
	if why != Taken {
		s.source.ingest.dropped(s.source.path, why)
	}
	return why != Taken
}

// next reads a frame and gives it a time where the version has none.
func (s *sink) next(in *session.GroupReader) (protocol.Frame, error) {
	f, err := in.Next()
	if err != nil || !s.source.Restarts() {
		return f, err
	}
	f.Timestamp = uint64(time.Since(s.source.ingest.started) / time.Millisecond)
	if protocol.IsAudioTrack(s.track.Name) {
		if timestamp, _, bad := protocol.ParseLegacy(f.Payload); bad == nil {
			f.Timestamp = timestamp
		}
	}
	return f, nil
}
