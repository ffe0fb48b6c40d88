package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// A Publisher answers what the peer asks for. Each call runs in a goroutine of
// its own, gets a context that ends when the peer withdraws the request or the
// session ends, and refuses with an error whose [CodeOf] the peer sees.
type Publisher interface {
	// Announce writes the announcements below w.Request.Prefix and their changes
	// until ctx ends.
	Announce(ctx context.Context, w *AnnounceWriter) error
	// Track answers TRACK. It should not take longer than a few seconds.
	Track(ctx context.Context, req protocol.TrackRequest) (protocol.TrackInfo, error)
	// Subscribe serves a subscription until ctx ends. Returning nil ends the
	// subscription with FIN, which must not overtake its groups.
	Subscribe(ctx context.Context, sub *Subscriber) error
	// Fetch writes the frames of one group.
	Fetch(ctx context.Context, req protocol.Fetch, w *GroupWriter) error
}

type refuseAll struct{}

var errNotPublishing = Refuse(protocol.CodeRoleViolated, "this end publishes nothing")

func (refuseAll) Announce(ctx context.Context, w *AnnounceWriter) error {
	if err := w.Initial(0, nil); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (refuseAll) Track(context.Context, protocol.TrackRequest) (protocol.TrackInfo, error) {
	return protocol.TrackInfo{}, errNotPublishing
}
func (refuseAll) Subscribe(context.Context, *Subscriber) error              { return errNotPublishing }
func (refuseAll) Fetch(context.Context, protocol.Fetch, *GroupWriter) error { return errNotPublishing }

// acceptRequests takes the peer's bidirectional streams, one goroutine each.
func (s *Session) acceptRequests(ctx context.Context) error {
	for {
		stream, err := s.conn.AcceptStream(ctx)
		if err != nil {
			return s.endOf(ctx, err)
		}
		if s.open.Add(1) > int64(s.cfg.MaxRequests) {
			s.open.Add(-1)
			reset(stream, protocol.CodeBounds)
			continue
		}
		s.tasks.Go(func() {
			defer s.open.Add(-1)
			s.serveRequest(ctx, stream)
		})
	}
}

func reset(stream Stream, code protocol.ResetCode) {
	stream.CancelWrite(code)
	stream.CancelRead(code)
}

// serveRequest reads what a stream asks for and answers it.
func (s *Session) serveRequest(ctx context.Context, stream Stream) {
	ctx, done := context.WithCancel(ctx)
	defer done()
	_ = stream.SetReadDeadline(time.Now().Add(s.cfg.RequestTimeout))
	r := protocol.NewReader(stream)
	kind, err := r.StreamType()
	if err != nil {
		reset(stream, CodeOf(err))
		return
	}
	switch kind {
	case protocol.StreamAnnounce:
		err = s.serveAnnounce(ctx, stream, r)
	case protocol.StreamSubscribe:
		err = s.serveSubscribe(ctx, stream, r)
	case protocol.StreamFetch:
		err = s.serveFetch(ctx, stream, r)
	case protocol.StreamProbe:
		err = s.serveProbe(ctx, stream, r)
	case protocol.StreamGoaway:
		err = s.serveGoaway(stream, r)
	case protocol.StreamTrack:
		if s.conn.Version() != protocol.Lite05 {
			err = Refuse(protocol.CodeUnexpectedStream, "TRACK stream in %s", s.conn.Version().ALPN())
			break
		}
		err = s.serveTrack(ctx, stream, r)
	default:
		err = Refuse(protocol.CodeUnexpectedStream, "stream type %d", kind)
	}
	if err != nil {
		if ctx.Err() == nil && !isWithdrawn(err) {
			s.cfg.Logger.Debug("request refused", "stream", kind, "cause", err)
		}
		reset(stream, CodeOf(err))
		return
	}
	_ = stream.Close()
	switch kind {
	case protocol.StreamTrack, protocol.StreamFetch, protocol.StreamGoaway:
		s.awaitFIN(stream, r)
	}
	stream.CancelRead(protocol.CodeCancel)
}

// awaitFIN lets the peer end its side by itself: others do so when they have the
// answer, and in a browser that fails once they were told to stop.
func (s *Session) awaitFIN(stream Stream, r *protocol.Reader) {
	_ = stream.SetReadDeadline(time.Now().Add(s.cfg.RequestTimeout))
	_ = unexpected(r) // the end, or what nobody needs
}

// isWithdrawn says that the peer itself ended its request.
func isWithdrawn(err error) bool {
	var r *ResetError
	return errors.As(err, &r) && r.Remote
}

// errWithdrawn is the cause of a request's context once the peer took it back.
var errWithdrawn = errors.New("request withdrawn by the peer")

// watch returns a context that ends when the peer closes or resets its half of
// the stream. read handles each message the peer still may send; it returns
// io.EOF at the clean end.
func (s *Session) watch(ctx context.Context, stream Stream, read func() error) context.Context {
	_ = stream.SetReadDeadline(time.Time{})
	ctx, stop := context.WithCancelCause(ctx)
	s.tasks.Go(func() {
		for {
			err := read()
			switch {
			case err == nil:
				continue
			case errors.Is(err, io.EOF), isWithdrawn(err):
				stop(errWithdrawn)
			default:
				stop(err)
			}
			return
		}
	})
	// The reader leaves when the stream does; a request that ends first takes
	// its reader along.
	context.AfterFunc(ctx, func() { stream.CancelRead(protocol.CodeCancel) })
	return ctx
}

// outcome is what a served request ends with: an error to reset the stream
// with, or nil for FIN.
func outcome(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case cause == nil:
		return err
	case errors.Is(cause, errWithdrawn):
		return nil
	default:
		return cause
	}
}

func (s *Session) serveAnnounce(ctx context.Context, stream Stream, r *protocol.Reader) error {
	req, err := r.AnnounceRequest()
	if err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	ctx = s.watch(ctx, stream, func() error { return unexpected(r) })
	w := &AnnounceWriter{Request: req, session: s, stream: stream, version: s.conn.Version(), hopID: s.cfg.Setup.HopID}
	return outcome(ctx, s.cfg.Publisher.Announce(ctx, w))
}

// unexpected reads a byte that should not come.
func unexpected(r *protocol.Reader) error {
	if _, err := r.StreamType(); err != nil {
		return err
	}
	return Refuse(protocol.CodeUnexpectedMessage, "data after the request")
}

func (s *Session) serveTrack(ctx context.Context, stream Stream, r *protocol.Reader) error {
	req, err := r.TrackRequest()
	if err != nil {
		return fmt.Errorf("track: %w", err)
	}
	info, err := s.cfg.Publisher.Track(ctx, req)
	if err != nil {
		return err
	}
	_, err = stream.Write(info.Append(nil))
	return err
}

func (s *Session) serveFetch(ctx context.Context, stream Stream, r *protocol.Reader) error {
	req, err := r.Fetch()
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	ctx = s.watchSender(ctx, stream)
	return s.cfg.Publisher.Fetch(ctx, req, &GroupWriter{stream: stream, version: s.conn.Version()})
}

// watchSender returns a context that ends when the peer stops reading. A FIN
// from the peer is normal after TRACK and FETCH and does not end it.
func (s *Session) watchSender(ctx context.Context, stream Stream) context.Context {
	ctx, stop := context.WithCancelCause(ctx)
	context.AfterFunc(stream.Context(), func() { stop(errWithdrawn) })
	return ctx
}

func (s *Session) serveGoaway(stream Stream, r *protocol.Reader) error {
	msg, err := r.Goaway()
	if err != nil {
		return fmt.Errorf("goaway: %w", err)
	}
	if s.cfg.OnGoaway != nil {
		s.cfg.OnGoaway(msg.URI)
	}
	return nil
}
