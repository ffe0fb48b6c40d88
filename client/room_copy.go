package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

const (
	// stageTrack is the track of .stentor/rooms/ROOM with all of a room's state,
	// which relays show to its hosts.
	stageTrack = "stage"
	// behindFor is how long a relay may not have shown what another has, until it is
	// offered: mostly it is about to. A relay that has just been reached has shown
	// all that it has, and is offered the rest at once.
	behindFor = 300 * time.Millisecond
	// offerFor bounds one offer, of which a room of 10,000 hands makes 2 MB.
	offerFor = 5 * time.Second
)

// A roomCopy is what a host's client knows of the state of its room: all that any
// relay has shown it by any session. So the room outlives every relay that holds
// it (docs/rooms.md, what a room survives).
type roomCopy struct {
	room string
	log  *slog.Logger

	mu      sync.Mutex
	state   stage.State
	changed chan struct{} // closed and replaced at every change
}

func newRoomCopy(room string, log *slog.Logger) *roomCopy {
	return &roomCopy{room: room, log: log, state: stage.State{Room: room}, changed: make(chan struct{})}
}

// take merges what a relay has shown.
func (c *roomCopy) take(s stage.State) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	next, err := stage.Merge(c.state, s)
	if err != nil || stage.Same(next, c.state) {
		return err
	}
	c.state = next
	close(c.changed)
	c.changed = make(chan struct{})
	return nil
}

// get is the copy as it is now, and a channel that is closed once it is another.
func (c *roomCopy) get() (stage.State, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state, c.changed
}

// mayKeep reports whether a session is a host's. The relay looks more closely: a
// token that claims to be a host's and is not is refused there. Where there are no
// tokens everybody is host, and those who speak are few enough to keep a copy each.
func mayKeep(e endpoint, purpose string) bool {
	jwt := e.query.Get("jwt")
	if jwt == "" {
		return purpose == purposeSpeak
	}
	var claims struct {
		Role token.Role `json:"role"`
	}
	return readClaims(jwt, &claims) && claims.Role == token.RoleHost
}

// readClaims reads what a token says without knowing whether it is true.
func readClaims(jwt string, into any) bool {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return false
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && json.Unmarshal(b, into) == nil
}

// A custody is how one session takes part in the copy: by it the relay shows what
// it holds, and is offered what it does not.
type custody struct {
	copy *roomCopy
	line *line

	mu      sync.Mutex
	theirs  stage.State // what the relay has shown by this subscription
	shown   int         // how many documents that were
	changed chan struct{}
}

// keepCopy follows the state that the line's relay holds of the room until ctx
// ends or the relay says that it is none of ours.
func (l *line) keepCopy(ctx context.Context) {
	if !l.session.stentor() || !mayKeep(l.session.endpoint, l.r.purpose) {
		return
	}
	var pause backoff
	for {
		began := time.Now()
		err := l.followState(ctx)
		var refused *session.ResetError
		if ctx.Err() != nil || errors.As(err, &refused) && refused.Remote {
			return
		}
		l.r.log.Debug("the room's state is not shown", "relay", l.session.Relay(), "cause", err)
		if sleep(ctx, pause.next(time.Since(began), rand.Float64())) != nil {
			return
		}
	}
}

// followState does so until the subscription ends.
func (l *line) followState(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := &custody{copy: l.r.copy, line: l, theirs: stage.State{Room: l.r.room}, changed: make(chan struct{})}
	sub, err := l.session.Subscribe(ctx, protocol.Subscribe{
		Broadcast: roomsOfRelays.Join(protocol.Path(l.r.room)), Track: stageTrack,
		Delivery: protocol.Delivery{Priority: 0}, // to be told, not to take part
	}, c)
	if err != nil {
		return err
	}
	defer sub.Close()
	var offering sync.WaitGroup
	defer offering.Wait()
	defer stop()
	offering.Go(func() { c.offer(ctx) })
	select {
	case <-sub.Done():
		return sub.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Datagram implements [session.Sink]: none comes.
func (c *custody) Datagram(uint64, protocol.Frame) {}

// Group implements [session.Sink]: each is one document.
func (c *custody) Group(_ context.Context, g *session.GroupReader) {
	frame, err := g.Next()
	if err != nil {
		return
	}
	if err := c.take(frame.Payload); err != nil {
		c.copy.log.Warn("a room's state makes no sense", "relay", c.line.session.Relay(), "cause", err)
	}
}

func (c *custody) take(document []byte) error {
	s, err := stage.Decode(document, c.copy.room)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.theirs, err = stage.Merge(c.theirs, s); err != nil {
		return err
	}
	c.shown++
	close(c.changed)
	c.changed = make(chan struct{})
	return c.copy.take(s)
}

// behind is the copy, if the relay lacks something of it and is not about to show
// it; otherwise when to look again, zero if something has to change first.
func (c *custody) behind(since *time.Time, now time.Time) (ours stage.State, is bool, at time.Time, changed [2]<-chan struct{}) {
	ours, changed[0] = c.copy.get()
	c.mu.Lock()
	defer c.mu.Unlock()
	changed[1] = c.changed
	if c.shown == 0 || !ours.Exists() || stage.Same(c.theirs, ours) {
		*since = time.Time{}
		return ours, false, time.Time{}, changed
	}
	if since.IsZero() {
		*since = now
	}
	if due := since.Add(behindFor); c.shown > 1 && now.Before(due) {
		return ours, false, due, changed
	}
	return ours, true, time.Time{}, changed
}

// offer gives the relay what it lacks, until ctx ends or it does not want it. The
// same copy is offered once: a relay that has let go of a room on purpose takes it
// and keeps nothing.
func (c *custody) offer(ctx context.Context) {
	var since time.Time
	var pause backoff
	var given stage.State
	for {
		ours, is, at, changed := c.behind(&since, time.Now())
		wake := time.NewTimer(time.Hour)
		switch {
		case is && !stage.Same(given, ours):
			err := c.line.offerState(ctx, ours)
			if errors.Is(err, errNotTaken) || ctx.Err() != nil {
				c.copy.log.Warn("the relay does not take the room's state", "relay", c.line.session.Relay(), "cause", err)
				return
			}
			if err == nil {
				given = ours
				c.copy.log.Info("the relay was given the room's state", "relay", c.line.session.Relay(), "version", ours.Clock)
				continue
			}
			c.copy.log.Debug("the room's state cannot be offered", "relay", c.line.session.Relay(), "cause", err)
			wake.Reset(pause.next(0, rand.Float64()))
		case !at.IsZero():
			wake.Reset(time.Until(at))
		}
		select {
		case <-wake.C:
		case <-changed[0]:
		case <-changed[1]:
		case <-ctx.Done():
		}
		wake.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// errNotTaken says that offering the same again is of no use.
var errNotTaken = errors.New("refused")

// offerState offers a copy to the relay of a line, over HTTPS: there it is looked at
// whose it is. The relay is the one of the session, by its certificate.
func (l *line) offerState(ctx context.Context, s stage.State) error {
	document, err := s.Encode()
	if err != nil {
		return fmt.Errorf("%w: %w", errNotTaken, err)
	}
	e, o := l.session.endpoint, l.r.options.withDefaults()
	pinned := o
	if leaf := l.session.leaf.Load(); leaf != nil {
		pinned.CertificateHashes = []Hash{*leaf}
	}
	q := question{
		method: http.MethodPost, path: "/v1/rooms/" + url.PathEscape(l.r.room) + "/state",
		token: e.query.Get("jwt"), body: document, within: offerFor,
	}
	status, answer, err := ask(ctx, e, pinned, q)
	if isCertificateError(err) { // it has another for TCP
		status, answer, err = ask(ctx, e, o, q)
	}
	switch {
	case err != nil:
		return err
	case status == http.StatusOK:
		return nil
	case status == http.StatusTooManyRequests || status >= 500:
		return &statusError{status}
	}
	return fmt.Errorf("%w: %w: %.200s", errNotTaken, &statusError{status}, answer)
}
