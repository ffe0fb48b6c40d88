package roomstate

import (
	"context"
	"time"

	"github.com/stentor-audio/stentor/relay/stage"
)

const (
	// maxLog is how many changes are kept for those who follow: who is further
	// behind gets all.
	maxLog = 64
	// lingerFor is how long a room that nobody wants is held.
	lingerFor = 5 * time.Second
	// desertedFor is how long a room is held in which nobody has been and nothing
	// has happened.
	desertedFor = 24 * time.Hour
	// rememberFor is how long a room that was let go of is not taken back from a
	// relay that is a little later in letting go.
	rememberFor = time.Hour
)

// forgotten is a room that was let go of.
type forgotten struct {
	clock uint64
	at    time.Time
}

// held is one room's state. Its fields are guarded by the lock of its Rooms, but
// for those that run owns.
type held struct {
	rooms  *Rooms
	name   string
	wake   chan struct{}
	synced chan struct{} // closed once it is known what the roots know
	began  time.Time

	state    stage.State
	revision uint64
	log      []change
	full     []byte // the state's encoding; nil: not made yet
	view     []byte // likewise
	// places and personal are what is said to somebody of a revision, made when it is:
	// most are told the same, so that a large audience costs as much as one.
	places   *stage.Places
	personal map[stage.You][]byte
	changed  chan struct{}

	wants   int
	mirrors map[*Mirror]struct{}
	follows map[string]*follow
	seen    stage.Presence
	touched time.Time // somebody was there, or something happened

	// Owned by run.
	isSynced bool
	red      time.Time // since when this relay is the red root; zero: it is not
	told     time.Time // when the roots were last told who is present
	fetched  time.Time // when somebody who is ahead was last asked
	hosted   time.Time // since when a host is in a room that nobody knows
	busy     chan struct{}
	joining  chan struct{}
	telling  map[string]chan struct{}
}

// change is one step of a state.
type change struct {
	revision uint64
	state    stage.State // that alone which changed
}

// room returns what is held of a room, new if need be. r.mu is held.
func (r *Rooms) room(name string) *held {
	h := r.rooms[name]
	if h != nil {
		return h
	}
	h = &held{
		rooms: r, name: name, began: time.Now(), touched: time.Now(),
		wake: make(chan struct{}, 1), synced: make(chan struct{}), changed: make(chan struct{}),
		state:   stage.State{Room: name},
		mirrors: make(map[*Mirror]struct{}), follows: make(map[string]*follow), seen: make(stage.Presence),
		busy: make(chan struct{}, 1), joining: make(chan struct{}, 1), telling: make(map[string]chan struct{}),
	}
	r.rooms[name] = h
	if r.ctx.Err() != nil {
		h.isSynced = true
		close(h.synced)
		return h
	}
	ctx, stop := context.WithCancel(r.ctx)
	r.tasks.Go(func() {
		defer stop()
		h.run(ctx)
	})
	return h
}

func (h *held) poke() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// set makes a state the room's and returns what has changed, the zero state if
// nothing has. The lock is held.
func (h *held) set(next stage.State) (changed stage.State) {
	if stage.Same(h.state, next) {
		return stage.State{}
	}
	changed = stage.Diff(h.state, next)
	h.state = next
	h.revision++
	h.log = append(h.log, change{h.revision, changed})
	if len(h.log) > maxLog {
		h.log = append(h.log[:0:0], h.log[len(h.log)-maxLog/2:]...)
	}
	h.full, h.view, h.places, h.personal = nil, nil, nil, nil
	h.touched = time.Now()
	close(h.changed)
	h.changed = make(chan struct{})
	h.poke()
	return changed
}

// document is the whole state. The lock is held.
func (h *held) document() ([]byte, error) {
	if h.full == nil {
		b, err := h.state.Encode()
		if err != nil {
			return nil, err
		}
		h.full = b
	}
	return h.full, nil
}

// since is what somebody misses who has a revision; 0 is nobody's. The lock is held.
func (h *held) since(revision uint64) ([]byte, error) {
	if revision == 0 || len(h.log) == 0 || h.log[0].revision > revision+1 {
		return h.document()
	}
	sum := stage.State{Room: h.name}
	for _, c := range h.log {
		if c.revision <= revision {
			continue
		}
		var err error
		if sum, err = stage.Merge(sum, c.state); err != nil {
			return nil, err
		}
	}
	return sum.Encode()
}

// active reports whether the room has to be kept up to date here. The lock is held.
func (h *held) active() bool {
	if h.wants > 0 || h.state.Exists() {
		return true
	}
	for m := range h.mirrors {
		if m.signal.takesPart() {
			return true
		}
	}
	return time.Since(h.touched) < lingerFor
}

// attended reports whether somebody is there. The lock is held.
func (h *held) attended() bool {
	if h.wants > 0 {
		return true
	}
	for m := range h.mirrors {
		if m.signal.takesPart() {
			return true
		}
	}
	return false
}

// forget lets go of the room if nobody needs it here. The lock is held.
func (h *held) forget(roots []string) bool {
	if h.attended() || time.Since(h.touched) < lingerFor {
		return false
	}
	if h.state.Exists() && !h.handedOver(roots) && !h.deserted() {
		return false
	}
	if len(h.mirrors) > 0 && !h.deserted() {
		return false
	}
	if h.deserted() && h.state.Exists() {
		h.rooms.forgetFor(h.name, h.state.Clock)
	}
	delete(h.rooms.rooms, h.name)
	close(h.changed)
	h.changed = make(chan struct{})
	return true
}

// deserted reports whether nobody has been in the room for long, and nobody is
// expected.
func (h *held) deserted() bool {
	since := h.touched
	if h.state.Phase.Value == stage.Announced {
		if starts := time.UnixMilli(h.state.Starts.Value); starts.After(since) {
			since = starts
		}
	}
	return time.Since(since) > desertedFor
}

// handedOver reports whether both roots have shown all that is held here, and
// this relay is none of them.
func (h *held) handedOver(roots []string) bool {
	for _, root := range roots {
		f := h.follows[root]
		if root == h.rooms.cfg.Self || f == nil || f.documents == 0 || !stage.Same(f.theirs, h.state) {
			return false
		}
	}
	return len(roots) > 0
}

// forgetFor remembers a room that is let go of, and no more of them than are held.
// r.mu is held.
func (r *Rooms) forgetFor(name string, clock uint64) {
	for other, f := range r.forgotten {
		if time.Since(f.at) > rememberFor || len(r.forgotten) >= MaxRooms {
			delete(r.forgotten, other)
		}
	}
	r.forgotten[name] = forgotten{clock, time.Now()}
}
