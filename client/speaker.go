package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/protocol"
)

// A Speaker publishes one voice, to two relays at a time if it knows of two. Run
// keeps its sessions; Play or Send gives it audio meanwhile. A Speaker keeps
// counting its frames while relays are away, and a relay that comes back, or
// takes another's place, takes what it missed of the last five seconds.
type Speaker struct {
	// Set by NewSpeaker, constant afterwards.
	o         SpeakOptions
	log       *slog.Logger
	broadcast *broadcast
	roam      *roamer
	closing   chan struct{} // closed by Close
	over      chan struct{} // closed when Run returns

	closeOnce sync.Once
	level     atomic.Uint32 // float32 bits of the last frame's level
	silent    atomic.Uint64 // frames left out as silence

	// Guards what one frame after the other changes.
	mu    sync.Mutex
	pace  pace
	gate  gate
	stamp uint64 // of the last frame, µs
	meter levelMeter

	// Guards the roamer, and what is known of its relays.
	sessions sync.Mutex
	relays   []*relayRecord
	hops     []HopStats
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
	s := &Speaker{
		o:         o,
		log:       o.Logger.With("room", o.Room, "speaker", o.Name),
		broadcast: newBroadcast(o.HopID, o.catalog()),
		closing:   make(chan struct{}),
		over:      make(chan struct{}),
	}
	r, err := newRoamer(hop.NewPair(hop.Options{Jitter: rand.Float64()}), &s.sessions, o.Relays)
	if err != nil {
		return nil, err
	}
	s.roam = r
	r.purpose, r.room, r.options, r.log = purposeSpeak, o.Room, o.Dial, s.log
	r.copy, r.view = newRoomCopy(o.Room, s.log), &roomView{on: o.OnRoom}
	r.dial, r.up, r.down, r.order = s.dial, s.up, s.down, s.order
	r.serve = serveUntilOver
	if o.Dial.DialQUIC == nil {
		r.route = route
	}
	return s, nil
}

// dial makes a session with one relay, to which the broadcast is called by where
// the session is.
func (s *Speaker) dial(ctx context.Context, url string, pins []Hash, goaway func(string)) (*Session, error) {
	e, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	o := s.o.Dial
	o.HopID = s.o.HopID
	o.Publisher = publication{s.broadcast, e.inside(protocol.Path(s.o.Room).Join(protocol.Path(s.o.Name)))}
	session, err := dialAs(ctx, url, o, protocol.RolePublisher, pins, goaway)
	if err != nil && ctx.Err() == nil {
		s.sessions.Lock()
		defer s.sessions.Unlock()
		s.record(e).err = err
	}
	return session, err
}

// serveUntilOver lets a session publish until it or ctx ends.
func serveUntilOver(ctx context.Context, l *line) {
	l.tasks.Go(func() { l.followView(ctx, nil) })
	select {
	case <-l.session.Done():
	case <-ctx.Done():
	}
}

// Run keeps sessions with two relays until ctx ends, Close, or nobody takes the
// speaker: [ErrNameTaken], [ErrNotAllowed]. It fails with [ErrUnreachable] if no
// relay answers at the beginning. It returns why it ended, never nil: [ErrEnded]
// after Close.
func (s *Speaker) Run(ctx context.Context) error {
	defer close(s.over)
	defer s.broadcast.end()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	var parts sync.WaitGroup
	parts.Go(func() { s.roam.run(ctx, stop) })
	parts.Go(func() {
		if err := s.roam.awaitFirst(ctx, s.o.ConnectTimeout); err != nil {
			stop(err)
		}
	})
	parts.Go(func() {
		select {
		case <-s.closing:
			s.leave(ctx)
			stop(ErrEnded)
		case <-ctx.Done():
		}
	})
	parts.Wait()
	return context.Cause(ctx)
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
	case <-s.roam.ready:
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
