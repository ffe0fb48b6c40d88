package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// Config tunes a session. The zero value is a session that only subscribes.
type Config struct {
	// Setup is what this end declares. It is sent at once, on moq-lite-05.
	Setup protocol.Setup

	// Publisher answers the peer's requests. Nil refuses them all.
	Publisher Publisher

	// OnGoaway is called when the peer asks this end to leave; uri is empty
	// where it names no other place. It must not block. Nil ignores it.
	OnGoaway func(uri string)

	// RequestTimeout bounds the wait for the first bytes of a request the peer
	// opened, and for an answer to TRACK and FETCH. Zero means 10 s.
	RequestTimeout time.Duration

	// MaxRequests is how many requests of the peer may be open at once: announce,
	// subscribe, fetch, track and probe streams. Zero means 1024.
	MaxRequests int

	// Logger receives what an operator should see. Nil discards it.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.RequestTimeout == 0 {
		c.RequestTimeout = 10 * time.Second
	}
	if c.MaxRequests == 0 {
		c.MaxRequests = 1024
	}
	if c.Publisher == nil {
		c.Publisher = refuseAll{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// A Session is one moq-lite session. New makes it, Run drives it; every other
// method may be called from anywhere while Run runs.
type Session struct {
	// Set by New, constant afterwards.
	conn      Conn
	cfg       Config
	setupDone chan struct{} // closed once the peer's SETUP is known

	peer atomic.Pointer[protocol.Setup]

	// Goroutines of requests, waited for by Run.
	tasks sync.WaitGroup
	open  atomic.Int64 // requests of the peer being served

	mu            sync.Mutex
	subscriptions map[uint64]*Subscription // requests of ours, by Subscribe ID
	nextID        uint64
	ended         bool
	receiving     bool // the datagram reader has been started
}

// New makes a session on conn. Nothing is sent and no goroutine runs before Run.
func New(conn Conn, cfg Config) *Session {
	s := &Session{
		conn:          conn,
		cfg:           cfg.withDefaults(),
		setupDone:     make(chan struct{}),
		subscriptions: make(map[uint64]*Subscription),
	}
	if conn.Version() == protocol.Lite04 {
		s.setPeer(protocol.Setup{}) // lite-04 has no SETUP
	}
	return s
}

// Conn returns the connection the session runs on.
func (s *Session) Conn() Conn { return s.conn }

// Context ends when the connection does.
func (s *Session) Context() context.Context { return s.conn.Context() }

// Version is the protocol version in use.
func (s *Session) Version() protocol.Version { return s.conn.Version() }

// Peer returns what the peer declared, or false while its SETUP has not come.
func (s *Session) Peer() (protocol.Setup, bool) {
	p := s.peer.Load()
	if p == nil {
		return protocol.Setup{}, false
	}
	return *p, true
}

// PeerSetup waits for the peer's SETUP.
func (s *Session) PeerSetup(ctx context.Context) (protocol.Setup, error) {
	select {
	case <-s.setupDone:
		return *s.peer.Load(), nil
	case <-ctx.Done():
		return protocol.Setup{}, fmt.Errorf("setup: %w", context.Cause(ctx))
	case <-s.conn.Context().Done():
		return protocol.Setup{}, fmt.Errorf("setup: %w", s.cause())
	}
}

func (s *Session) setPeer(p protocol.Setup) {
	if s.peer.CompareAndSwap(nil, &p) {
		close(s.setupDone)
	}
}

// Close ends the session with a code and a reason of at most 1024 bytes.
func (s *Session) Close(code protocol.ResetCode, reason string) {
	if len(reason) > 1024 {
		reason = reason[:1024]
	}
	_ = s.conn.CloseWithError(code, reason)
}

// Run serves the session until ctx or the connection ends, then waits for every
// goroutine it started. It returns why the session ended: never nil.
func (s *Session) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	unlink := context.AfterFunc(s.conn.Context(), func() { stop(s.cause()) })
	defer unlink()

	if err := s.sendSetup(); err != nil {
		stop(err)
	}
	s.tasks.Go(func() { stop(s.acceptUni(ctx)) })
	err := s.acceptRequests(ctx)
	stop(err)
	_ = s.conn.CloseWithError(closeCode(context.Cause(ctx)), closeReason(context.Cause(ctx)))
	s.endSubscriptions(context.Cause(ctx))
	s.tasks.Wait()
	return context.Cause(ctx)
}

// cause says why the connection ended, in this package's terms.
func (s *Session) cause() error {
	err := s.conn.Cause()
	var closed *ClosedError
	if errors.As(err, &closed) {
		return closed
	}
	return fmt.Errorf("%w: %w", ErrClosed, err)
}

func closeCode(err error) protocol.ResetCode {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return protocol.CodeCancel
}

func closeReason(err error) string {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Err.Error()
	}
	return ""
}

func (s *Session) sendSetup() error {
	if s.conn.Version() == protocol.Lite04 {
		return nil
	}
	w, err := s.conn.OpenUniStream()
	if err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	b := protocol.StreamSetup.Append(nil)
	b = s.cfg.Setup.Append(b)
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	_ = w.Close() // fails where the peer has read all it wants and said so
	return nil
}

// acceptUni takes the peer's unidirectional streams: its SETUP and its groups.
// Each gets a goroutine, because a stream that dribbles may not hold up others;
// how many there can be is the transport's stream limit.
func (s *Session) acceptUni(ctx context.Context) error {
	for {
		stream, err := s.conn.AcceptUniStream(ctx)
		if err != nil {
			return s.endOf(ctx, err)
		}
		s.tasks.Go(func() { s.serveUni(ctx, stream) })
	}
}

// endOf prefers the reason the session ended over the error a loop met.
func (s *Session) endOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if s.conn.Context().Err() != nil {
		return s.cause()
	}
	return err
}

func (s *Session) serveUni(ctx context.Context, stream ReceiveStream) {
	_ = stream.SetReadDeadline(time.Now().Add(s.cfg.RequestTimeout))
	r := protocol.NewReader(stream)
	kind, err := r.StreamType()
	if err != nil {
		stream.CancelRead(CodeOf(err))
		return
	}
	switch {
	case kind == protocol.StreamGroup:
		s.serveGroup(ctx, stream, r)
	case kind == protocol.StreamSetup && s.conn.Version() == protocol.Lite05:
		setup, err := r.Setup()
		if err != nil {
			// Without SETUP nothing of the peer's can be trusted to mean what we
			// think it means, and every request would wait for it.
			s.Close(protocol.CodeDecode, fmt.Sprintf("SETUP: %v", err))
			return
		}
		s.setPeer(setup)  // a second one is ignored
		_ = unexpected(r) // its FIN, so that nobody has to be told to stop
		stream.CancelRead(protocol.CodeCancel)
	default:
		stream.CancelRead(protocol.CodeUnexpectedStream)
	}
}

// Goaway asks the peer to leave for uri, or for anywhere else when it is empty.
func (s *Session) Goaway(ctx context.Context, uri string) error {
	stream, err := s.conn.OpenStream(ctx)
	if err != nil {
		return fmt.Errorf("goaway: %w", err)
	}
	b := protocol.StreamGoaway.Append(nil)
	b = protocol.Goaway{URI: uri}.Append(b)
	if _, err := stream.Write(b); err != nil {
		return fmt.Errorf("goaway: %w", err)
	}
	stream.CancelRead(protocol.CodeCancel)
	_ = stream.Close() // as with SETUP
	return nil
}
