package roomstate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

const (
	// DefaultGrace is how long a host may be gone until somebody stands in.
	DefaultGrace = 20 * time.Second
	// MaxRooms is how many rooms with a state a relay holds.
	MaxRooms = 10_000
	// MaxDocument bounds what another relay or a host's client may send, in bytes.
	MaxDocument = stage.MaxSize
	// syncFor is how long a room whose roots say nothing counts as one of which
	// nothing is known yet.
	syncFor = 500 * time.Millisecond
)

// ErrTooMany says that the relay holds no further room.
var ErrTooMany = fmt.Errorf("%w: this network holds no more than %d rooms", stage.ErrFull, MaxRooms)

// Config says where a relay stands. Only Self and Roots must be set; without the
// others the relay stands alone.
type Config struct {
	// Self is this relay's name.
	Self string
	// Roots are the names of a room's roots, red first.
	Roots func(room string) []string
	// Changed returns a channel that is closed when roots may have changed.
	Changed func() <-chan struct{}
	// Follow follows the state that another relay holds of a room until ctx or the
	// session ends, and calls each with what comes. signal is what it is told of
	// this relay, and when that has changed.
	Follow func(ctx context.Context, relay, room string, signal func() (Signal, <-chan struct{}), each func([]byte)) error
	// Fetch asks another relay once for the state that it holds of a room.
	Fetch func(ctx context.Context, relay, room string) ([]byte, error)
	// Tell passes an order on to another relay.
	Tell func(ctx context.Context, relay, room string, order Order) (Answer, error)
	// Present are those of the stage who are in the room at this relay, hosts and
	// co-hosts first. Nil is nobody.
	Present func(room string) []stage.Actor
	// OnChange is called when the state of a room has changed here. It may be
	// called by several goroutines at once: what counts is [Rooms.State] then.
	OnChange func(room string, changed stage.State)
	// Grace is how long a host may be gone until somebody stands in. Zero means
	// [DefaultGrace].
	Grace time.Duration
	// Now tells the time. Nil means [time.Now].
	Now func() time.Time
	// Logger receives what an operator should see. Nil discards it.
	Logger *slog.Logger
}

// Rooms are the rooms whose state a relay holds. Its methods may be called from
// anywhere.
type Rooms struct {
	cfg   Config
	ctx   context.Context
	stop  context.CancelFunc
	tasks sync.WaitGroup

	mu        sync.Mutex
	rooms     map[string]*held
	forgotten map[string]forgotten
}

// New makes a relay's rooms, none yet. Close it.
func New(cfg Config) *Rooms {
	cfg.Grace = cmp.Or(cfg.Grace, DefaultGrace)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Rooms{cfg: cfg, ctx: ctx, stop: stop, rooms: make(map[string]*held), forgotten: make(map[string]forgotten)}
}

// Close lets go of all rooms and waits for what was started.
func (r *Rooms) Close() {
	r.mu.Lock()
	r.stop()
	r.mu.Unlock()
	r.tasks.Wait()
}

// Want holds the state of a room until the returned function is called. It may be
// called more than once.
func (r *Rooms) Want(name string) (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.room(name)
	if h.wants++; h.wants == 1 {
		h.poke()
	}
	h.touched = time.Now()
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if h.wants--; h.wants == 0 {
			h.poke()
		}
		h.touched = time.Now()
	})
}

// Poke has a room look around: who is present may have changed.
func (r *Rooms) Poke(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.rooms[name]; h != nil {
		h.poke()
	}
}

// State is what is held of a room now; the zero state if nothing is.
func (r *Rooms) State(name string) stage.State {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.rooms[name]; h != nil {
		return h.state
	}
	return stage.State{Room: name}
}

// Held is the state of a room that is held here, and whether it is: once the roots
// have told it, or have had the time to.
func (r *Rooms) Held(name string) (stage.State, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.rooms[name]
	if h == nil {
		return stage.State{Room: name}, false
	}
	select {
	case <-h.synced:
		return h.state, true
	default:
		return h.state, h.state.Exists()
	}
}

// Await returns the state of a room that is wanted, once a root has told it or has
// had the time to.
func (r *Rooms) Await(ctx context.Context, name string) stage.State {
	r.mu.Lock()
	h := r.rooms[name]
	r.mu.Unlock()
	if h != nil {
		select {
		case <-h.synced:
		case <-ctx.Done():
		case <-r.ctx.Done():
		}
	}
	return r.State(name)
}

// AwaitVersion waits until what is held of a room is of a version at least.
func (r *Rooms) AwaitVersion(ctx context.Context, name string, version uint64) {
	for {
		r.mu.Lock()
		h := r.rooms[name]
		if h == nil || h.state.Clock >= version {
			r.mu.Unlock()
			return
		}
		changed := h.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// Known are the states of the rooms that are held and exist.
func (r *Rooms) Known() []stage.State {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []stage.State
	for _, h := range r.rooms {
		if h.state.Exists() {
			out = append(out, h.state)
		}
	}
	return out
}

// An Order is what one relay has another do to a room.
type Order struct {
	Actor   stage.Actor   `json:"actor,omitzero"`
	Command stage.Command `json:"command,omitzero"`
	// Present are subjects that are in the room at the relay that tells; an order
	// with these has no command.
	Present []string `json:"present,omitempty"`
}

// An Answer is what became of an order.
type Answer struct {
	View    *stage.View `json:"view,omitempty"`
	Code    string      `json:"code,omitempty"` // why it was refused, as HTTP says it
	Message string      `json:"message,omitempty"`
}

// Do carries out an order: of this relay's own, or of one that takes it for a root.
func (r *Rooms) Do(ctx context.Context, name string, o Order) (stage.View, error) {
	if len(o.Present) > 0 {
		r.see(name, o.Present)
		return stage.View{}, nil
	}
	release := r.Want(name) // until it is known whether there is something to keep
	defer release()
	r.Await(ctx, name)
	return r.apply(name, o.Command, o.Actor)
}

// see notes who is present somewhere.
func (r *Rooms) see(name string, subjects []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.rooms[name]
	if h == nil {
		return
	}
	now := r.cfg.Now()
	for _, subject := range subjects[:min(len(subjects), stage.MaxPeople)] {
		if _, known := h.state.People[subject]; known {
			h.seen[subject] = now
		}
	}
	h.poke()
}

// apply gives a room its next state.
func (r *Rooms) apply(name string, c stage.Command, who stage.Actor) (stage.View, error) {
	r.mu.Lock()
	h := r.room(name)
	before, now := h.state, r.cfg.Now()
	next := before
	var err error
	if !before.Exists() && len(r.rooms) >= MaxRooms {
		err = ErrTooMany
	}
	if err == nil && !before.Exists() && c.Do != stage.Create && who.Role == token.RoleHost && c.Version == 0 {
		// A room that was made by being spoken in: its first host takes it over.
		next, err = next.Apply(stage.Command{Do: stage.Create}, who, r.cfg.Self, now)
	}
	if err == nil {
		next, err = next.Apply(c, who, r.cfg.Self, now)
	}
	if err != nil {
		r.mu.Unlock()
		return stage.View{}, err
	}
	if _, known := next.People[who.Subject]; known {
		h.seen[who.Subject] = now
	}
	changed := h.set(next)
	r.mu.Unlock()
	r.tell(name, changed)
	return next.View(), nil
}

// Offer merges a copy of a room's state that somebody else has kept.
func (r *Rooms) Offer(name string, document []byte) error {
	s, err := stage.Decode(document, name)
	if err != nil {
		return err
	}
	return r.merge(name, s)
}

func (r *Rooms) merge(name string, s stage.State) error {
	r.mu.Lock()
	h := r.rooms[name]
	if h == nil && s.Exists() && len(r.rooms) >= MaxRooms {
		r.mu.Unlock()
		return ErrTooMany
	}
	h = r.room(name)
	if f, is := r.forgotten[name]; is && !h.state.Exists() && s.Clock <= f.clock && time.Since(f.at) < rememberFor {
		r.mu.Unlock()
		return nil // it was let go of because nobody came any more
	}
	next, err := stage.Merge(h.state, s)
	if err != nil {
		r.mu.Unlock()
		return err
	}
	changed := h.set(next)
	r.mu.Unlock()
	r.tell(name, changed)
	return nil
}

// tell passes on what has changed, if anything has.
func (r *Rooms) tell(name string, changed stage.State) {
	if r.cfg.OnChange != nil && changed.Room != "" {
		r.cfg.OnChange(name, changed)
	}
}

// Document is all that is held of a room.
func (r *Rooms) Document(name string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.rooms[name]
	if h == nil {
		return stage.State{Room: name}.Encode()
	}
	return h.document()
}

// errGone ends what was followed at a room that is not held any more.
var errGone = errors.New("the room is not held here any more")
