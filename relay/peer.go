package relay

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/deliver"
	"github.com/stentor-audio/stentor/relay/ingest"
	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

// A peer is one session of the relay's, with what it publishes and is sent.
type peer struct {
	session *session.Session
	relay   string // the other relay's name; "" is a client
	deliver *deliver.Deliver
	log     *slog.Logger
	since   time.Time
	who     uint64 // random: which of several standbys is this session's

	askedForLoad atomic.Bool // to go elsewhere

	mu      sync.Mutex
	known   bool   // it has been admitted; before, nothing of the rest holds
	room    string // "" for none in particular
	listens bool

	// Guarded by the lock of the relay's stages.
	person  stage.Actor                    // whose session it is; no subject: nobody's
	outs    map[string]uint64              // how often that had been removed, by room
	widen   map[string]func(protocol.Path) // called once with what may be published
	packets uint64                         // that had come when it was last looked
	heardAt time.Time                      // when more had
}

// admitted notes what the session is for.
func (p *peer) admitted(root protocol.Path, listens bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if segments := root.Segments(); len(segments) > 0 {
		p.room = segments[0]
	}
	p.listens = listens
	p.known = true
}

// isAdmitted reports whether the session has said what it is for.
func (p *peer) isAdmitted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known
}

// purpose is the room the session is for, and whether it listens there.
func (p *peer) purpose() (room string, listens bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.room, p.listens
}

// setupTimeout is how long a session may take to say what it is. Where only the
// places of those who speak are left, nobody may sit on one for long.
const (
	setupTimeout     = 10 * time.Second
	setupTimeoutFull = 2 * time.Second
)

// serveSession runs a session to its end.
func (r *Relay) serveSession(ctx context.Context, conn session.Conn, grant *token.Grant) {
	d := deliver.New(r.origin)
	log := r.log.With("peer", conn.RemoteAddr().String(), "transport", conn.Transport())
	s := session.New(conn, session.Config{
		Setup: protocol.Setup{
			Probe:     protocol.ProbeReport,
			HopID:     r.hopID,
			Datagrams: conn.Datagrams(),
			Goaway:    true,
			Packet:    r.gauge.ladder().Packet,
			Load:      r.step(),
			HasLoad:   true,
		},
		Publisher: d,
		Logger:    log,
	})
	p := &peer{session: s, deliver: d, log: log, since: time.Now(), who: rand.Uint64()}
	if !r.addPeer(p) {
		s.Close(protocol.CodeClosed, "this relay is shutting down; use another")
		return
	}
	defer r.removePeer(p)

	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.tasks.Go(func() {
		if err := r.admit(ctx, p, grant); err != nil && ctx.Err() == nil {
			stop(err)
		}
	})
	err := s.Run(ctx)
	d.Wait()
	logEnd(p, err)
}

// logEnd writes why a session ended: a line an operator reads when somebody
// complains, at a level that fits the cause.
func logEnd(p *peer, err error) {
	level, cause := slog.LevelDebug, err
	var refused *session.Error
	if errors.As(err, &refused) {
		level = slog.LevelWarn
	}
	p.log.Log(context.Background(), level, "session ended", "after", time.Since(p.since).Round(time.Millisecond), "cause", cause)
}

// admit finds out what a session may do, lets it, and follows what it publishes
// until it ends. An error ends the session and is what the peer is told.
func (r *Relay) admit(ctx context.Context, p *peer, grant *token.Grant) error {
	setup, err := r.awaitSetup(ctx, p.session)
	if err != nil {
		return err
	}
	path, onTransport := p.session.Conn().Path()
	if !onTransport {
		path = setup.Path // native QUIC: credentials come in SETUP
	}
	root, jwt, err := token.Split(path)
	if err != nil {
		return session.Refuse(protocol.CodeProtocol, "%w", err)
	}
	if grant == nil {
		g, err := r.authorise(root, jwt)
		if err != nil {
			return session.Refuse(protocol.CodeUnauthorized, "%w", err)
		}
		grant = &g
	}
	if err := r.stages.admit(ctx, p, root, grant); err != nil {
		return err
	}
	if err := checkRole(setup.Role, *grant); err != nil {
		return err
	}
	if !r.stays(r.laneOf(*grant, setup.Role)) {
		r.metrics.refused.WithLabelValues("full").Inc()
		return session.Refuse(protocol.CodeClosed, "this relay is full; use another, or come again in a few seconds")
	}
	p.admitted(root, setup.Role != protocol.RolePublisher && len(grant.Subscribe) > 0)
	p.deliver.Start(deliver.Config{
		Root:     root,
		Prefixes: grant.Subscribe,
		HopID:    r.hopID,
		Want:     r.want(p),
		Stage:    stageFor{r.stages, p, *grant, root},
		Floor:    r.floor.Floor,
		OnStage:  r.onStage(p, *grant),
		Relays:   func() ([]byte, <-chan struct{}) { return r.candidates(p) },
		OnListen: r.audience.add,
		Logger:   p.log,
	})
	r.expire(ctx, p, grant.Expires)
	if setup.Role == protocol.RoleSubscriber {
		return nil
	}
	publish := func(prefixes []protocol.Path) error {
		return ingest.New(r.origin, p.session, ingest.Config{
			Root:     root,
			Prefixes: prefixes,
			HopID:    r.hopID,
			Reserved: isReserved,
			OnLive:   r.onLive(),
			Gate:     func(path protocol.Path) (*atomic.Bool, func()) { return r.stages.voice(p, path) },
			OnDrop:   r.metrics.ingestDropped,
			Logger:   p.log,
		}).Run(ctx)
	}
	if len(grant.Publish) == 0 {
		r.stages.onPromotion(p, root, publish)
		return nil
	}
	return publish(grant.Publish)
}

// awaitSetup waits for the peer's SETUP. Over WebTransport the path and the
// token are known without it, but the role is not.
func (r *Relay) awaitSetup(ctx context.Context, s *session.Session) (protocol.Setup, error) {
	within := setupTimeout
	if r.full() {
		within = setupTimeoutFull
	}
	ctx, stop := context.WithTimeoutCause(ctx, within, session.Refuse(protocol.CodeTimeout, "no SETUP within %v", within))
	defer stop()
	return s.PeerSetup(ctx)
}

// checkRole refuses a session that declares a direction its token grants nothing
// in: it would wait for ever.
func checkRole(role protocol.Role, g token.Grant) error {
	switch {
	case role == protocol.RolePublisher && len(g.Publish) == 0:
		return session.Refuse(protocol.CodeUnauthorized, "the token grants no publishing here")
	case role == protocol.RoleSubscriber && len(g.Subscribe) == 0:
		return session.Refuse(protocol.CodeUnauthorized, "the token grants no subscribing here")
	}
	return nil
}

// expire ends the session when its token does.
func (r *Relay) expire(ctx context.Context, p *peer, at time.Time) {
	if at.IsZero() {
		return
	}
	t := time.AfterFunc(time.Until(at), func() {
		p.session.Close(protocol.CodeUnauthorized, "token expired")
	})
	context.AfterFunc(ctx, func() { t.Stop() })
}

// reserved is the part of the name space that belongs to relays.
const reserved = ".stentor"

func isReserved(path protocol.Path) bool {
	return strings.HasPrefix(string(path), ".") || path.HasPrefix(reserved)
}

// authorise says what a session on path may do.
func (r *Relay) authorise(root protocol.Path, jwt string) (token.Grant, error) {
	if r.cfg.Open {
		return token.Open(), nil
	}
	if r.cfg.OpenListen && (jwt == "" || r.keys == nil) {
		return token.Grant{Subscribe: []protocol.Path{""}}, nil
	}
	grant, err := r.keys.Verify(jwt, string(root), r.now())
	if segments := root.Segments(); err == nil && len(segments) > 0 {
		err = refusedBy(r.stages.rooms.State(segments[0]), actorOf(root, grant))
	}
	return grant, err
}

// want takes part in rooms.
func (r *Relay) want(p *peer) func(room string) (release func()) {
	return func(room string) func() {
		left := r.stages.comeBy(p, room)
		if r.mesh == nil {
			return left
		}
		release := r.mesh.rooms.Want(room)
		return func() { left(); release() }
	}
}

// onLive takes part in the room that a speaker publishes in: its roots have to
// know that there is something to take from here.
func (r *Relay) onLive() func(protocol.Path) (ended func()) {
	if r.mesh == nil {
		return func(path protocol.Path) func() { return r.attended.attend(r, path.Segments()[0]) }
	}
	return func(path protocol.Path) func() { return r.mesh.rooms.Want(path.Segments()[0]) }
}
