package uplink

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

const (
	// lingerFor is how long a room that nobody wants any more is kept: who comes
	// back, or hops here, finds it warm.
	lingerFor = 30 * time.Second
	// leaveAfter is how long the way from a parent that is no longer one is kept
	// after the way from its successor has begun: nothing is let go on a view of
	// the network that may be a second old.
	leaveAfter = 3 * time.Second
	retryMin   = 100 * time.Millisecond
	retryMax   = 2 * time.Second
)

// Config says where a relay stands.
type Config struct {
	// Self is this relay's name.
	Self string
	// Roots are the names of a room's roots, red first, as the directory stands.
	// There may be one or none.
	Roots func(room string) []string
	// Changed returns a channel that is closed when the directory changes.
	Changed func() <-chan struct{}
	// Links are the sessions with other relays.
	Links *Links
	// Follow takes in what a relay announces below a prefix until ctx or the
	// session ends.
	Follow func(ctx context.Context, s *session.Session, relay string, prefix protocol.Path) error
	// Keep holds the room's last seconds ready until ctx ends, although nobody may
	// listen to it here. Nil holds nothing.
	Keep func(ctx context.Context, room string)
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

type room struct {
	name  string
	wants int
	idle  *time.Timer // runs while nobody wants it
	stop  context.CancelFunc
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
	for _, room := range r.rooms {
		if room.idle != nil {
			room.idle.Stop()
		}
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
	in := r.rooms[name]
	if in == nil {
		ctx, stop := context.WithCancel(r.ctx)
		in = &room{name: name, stop: stop}
		r.rooms[name] = in
		r.tasks.Go(func() { r.attend(ctx, name) })
		if r.cfg.Keep != nil {
			r.tasks.Go(func() { r.cfg.Keep(ctx, name) })
		}
	}
	in.wants++
	if in.idle != nil {
		in.idle.Stop()
		in.idle = nil
	}
	return sync.OnceFunc(func() { r.release(in) })
}

func (r *Rooms) release(in *room) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.wants--; in.wants > 0 || r.ctx.Err() != nil {
		return
	}
	in.idle = time.AfterFunc(lingerFor, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if in.wants == 0 && r.rooms[in.name] == in {
			delete(r.rooms, in.name)
			in.stop()
		}
	})
}

// Wanted are the rooms this relay takes part in, in order.
func (r *Rooms) Wanted() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := make([]string, 0, len(r.rooms))
	for name := range r.rooms {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// parents are the relays that this one takes a room from: the room's roots, but
// not itself.
func parents(self string, roots []string) []string {
	return slices.DeleteFunc(slices.Clone(roots), func(name string) bool { return name == self })
}

// branch is the way from one parent.
type branch struct {
	stop    context.CancelFunc
	leaving *time.Timer
}

// attend keeps the ways from a room's parents until ctx ends.
func (r *Rooms) attend(ctx context.Context, name string) {
	branches := make(map[string]*branch)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	for {
		changed := r.cfg.Changed()
		wanted := parents(r.cfg.Self, r.cfg.Roots(name))
		for _, parent := range wanted {
			b := branches[parent]
			switch {
			case b == nil:
				child, stop := context.WithCancel(ctx)
				branches[parent] = &branch{stop: stop}
				tasks.Go(func() { r.hold(child, name, parent) })
			case b.leaving != nil && b.leaving.Stop():
				b.leaving = nil
			case b.leaving != nil: // it has just left; it comes back as a new one
				delete(branches, parent)
				child, stop := context.WithCancel(ctx)
				branches[parent] = &branch{stop: stop}
				tasks.Go(func() { r.hold(child, name, parent) })
			}
		}
		for parent, b := range branches {
			if b.leaving == nil && !slices.Contains(wanted, parent) {
				b.leaving = time.AfterFunc(leaveAfter, b.stop)
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			for _, b := range branches {
				b.stop()
				if b.leaving != nil {
					b.leaving.Stop()
				}
			}
			return
		}
	}
}

// hold keeps one way open until ctx ends, trying again whenever it breaks.
func (r *Rooms) hold(ctx context.Context, room, parent string) {
	retry := retryMin
	for ctx.Err() == nil {
		began := time.Now()
		s, err := r.cfg.Links.Session(ctx, parent)
		if err == nil {
			err = r.cfg.Follow(ctx, s, parent, protocol.Path(room))
		}
		if ctx.Err() != nil {
			return
		}
		r.cfg.Logger.Debug("way to a room's root interrupted", "room", room, "root", parent, "cause", err)
		if time.Since(began) > retryMax {
			retry = retryMin
		}
		select {
		case <-time.After(retry/2 + rand.N(retry/2)):
		case <-ctx.Done():
			return
		}
		retry = min(2*retry, retryMax)
	}
}
