package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// A Session is one session with one relay, from [Dial]. Its embedded methods ask
// the relay for announcements, tracks and groups.
type Session struct {
	*session.Session

	endpoint endpoint
	leaf     *shown
	done     chan struct{} // closed once everything of the session has ended
	err      error         // why; readable after done
}

// Dial makes a session with the relay at url (see docs/wire.md for the forms)
// and returns once the relay has introduced itself. Every error is a
// [RelayError], or the cause of ctx. The session lives until Close, or until one
// end drops it; ctx bounds only the attempt.
func Dial(ctx context.Context, url string, o Options) (*Session, error) {
	o = o.withDefaults()
	e, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	e = e.withToken(o.Token)
	attempt, cancel := context.WithTimeoutCause(ctx, o.Timeout, errDialTimeout)
	defer cancel()
	leaf := new(shown)
	conn, err := connectInTurn(attempt, e, o, leaf)
	if err != nil {
		return nil, explain(ctx, e.String(), err)
	}
	s := start(conn, e, o)
	s.leaf = leaf
	if _, err := s.PeerSetup(attempt); err != nil {
		if errors.Is(err, errDialTimeout) {
			err = errSetupTimeout
		}
		s.Close()
		// What the relay said when it hung up is better than that it did.
		var closed *session.ClosedError
		if errors.As(s.err, &closed) && closed.Remote {
			err = s.err
		}
		return nil, explain(ctx, e.String(), err)
	}
	o.Logger.Debug("connected", "relay", e.String(), "transport", conn.Transport())
	return s, nil
}

// start runs a session on conn.
func start(conn session.Conn, e endpoint, o Options) *Session {
	setup := protocol.Setup{Datagrams: !o.NoDatagrams, Goaway: true, HopID: o.HopID, Role: o.Role}
	if _, carried := conn.Path(); !carried {
		setup.Path = e.request()
	}
	s := &Session{
		Session: session.New(conn, session.Config{
			Setup:     setup,
			Publisher: o.Publisher,
			OnGoaway:  o.OnGoaway,
			Logger:    o.Logger,
		}),
		endpoint: e,
		done:     make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		s.err = s.Run(context.Background())
	}()
	return s
}

// Relay is the relay's URL without credentials.
func (s *Session) Relay() string { return s.endpoint.String() }

// Root is the path that every path of the session is relative to; empty for the
// relay's root.
func (s *Session) Root() protocol.Path { return s.endpoint.path }

// Transport names the transport in use: "quic" or "webtransport".
func (s *Session) Transport() string { return s.Conn().Transport() }

// stentor reports whether the other end has introduced itself as a Stentor
// relay: it has parameters that nobody else sends (docs/wire.md, section 3).
func (s *Session) stentor() bool {
	setup, _ := s.Peer()
	return setup.Datagrams || setup.Goaway || setup.Packet != 0 || setup.HasLoad
}

// Done is closed when the session has ended and nothing of it runs any more.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err says why the session ended. It is valid once Done is closed, and a
// [RelayError] unless this end closed the session itself.
func (s *Session) Err() error {
	var closed *session.ClosedError
	if errors.As(s.err, &closed) && !closed.Remote {
		return fmt.Errorf("%w: %w", ErrEnded, s.err)
	}
	return explain(context.Background(), s.Relay(), s.err)
}

// Close ends the session and waits for everything that belongs to it.
func (s *Session) Close() {
	s.Session.Close(protocol.CodeCancel, "")
	<-s.done
}

// Path returns how a path of the network is called within this session. A URL
// whose path leads towards it is a session inside: below https://host/hall, the
// broadcast hall/ada is ada. Any other path is a place that p is below of.
func (s *Session) Path(p protocol.Path) protocol.Path { return s.endpoint.inside(p) }
