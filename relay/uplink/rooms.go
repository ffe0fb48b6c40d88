package uplink

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

const (
	// lingerFor is how long a room that nobody wants any more is kept: who comes
	// back, or hops here, finds it warm.
	lingerFor = 30 * time.Second
	// handOver is how long a room that is over here is passed on to relays that
	// still take it from this one: they hear of it by the room's next plan.
	handOver = 10 * time.Second
)

// Config says where a relay stands.
type Config struct {
	// Self is this relay's name.
	Self string
	// Roots are the names of a room's roots as the directory would have them, red
	// first, if it has to do without some relays. There may be one or none. They
	// count while the room has no plan.
	Roots func(room string, without ...string) []string
	// Heed keeps an ear on relays and returns those of them that have not been
	// heard of for a while, too short to mean much for each of them. Changed tells
	// of a change. Nil hears nothing.
	Heed func(relays []string) (quiet []string)
	// Known are the relays of the directory, by name.
	Known func() []membership.Relay
	// Changed returns a channel that is closed when the directory changes, or who is
	// quiet.
	Changed func() <-chan struct{}
	// Links are the sessions with other relays.
	Links *Links
	// Follow takes in what a relay announces below a prefix until ctx or the
	// session ends. It calls offers when the relay has told how much there is, and
	// whenever that changes.
	Follow func(ctx context.Context, s *session.Session, relay string, prefix protocol.Path, offers func(broadcasts int)) error
	// Plans follows the plans of a room that a relay holds, until ctx or the session
	// ends, and calls each with what comes. wants says whether this relay takes part
	// in the room, and when that has changed. Nil does without plans: the parents
	// are the roots.
	Plans func(ctx context.Context, s *session.Session, room string, wants func() (bool, <-chan struct{}), each func([]byte)) error
	// FirstHand takes in what is spoken at another relay, until ctx ends. Nil takes
	// nothing.
	FirstHand func(ctx context.Context, s *session.Session, relay, room string)
	// Keep holds the room's last seconds ready until ctx ends, although nobody may
	// listen to it here. Nil holds nothing.
	Keep func(ctx context.Context, room string)
	// Degree is how many relays one feeds in the plans that this relay begins. Zero
	// means plan.DefaultDegree.
	Degree int
	// Logger receives what an operator should see. Nil discards it.
	Logger *slog.Logger
}

// Rooms are the rooms this relay takes part in. Its methods may be called from
// anywhere.
type Rooms struct {
	cfg   Config
	ctx   context.Context
	stop  context.CancelFunc
	tasks sync.WaitGroup

	mu    sync.Mutex
	rooms map[string]*room
}

// NewRooms makes a relay's part in no room yet. Close it.
func NewRooms(cfg Config) *Rooms {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Rooms{cfg: cfg, ctx: ctx, stop: stop, rooms: make(map[string]*room)}
}

// Close leaves every room and waits for what was started.
func (r *Rooms) Close() {
	r.mu.Lock()
	r.stop()
	for _, in := range r.rooms {
		in.stopTimers()
	}
	r.mu.Unlock()
	r.tasks.Wait()
}

// Want takes part in a room until the returned function is called, and a while
// longer. The function may be called more than once.
func (r *Rooms) Want(name string) (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return func() {}
	}
	in := r.room(name)
	r.add(in, &in.local)
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.drop(in, &in.local)
	})
}

// Wanted are the rooms this relay takes part in, in order.
func (r *Rooms) Wanted() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := make([]string, 0, len(r.rooms))
	for name, in := range r.rooms {
		if in.attended != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Take notes that another relay takes a room from this one, until the returned
// function is called. It does not keep the room: for that the relay follows the
// room's plan ([Rooms.Ask]).
func (r *Rooms) Take(name, relay string) (gone func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in := r.room(name)
	in.takers[relay]++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if in.takers[relay]--; in.takers[relay] == 0 {
			delete(in.takers, relay)
		}
		r.settle(in)
	}
}
