package client

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/client/hop"
)

// A decider says which relays to have sessions with: [hop.Machine] for a
// listener, [hop.Pair] for a speaker.
type decider interface {
	Step(now time.Duration, e hop.Event) []hop.Effect
	Deadline() (at time.Duration, ok bool)
}

// A roamer has the sessions that its decider wants. It tells the decider what
// happens and carries out what that decides; what the sessions are for is its
// owner's.
type roamer struct {
	// Set by the owner, constant once started.
	decider decider
	purpose string // in the lobby's words: purposeListen or purposeSpeak
	room    string
	options Options // as its user gave them; for the lobby
	log     *slog.Logger
	copy    *roomCopy
	view    *roomView

	// dial makes a session with the relay at url, which may be recognised by pins
	// beside what the user said. goaway must be its OnGoaway.
	dial func(ctx context.Context, url string, pins []Hash, goaway func(string)) (*Session, error)
	// up prepares a line for what the decider will want of it, serve uses it until
	// it or ctx ends, and down forgets it. mu is held in up and down.
	up    func(*line)
	serve func(ctx context.Context, l *line)
	down  func(*line)
	// order is told about Subscribe and Unsubscribe, whose line still is there,
	// and about Hopped. mu is held, so it must not wait.
	order func(hop.Effect, *line)

	// onCold says whether to do without a second session, given that a relay asks
	// for it, or no longer. Nil: there is no such choice.
	onCold func(asked bool) bool

	// route says from which address a packet to another would go. Nil: the
	// network does not change.
	route func(to netip.Addr) (from netip.Addr, ok bool)

	mu    *sync.Mutex // the owner's; guards what follows, and the decider
	began time.Duration
	ctx   context.Context
	stop  context.CancelCauseFunc
	timer *time.Timer
	dir   directory
	lines map[hop.Session]*line
	err   error // of the newest attempt or session that failed
	ready chan struct{}
	asked bool // the lobby is being asked
	cold  bool // a relay asks to stand by without a session
	askAt time.Duration

	tasks sync.WaitGroup
}

// What a roamer is for.
const (
	purposeListen = "listen"
	purposeSpeak  = "speak"
)

// newRoamer makes one whose decider knows the relays that the user named.
func newRoamer(d decider, mu *sync.Mutex, relays []string) (*roamer, error) {
	dir, err := newDirectory(relays)
	if err != nil {
		return nil, err
	}
	return &roamer{
		decider: d,
		mu:      mu,
		dir:     dir,
		lines:   make(map[hop.Session]*line),
		ready:   make(chan struct{}),
	}, nil
}

// run keeps sessions until ctx ends or nobody takes this client: then it calls
// stop with the reason. It waits for all that it started.
func (r *roamer) run(ctx context.Context, stop context.CancelCauseFunc) {
	r.mu.Lock()
	r.began, r.ctx, r.stop = now(), ctx, stop
	r.timer = time.NewTimer(time.Hour)
	r.tasks.Go(func() { r.keepTime(ctx) })
	if r.route != nil {
		r.tasks.Go(func() { r.watchRoutes(ctx) })
	}
	r.step(hop.Event{Kind: hop.Candidates, Candidates: r.dir.candidates()})
	r.mu.Unlock()
	r.tasks.Wait()
}

// awaitFirst fails if no relay answers at the beginning. One that answers that it
// is full is waited for.
func (r *roamer) awaitFirst(ctx context.Context, within time.Duration) error {
	patience := time.NewTimer(within)
	defer patience.Stop()
	for {
		select {
		case <-r.ready:
			return nil
		case <-ctx.Done():
			return nil
		case <-patience.C:
		}
		r.mu.Lock()
		err := r.err
		r.mu.Unlock()
		switch {
		case errors.Is(err, ErrBusy):
			patience.Reset(within)
		case err != nil:
			return err
		default:
			return unreachable.of(r.dir.own[0].String(), errDialTimeout)
		}
	}
}

// age is the time that the decider is told.
func (r *roamer) age() time.Duration { return now() - r.began }

// keepTime steps the decider when it wants to be.
func (r *roamer) keepTime(ctx context.Context) {
	for {
		select {
		case <-r.timer.C:
			r.event(hop.Event{})
		case <-ctx.Done():
			r.timer.Stop()
			return
		}
	}
}

// event is step for whoever does not hold mu.
func (r *roamer) event(e hop.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.step(e)
}

// step tells the decider what happened and does what it says. mu is held.
func (r *roamer) step(e hop.Event) {
	if r.ctx == nil || r.ctx.Err() != nil {
		return
	}
	for _, effect := range r.decider.Step(r.age(), e) {
		r.do(effect)
	}
	if at, ok := r.decider.Deadline(); ok {
		r.timer.Reset(at - r.age())
	} else {
		r.timer.Stop()
	}
}

// do begins to carry out an effect. mu is held.
func (r *roamer) do(e hop.Effect) {
	l := r.lines[e.Session]
	switch e.Kind {
	case hop.Dial:
		l := &line{r: r, id: e.Session, candidate: e.Candidate}
		ctx, cancel := context.WithCancel(r.ctx)
		l.cancel = cancel
		r.lines[l.id] = l
		r.tasks.Go(func() { l.run(ctx) })
	case hop.Close:
		if l != nil {
			r.log.Debug("session not needed", "relay", r.dir.name(l.candidate.Name), "cause", e.Cause)
			delete(r.lines, l.id)
			l.cancel()
		}
	case hop.AskLobby:
		r.ask()
	case hop.Subscribe, hop.Unsubscribe:
		if l == nil || l.session == nil {
			return
		}
		if e.Track == hop.Tick {
			l.listen(e.Kind == hop.Subscribe)
		}
		r.order(e, l)
	case hop.Hopped:
		e.From, e.To = r.dir.name(e.From), r.dir.name(e.To)
		r.log.Info("hopped", "from", e.From, "to", e.To, "cause", e.Cause, "took", e.Took)
		r.order(e, l)
	}
}

// learn takes a list of relays that the relay of a line sent, or a lobby, where
// l is nil. One that is empty or without sense changes nothing. mu is held.
func (r *roamer) learn(list relayList, l *line) {
	if r.dir.learn(list, l) {
		r.step(hop.Event{Kind: hop.Candidates, Candidates: r.dir.candidates()})
	}
	for _, other := range r.gone(list, l) {
		r.log.Info("said to be gone", "relay", other.session.Relay())
		r.step(hop.Event{Kind: hop.Gone, Session: other.id})
	}
}

// gone are the lines to relays that a list says are gone, but for the one it came
// by. mu is held.
func (r *roamer) gone(list relayList, l *line) []*line {
	var lines []*line
	for _, other := range r.lines {
		if other != l && other.session != nil && slices.Contains(list.Gone, r.dir.name(other.candidate.Name)) {
			lines = append(lines, other)
		}
	}
	return lines
}

// failed notes why an attempt or a session ended for no reason of ours, and
// ends everything if nobody can ever take this client: a relay that the user
// named does not let it in and there is no other session, or none of all that
// are known does. mu is held.
func (r *roamer) failed(l *line, err error) {
	r.err = err
	r.dir.refuse(l.candidate, err)
	for _, other := range r.lines {
		if other.session != nil {
			return
		}
	}
	refused := errors.Is(err, ErrNotAllowed) || errors.Is(err, ErrNameTaken)
	if refused && r.dir.isOwn(l.candidate) || r.dir.hopeless() {
		r.stop(err)
	}
}
