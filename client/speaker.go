package client

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

// A Speaker publishes one voice. Run keeps its sessions; Play or Send gives it
// audio meanwhile. A Speaker keeps counting its frames while a relay is away,
// and a relay that comes back takes what it missed of the last five seconds.
type Speaker struct {
	// Set by NewSpeaker, constant afterwards.
	o         SpeakOptions
	log       *slog.Logger
	broadcast *broadcast
	links     []*link
	ready     chan struct{} // closed when the first session is up
	closing   chan struct{} // closed by Close
	over      chan struct{} // closed when Run returns

	readyOnce sync.Once
	closeOnce sync.Once
	level     atomic.Uint32 // float32 bits of the last frame's level
	silent    atomic.Uint64 // frames left out as silence

	// Guards what one frame after the other changes.
	mu    sync.Mutex
	pace  pace
	gate  gate
	stamp uint64 // of the last frame, µs
}

// A link is the way to one of the relays.
type link struct {
	relay    string // without credentials
	keeper   keeper
	sessions atomic.Uint64
	up       atomic.Bool

	mu  sync.Mutex
	err error // of the last attempt that failed
}

func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

func (l *link) lastError() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// NewSpeaker checks the options. Nothing is connected before Run.
func NewSpeaker(o SpeakOptions) (*Speaker, error) {
	o = o.withDefaults()
	if err := CheckName(o.Room); err != nil {
		return nil, fmt.Errorf("room: %w", err)
	}
	if err := CheckName(o.Name); err != nil {
		return nil, fmt.Errorf("speaker: %w", err)
	}
	if len(o.Relays) == 0 {
		return nil, fmt.Errorf("%w: no relay", ErrAddress)
	}
	s := &Speaker{
		o:         o,
		log:       o.Logger.With("room", o.Room, "speaker", o.Name),
		broadcast: newBroadcast(o.HopID, o.catalog()),
		ready:     make(chan struct{}),
		closing:   make(chan struct{}),
		over:      make(chan struct{}),
	}
	for _, relay := range o.Relays {
		if err := s.addLink(relay); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Speaker) addLink(relay string) error {
	e, err := parseURL(relay)
	if err != nil {
		return err
	}
	dial := s.o.Dial
	dial.Role = protocol.RolePublisher
	dial.HopID = s.o.HopID
	dial.Publisher = publication{s.broadcast, e.inside(protocol.Path(s.o.Room).Join(protocol.Path(s.o.Name)))}
	l := &link{relay: e.String()}
	l.keeper = keeper{
		relays: []string{relay},
		dial:   func(ctx context.Context, url string) (*Session, error) { return Dial(ctx, url, dial) },
		serve:  func(ctx context.Context, session *Session) { s.serve(ctx, l, session) },
		failed: l.fail,
		log:    s.log,
	}
	s.links = append(s.links, l)
	return nil
}

// serve lets a session publish until it or ctx ends.
func (s *Speaker) serve(ctx context.Context, l *link, session *Session) {
	l.sessions.Add(1)
	l.up.Store(true)
	defer l.up.Store(false)
	s.readyOnce.Do(func() { close(s.ready) })
	select {
	case <-session.Done():
	case <-ctx.Done():
	}
}

// Run keeps a session with every relay until ctx ends, Close, or a relay refuses
// the speaker for good: [ErrNameTaken], [ErrNotAllowed]. It fails with
// [ErrUnreachable] if no relay answers at the beginning. It returns why it
// ended, never nil: [ErrEnded] after Close.
func (s *Speaker) Run(ctx context.Context) error {
	defer close(s.over)
	defer s.broadcast.end()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	var parts sync.WaitGroup
	failed := make(chan error, len(s.links))
	for _, l := range s.links {
		parts.Go(func() {
			err := l.keeper.run(ctx)
			if errors.Is(err, ErrNotAllowed) || errors.Is(err, ErrNameTaken) {
				stop(err)
			}
			failed <- err
		})
	}
	parts.Go(func() { stop(s.watch(ctx, failed)) })
	parts.Wait()
	return context.Cause(ctx)
}

// watch returns when the Speaker is closed, or when no relay can be reached: at
// the beginning, or ever again.
func (s *Speaker) watch(ctx context.Context, failed <-chan error) error {
	patience := time.NewTimer(s.o.ConnectTimeout)
	defer patience.Stop()
	ready := s.ready
	left := len(s.links)
	for {
		select {
		case <-ready:
			ready = nil
			patience.Stop()
		case <-patience.C:
			if err := s.links[0].lastError(); err != nil {
				return err
			}
			return unreachable.of(s.links[0].relay, errDialTimeout)
		case err := <-failed:
			if left--; left == 0 {
				return err
			}
		case <-s.closing:
			s.leave(ctx)
			return ErrEnded
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// leaveWithin is how long the last frames and the announcement of the end may
// take to reach the relays: a relay that takes longer has lost them anyway.
const leaveWithin = time.Second

// leave ends the broadcast in order: frames, then the announcement, then (by the
// caller) the sessions.
func (s *Speaker) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, leaveWithin)
	defer cancel()
	s.broadcast.end()
	s.broadcast.drain(ctx)
	// A datagram that waits for the congestion window would die with its
	// connection, and nothing tells when the last has gone.
	_ = sleep(ctx, endLinger)
}

// Close ends the broadcast, lets its last frames go out and waits for Run. It
// must not be called before Run.
func (s *Speaker) Close() {
	s.closeOnce.Do(func() { close(s.closing) })
	<-s.over
}

// WaitReady waits until a first relay has taken the speaker's session.
func (s *Speaker) WaitReady(ctx context.Context) error {
	select {
	case <-s.ready:
		return nil
	case <-s.over:
		return ErrEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Speak publishes what src yields until it ends, and ends the broadcast. The
// first packet waits until a relay is there.
func Speak(ctx context.Context, o SpeakOptions, src PacketSource) error {
	s, err := NewSpeaker(o)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	err = s.WaitReady(ctx)
	if err == nil {
		err = s.Play(ctx, src)
	}
	s.Close()
	// Why the sessions ended says more than that they did.
	if cause := <-ended; !errors.Is(cause, ErrEnded) {
		return cause
	}
	return err
}
