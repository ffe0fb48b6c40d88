package client

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/client/playout"
	"github.com/stentor-audio/stentor/protocol"
)

// A Listener follows the speakers of a room: it finds them, subscribes to each,
// merges what any of its sessions delivers by sequence, fetches what is missing
// and puts it all into an [Output]. Sessions come and go; the tracks stay.
type Listener struct {
	// Set by NewListener, constant afterwards.
	o     ListenOptions
	log   *slog.Logger
	ready chan struct{} // closed when the first session is up
	fail  atomic.Pointer[error]

	readyOnce sync.Once
	began     atomic.Int64 // when Run did, time since epoch
	tasks     sync.WaitGroup

	// Lock order: mu, then the output's lock.
	mu      sync.Mutex
	tracks  map[trackKey]*track
	feeds   map[*feed]struct{}
	latency histogram
	hops    hopLog
	relay   string // of the newest session, host:port
	room    bool   // MaxSpeakers was not yet complained about
}

// NewListener checks the options. Nothing is connected before Run.
func NewListener(o ListenOptions) (*Listener, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	return &Listener{
		o:      o,
		log:    o.Logger.With("room", o.Room),
		ready:  make(chan struct{}),
		tracks: make(map[trackKey]*track),
		feeds:  make(map[*feed]struct{}),
	}, nil
}

// Listen runs a Listener until ctx ends or no relay takes it.
func Listen(ctx context.Context, o ListenOptions) error {
	l, err := NewListener(o)
	if err != nil {
		return err
	}
	return l.Run(ctx)
}

// Run keeps a session and follows the room until ctx ends, or until no relay
// takes this listener: [ErrNotAllowed], [ErrCertificate], or [ErrUnreachable]
// at the beginning. It returns why it ended, never nil, and may be called once.
func (l *Listener) Run(ctx context.Context) error {
	l.began.Store(int64(now()))
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	k := keeper{
		relays: l.o.Relays,
		dial:   l.dial,
		serve:  l.serve,
		failed: func(err error) { l.fail.Store(&err) },
		log:    l.log,
	}
	l.tasks.Go(func() { stop(k.run(ctx)) })
	l.tasks.Go(func() {
		if err := l.awaitFirst(ctx); err != nil {
			stop(err)
		}
	})
	l.tasks.Go(func() { l.tend(ctx) })
	l.tasks.Wait()
	l.closeTracks()
	return context.Cause(ctx)
}

// awaitFirst fails if no relay answers at the beginning.
func (l *Listener) awaitFirst(ctx context.Context) error {
	patience := time.NewTimer(l.o.ConnectTimeout)
	defer patience.Stop()
	select {
	case <-l.ready:
		return nil
	case <-ctx.Done():
		return nil
	case <-patience.C:
		if err := l.LastError(); err != nil {
			return err
		}
		return unreachable.of(redact(l.o.Relays[0]), errDialTimeout)
	}
}

// LastError is why the newest attempt or session failed; nil if none has.
func (l *Listener) LastError() error {
	if err := l.fail.Load(); err != nil {
		return *err
	}
	return nil
}

func (l *Listener) dial(ctx context.Context, relay string) (*Session, error) {
	o := l.o.Dial
	o.Role = protocol.RoleSubscriber
	o.OnGoaway = func(uri string) { l.log.Info("the relay asks its listeners to leave", "to", uri) }
	return Dial(ctx, relay, o)
}

// serve follows the room over one session until that ends.
func (l *Listener) serve(ctx context.Context, s *Session) {
	l.readyOnce.Do(func() { close(l.ready) })
	f := l.addFeed(s)
	f.use()
	f.run(ctx)
	l.removeFeed(f)
}

func (l *Listener) addFeed(s *Session) *feed {
	f := newFeed(l, s)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.feeds[f] = struct{}{}
	l.relay = s.endpoint.authority()
	l.hops.enter(l.relay)
	return f
}

func (l *Listener) removeFeed(f *feed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.feeds, f)
	l.hops.leave(f.session.endpoint.authority(), "closed", l.age(), now(), l.lost())
}

// How often a Listener looks after what no packet reminds it of: holes whose
// repair is due, tracks that have ended.
const (
	tendEvery = FrameDuration
	// linger is how long a track outlives its last announcement, so that a
	// speaker or relay that comes back is the same voice in the same buffer.
	linger = 10 * time.Second
	// roundTripEvery is how often the sessions' round trips are looked at.
	roundTripEvery = 500 * time.Millisecond
)

func (l *Listener) tend(ctx context.Context) {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if n%int(roundTripEvery/tendEvery) == 0 {
			l.measure()
		}
		l.look()
	}
}

// measure reads the round trips.
func (l *Listener) measure() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.feeds {
		f.roundTrip.Store(int64(f.session.Conn().Stats().RTT))
	}
}

// look repairs what is due, lets the output flow, and ends tracks that nobody
// has announced for a while.
func (l *Listener) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := now()
	if l.hops.open() {
		l.hops.settle(t, l.lost())
	}
	for _, track := range l.tracks {
		if track.buffer == nil {
			continue
		}
		l.repair(track, t)
		if track.gone && t-track.left > linger {
			l.endTrack(track)
		}
	}
	l.o.Output.Lock()
	l.o.Output.Flow(t)
	l.o.Output.Unlock()
}

// deliver takes what a group brought.
func (l *Listener) deliver(in *intake, frames []frame, group uint64, arrived time.Time, bad error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := in.tap.track
	if bad != nil {
		t.malformed++
		if t.malformed == 1 {
			l.log.Warn("speaker sends what is no Opus", "speaker", t.key.speaker, "cause", bad)
		}
	}
	if t.buffer == nil || len(frames) == 0 {
		return
	}
	t.saw(frames, group, in.format.size)
	at := now()
	l.o.Output.Lock()
	for _, f := range frames {
		if t.buffer.Push(f.sequence, f.timestamp, f.opus, at) == playout.Accepted {
			l.timed(f.timestamp, arrived)
		}
	}
	l.o.Output.Flow(at)
	l.o.Output.Unlock()
	l.hops.heard(at)
	l.repair(t, at)
}

// lost is how many frames were lost so far. l.mu is held.
func (l *Listener) lost() uint64 {
	l.o.Output.Lock()
	defer l.o.Output.Unlock()
	var n uint64
	for _, t := range l.tracks {
		n += t.past.Lost
		if t.buffer != nil {
			n += t.buffer.Stats().Lost
		}
	}
	return n
}
