package roomstate

import (
	"sync"
	"time"
)

// A Mirror is another relay's, or a host's client's, that follows a room's state
// here.
type Mirror struct {
	held  *held
	relay string // "" is a client

	signal Signal // guarded by the lock of its Rooms
	asked  time.Time
	once   sync.Once
}

// Mirror notes that somebody follows the state of a room. End it.
func (r *Rooms) Mirror(name, relay string) *Mirror {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.room(name)
	m := &Mirror{held: h, relay: relay}
	h.mirrors[m] = struct{}{}
	h.poke()
	return m
}

// Signal takes what the relay says of itself.
func (m *Mirror) Signal(s uint8) {
	r := m.held.rooms
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.relay == "" {
		return
	}
	if m.signal.takesPart() {
		m.held.touched = time.Now()
	}
	m.signal = Signal(s)
	m.held.poke()
}

// Next returns what somebody misses who has a revision (0: nothing), the revision
// that makes, a channel that is closed when there is more, and how long to wait
// until it is asked for: many changes at once are told together. It fails once the
// room is not held any more.
func (m *Mirror) Next(since uint64) (document []byte, revision uint64, changed <-chan struct{}, pause time.Duration, err error) {
	r := m.held.rooms
	r.mu.Lock()
	defer r.mu.Unlock()
	h := m.held
	if r.rooms[h.name] != h {
		return nil, 0, nil, 0, errGone
	}
	// Revisions go from 1, so that 0 is nobody's.
	revision = h.revision + 1
	if since != revision {
		document, err = h.since(max(since, 1) - 1)
	}
	// A room of 10,000 hands costs each relay milliseconds a change.
	pause = 10*time.Millisecond + time.Duration(h.state.Size()/200)*time.Millisecond
	return document, revision, h.changed, pause, err
}

// End says that nobody follows any more.
func (m *Mirror) End() {
	m.once.Do(func() {
		r := m.held.rooms
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(m.held.mirrors, m)
		if m.signal.takesPart() { // else two roots would hold the room for each other's sake
			m.held.touched = time.Now()
		}
		m.held.poke()
	})
}
