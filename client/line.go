package client

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// What every session with a Stentor relay has, announced or not: by tick the
// relay says, when it has nothing else to say, that it is still there, and by
// relays where to go on.
const (
	relayBroadcast = protocol.Path(".stentor/relay")
	tickTrack      = "tick"
	relaysTrack    = "relays"
)

// takenAfter is how long a session must have lived for its relay to count as
// one that takes this client.
const takenAfter = 5 * time.Second

// A line is a session that the decider wanted, or the attempt at one.
type line struct {
	r         *roamer
	id        hop.Session
	candidate hop.Candidate
	cancel    context.CancelFunc

	// Guarded by the roamer's mu.
	session *Session // nil while dialling
	ctx     context.Context
	leaving bool               // a GOAWAY came before the session was known
	whereto string             // and named this
	silence context.CancelFunc // ends listening to the relay itself; nil while not
	source  netip.Addr         // where packets to the relay leave from

	heardAt atomic.Int64 // when anything last came, time since epoch
	listed  bool         // it sends lists of relays; guarded by the roamer's mu

	feed  *feed // a Listener's
	tasks sync.WaitGroup
}

// run makes the session and has it used until it ends, or until ctx does because
// nobody wants it any more.
func (l *line) run(ctx context.Context) {
	defer l.cancel()
	s, err := l.reach(ctx)
	if err != nil {
		l.over(ctx, hop.Event{Kind: hop.DialFailed, Session: l.id, Final: final(err)}, err)
		return
	}
	begun := time.Now()
	if l.begin(ctx, s) {
		l.tasks.Go(func() { l.keepCopy(ctx) })
		l.r.serve(ctx, l)
		lastWords(ctx, s)
		l.r.log.Info("session ended", "relay", s.Relay(), "after", time.Since(begun).Round(time.Millisecond))
	}
	l.cancel() // before the wait: what listens to the relay ends with it
	s.Close()
	l.end(s, begun)
	l.tasks.Wait()
}

// lastWords waits a moment for a session that is of no use any more to say why:
// over WebTransport, streams end before it does.
func lastWords(ctx context.Context, s *Session) {
	patience := time.NewTimer(250 * time.Millisecond)
	defer patience.Stop()
	select {
	case <-s.Done():
	case <-patience.C:
	case <-ctx.Done():
	}
}

// heard notes that something came.
func (l *line) heard() { l.heardAt.Store(int64(now())) }

// quiet is for how long nothing has.
func (l *line) quiet() time.Duration { return now() - time.Duration(l.heardAt.Load()) }

// reach dials. What a list said about a relay's certificate may be older than
// the certificate, so it is one way to trust the relay, beside the user's.
func (l *line) reach(ctx context.Context) (*Session, error) {
	var pins []Hash
	for _, text := range l.candidate.Hashes {
		if h, err := ParseHash(text); err == nil {
			pins = append(pins, h)
		}
	}
	s, err := l.r.dial(ctx, l.candidate.URL, pins, l.goaway)
	if len(pins) > 0 && errors.Is(err, ErrCertificate) && ctx.Err() == nil {
		return l.r.dial(ctx, l.candidate.URL, nil, l.goaway)
	}
	return s, err
}

// begin makes the session known; false if nobody wants it any more.
func (l *line) begin(ctx context.Context, s *Session) bool {
	r := l.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	l.session, l.ctx = s, ctx
	l.heard()
	select {
	case <-r.ready:
	default:
		close(r.ready)
	}
	r.log.Info("session", "relay", s.Relay(), "transport", s.Transport())
	r.up(l)
	r.step(hop.Event{Kind: hop.Dialled, Session: l.id, Ticks: s.stentor()})
	if l.leaving {
		r.step(l.goawayTo(l.whereto))
	}
	return true
}

// end notes that the session has ended.
func (l *line) end(s *Session, begun time.Time) {
	r := l.r
	r.mu.Lock()
	if l.session != nil {
		r.down(l)
	}
	r.mu.Unlock()
	if time.Since(begun) >= takenAfter {
		r.mu.Lock()
		r.dir.accept(l.candidate)
		r.mu.Unlock()
	}
	l.over(r.ctx, hop.Event{Kind: hop.Closed, Session: l.id}, s.Err())
}

// over tells the decider, unless it was the one who wanted the end.
func (l *line) over(ctx context.Context, e hop.Event, err error) {
	r := l.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lines[l.id] != l || ctx.Err() != nil {
		return
	}
	delete(r.lines, l.id)
	r.log.Info("no session", "relay", r.dir.name(l.candidate.Name), "cause", err)
	r.failed(l, err)
	r.step(e)
}

// goaway notes that the relay asks to leave, perhaps before the session is known
// to anybody.
func (l *line) goaway(uri string) {
	r := l.r
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.Info("the relay asks to leave", "relay", r.dir.name(l.candidate.Name), "to", uri)
	if l.session == nil {
		l.leaving, l.whereto = true, uri
		return
	}
	r.step(l.goawayTo(uri))
}

// goawayTo is the event of a GOAWAY. A relay that has too much to do says so in
// the fragment of the URI (docs/wire.md, section 11).
func (l *line) goawayTo(uri string) hop.Event {
	e := hop.Event{Kind: hop.Goaway, Session: l.id, Cause: hop.CauseDrain}
	uri, why, _ := strings.Cut(uri, "#")
	if why == "load" {
		e.Cause = hop.CauseLoad
	}
	e.URIs = []string{uri}
	return e
}

// listen begins or ends listening to the relay itself. The roamer's mu is held.
func (l *line) listen(on bool) {
	switch {
	case !on && l.silence != nil:
		l.silence()
		l.silence = nil
	case on && l.silence == nil && l.ctx.Err() == nil:
		ctx, cancel := context.WithCancel(l.ctx)
		l.silence = cancel
		l.tasks.Go(func() { l.follow(ctx, tickTrack, pulse{l}) })
		l.tasks.Go(func() { l.follow(ctx, relaysTrack, session.Newest(l.list)) })
	}
}

// follow subscribes to a track of the relay's own. A relay that does not have it
// refuses, which is no fault.
func (l *line) follow(ctx context.Context, track string, sink session.Sink) {
	sub, err := l.session.Subscribe(ctx, protocol.Subscribe{
		Broadcast: l.session.Path(relayBroadcast),
		Track:     track,
	}, sink)
	if err != nil {
		return
	}
	defer sub.Close()
	select {
	case <-sub.Done():
		l.r.log.Debug("the relay says no more", "relay", l.session.Relay(), "track", track, "cause", sub.Err())
	case <-ctx.Done():
	}
}

// A pulse is the sink of the tick.
type pulse struct{ l *line }

// Datagram implements [session.Sink].
func (p pulse) Datagram(uint64, protocol.Frame) {
	p.l.heard()
	p.l.r.event(hop.Event{Kind: hop.Ticked, Session: p.l.id})
}

// Group implements [session.Sink].
func (p pulse) Group(_ context.Context, g *session.GroupReader) {
	if _, err := g.Next(); err == nil {
		p.Datagram(0, protocol.Frame{})
		_, _ = g.Next() // to the end, or it would be stopped
	}
}

// list takes a list of relays.
func (l *line) list(f protocol.Frame) {
	r := l.r
	list, err := parseRelays(f.Payload)
	if err != nil {
		r.log.Warn("the relay's list of relays makes no sense", "relay", l.session.Relay(), "cause", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l.heard()
	l.listed = true
	r.learn(list, l)
	if list.Cold != r.cold && r.onCold != nil {
		r.cold = list.Cold
		r.step(hop.Event{Kind: hop.SetCold, Cold: r.onCold(list.Cold)})
	}
}
