package client

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/client/playout"
	"github.com/stentor-audio/stentor/protocol"
)

// A Listener follows the speakers of a room: it finds them, subscribes to each,
// merges what any of its sessions delivers by sequence, fetches what is missing
// and puts it all into an [Output]. Sessions come and go; the tracks stay.
//
// Package hop decides about the sessions: one is listened to, another stands by
// to take over within a round trip (docs/hops.md).
type Listener struct {
	// Set by NewListener, constant afterwards.
	o     ListenOptions
	log   *slog.Logger
	roam  *roamer
	began atomic.Int64 // when Run did, time since epoch

	tasks sync.WaitGroup

	// Lock order: mu, then the output's lock.
	mu      sync.Mutex
	machine *hop.Machine
	tracks  map[trackKey]*track
	feeds   map[*feed]struct{}
	last    hop.Track     // number given last
	packet  time.Duration // what the first relay wished for; 0 not known yet
	latency histogram
	hops    hopLog
	relay   string              // listened to last
	muted   map[string]struct{} // in the room, by name
	floor   *protocol.Floor
	room    bool // MaxSpeakers was not yet complained about
}

// NewListener checks the options. Nothing is connected before Run.
func NewListener(o ListenOptions) (*Listener, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	l := &Listener{
		o:       o,
		log:     o.Logger.With("room", o.Room),
		machine: hop.New(hop.Options{Jitter: rand.Float64(), Cold: o.NoStandby}),
		tracks:  make(map[trackKey]*track),
		feeds:   make(map[*feed]struct{}),
	}
	r, err := newRoamer(l.machine, &l.mu, o.Relays)
	if err != nil {
		return nil, err
	}
	l.roam = r
	r.purpose, r.room, r.options, r.log = purposeListen, o.Room, o.Dial, l.log
	r.copy, r.view = newRoomCopy(o.Room, l.log), &roomView{on: l.heardRoom}
	r.dial = func(ctx context.Context, url string, pins []Hash, goaway func(string)) (*Session, error) {
		return dialAs(ctx, url, o.Dial, protocol.RoleSubscriber, pins, goaway)
	}
	r.onCold = func(asked bool) bool { return asked || o.NoStandby }
	r.up, r.down, r.order = l.addFeed, l.removeFeed, l.order
	r.serve = func(ctx context.Context, line *line) { line.feed.run(ctx) }
	if o.Dial.DialQUIC == nil {
		r.route = route
	}
	return l, nil
}

// Listen runs a Listener until ctx ends or no relay takes it.
func Listen(ctx context.Context, o ListenOptions) error {
	l, err := NewListener(o)
	if err != nil {
		return err
	}
	return l.Run(ctx)
}

// Run keeps sessions and follows the room until ctx ends, or until no relay
// takes this listener: [ErrNotAllowed], [ErrCertificate], or [ErrUnreachable]
// at the beginning. It returns why it ended, never nil, and may be called once.
func (l *Listener) Run(ctx context.Context) error {
	l.began.Store(int64(now()))
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	l.tasks.Go(func() { l.roam.run(ctx, stop) })
	l.tasks.Go(func() {
		if err := l.roam.awaitFirst(ctx, l.o.ConnectTimeout); err != nil {
			stop(err)
		}
	})
	l.tasks.Go(func() { l.tend(ctx) })
	l.tasks.Wait()
	l.closeTracks()
	return context.Cause(ctx)
}

// LastError is why the newest attempt or session failed; nil if none has.
func (l *Listener) LastError() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.roam.err
}

// addFeed makes a session one that the room can be followed by. l.mu is held, as
// in removeFeed and order.
func (l *Listener) addFeed(line *line) {
	f := newFeed(l, line)
	line.feed = f
	l.feeds[f] = struct{}{}
	if setup, _ := line.session.Peer(); l.packet == 0 {
		l.packet = cmp.Or(l.o.Packet, setup.Packet, defaultPacket)
	}
}

func (l *Listener) removeFeed(line *line) { delete(l.feeds, line.feed) }

// order does with a session what the machine says.
func (l *Listener) order(e hop.Effect, line *line) {
	switch {
	case e.Kind == hop.Hopped:
		l.hops.hopped(e, l.age())
	case e.Track == hop.Tick:
		line.feed.inUse.set(e.Kind == hop.Subscribe)
	default:
		if p := line.feed.voices[e.Track]; p != nil {
			p.call(e)
		}
	}
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
		l.look(n)
	}
}

// look repairs what is due, lets the output flow, and ends tracks that nobody
// has announced for a while; and now and then it measures.
func (l *Listener) look(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := now()
	if n%int(roundTripEvery/tendEvery) == 0 {
		for f := range l.feeds {
			f.roundTrip.Store(int64(f.session.Conn().Stats().RTT))
		}
	}
	if n%int(lostEvery/tendEvery) == 0 {
		l.hops.count(l.age(), l.lost())
		if c, _, ok := l.machine.Primary(); ok {
			l.relay = l.roam.dir.name(c.Name)
		}
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
	size := uint64(in.format.size)
	l.roam.step(hop.Event{
		Kind:      hop.Arrived,
		Session:   in.tap.feed.line.id,
		Track:     t.number,
		Sequence:  group * size,
		Frames:    in.format.size,
		Timestamp: mediaTime(frames[0], group*size),
	})
	l.leaveOut(t)
	l.repair(t, at)
}

// mediaTime is when a group that starts at a sequence begins, by its first
// frame that came. Clocks of strangers may say what they like.
func mediaTime(f frame, start uint64) time.Duration {
	const longest = uint64(math.MaxInt64 / 4 / time.Microsecond)
	before := (f.sequence - start) * frameMicros
	if f.timestamp < before || f.timestamp > longest {
		return 0
	}
	return time.Duration(f.timestamp-before) * time.Microsecond
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
