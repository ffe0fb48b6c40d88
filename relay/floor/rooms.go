package floor

import (
	"cmp"
	"context"
	"log/slog"
	"sync"

	"github.com/stentor-audio/stentor/relay/room"
)

// DefaultN is how many are heard at once.
const DefaultN = 3

// Config says where a relay stands.
type Config struct {
	// Self is this relay's name.
	Self string
	// N is how many of a stage listeners hear at once. Zero means [DefaultN].
	N int
	// Origin has the rooms' broadcasts.
	Origin *room.Origin
	// Roots are the names of a room's roots, red first. Nil is a relay that stands
	// alone.
	Roots func(room string) []string
	// Follow follows the floor of a room at another relay until ctx or the session
	// ends, and calls each with what comes: again and again, as long as there is one.
	Follow func(ctx context.Context, relay, room string, each func([]byte)) error
	// Logger receives what an operator should see. Nil discards it.
	Logger *slog.Logger
}

// Rooms are the floors of a relay's rooms. Its methods may be called from anywhere.
type Rooms struct {
	cfg Config

	mu     sync.Mutex
	floors map[string]*told
}

// told is what is said of a room. Guarded by the lock of its Rooms.
type told struct {
	users   int
	encoded []byte
	changed chan struct{} // closed and made anew with each change

	publishers map[uint64]struct{} // of what is live there
}

// New makes them, none yet.
func New(cfg Config) *Rooms {
	cfg.N = cmp.Or(cfg.N, DefaultN)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Rooms{cfg: cfg, floors: make(map[string]*told)}
}

// Floor returns what is said of a room ([protocol.Floor], nothing if everybody is
// heard) with a channel that is closed when that changes, and what is to be called
// when nobody asks any more.
func (r *Rooms) Floor(room string) (floor func() ([]byte, <-chan struct{}), done func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.floors[room]
	if t == nil {
		t = &told{changed: make(chan struct{})}
		r.floors[room] = t
	}
	t.users++
	floor = func() ([]byte, <-chan struct{}) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return t.encoded, t.changed
	}
	return floor, sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(r.floors, room)
		}
	})
}

// tell says something else of a room that is attended.
func (r *Rooms) tell(room string, encoded []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.floors[room]
	t.encoded = encoded
	close(t.changed)
	t.changed = make(chan struct{})
}

// speak says who publishes in a room that is attended.
func (r *Rooms) speak(room string, publishers map[uint64]struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.floors[room].publishers = publishers
}

// Speaks reports whether a publisher, by its hop id, has something live in a room
// that is attended here.
func (r *Rooms) Speaks(room string, publisher uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.floors[room]
	if t == nil {
		return false
	}
	_, ok := t.publishers[publisher]
	return ok
}
