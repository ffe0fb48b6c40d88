package roomstate

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/relay/stage"
)

// A Signal is what a relay that follows a room says of itself: the priority of its
// subscription (docs/wire.md, between relays).
type Signal uint8

// The signals; they are added up.
const (
	Ahead     Signal = 1  // it holds something that it was not shown
	TakesPart Signal = 80 // somebody there is in the room
)

func (s Signal) isAhead() bool   { return s%2 == 1 }
func (s Signal) takesPart() bool { return s >= TakesPart }

const (
	retryFrom = 100 * time.Millisecond
	retryTo   = time.Second
)

// A follow is how the state that one root holds is heard of.
type follow struct {
	stop   context.CancelFunc
	signal signal

	// Guarded by the lock of its Rooms.
	theirs    stage.State // what it has shown by this session
	documents int
	differs   time.Time // since when it has not shown all that is held here
}

// follow follows the roots. The lock is held.
func (h *held) follow(ctx context.Context, roots []string) {
	cfg := &h.rooms.cfg
	wanted := roots
	if !h.active() || cfg.Follow == nil {
		wanted = nil
	}
	for relay, f := range h.follows {
		if !slices.Contains(wanted, relay) {
			f.stop()
			delete(h.follows, relay)
		}
	}
	for _, relay := range wanted {
		if relay == cfg.Self {
			continue
		}
		f := h.follows[relay]
		if f == nil {
			child, stop := context.WithCancel(ctx)
			f = &follow{stop: stop, theirs: stage.State{Room: h.name}}
			h.follows[relay] = f
			f.signal.set(h.signalTo(f))
			h.rooms.tasks.Go(func() { h.hear(child, relay, f) })
		}
		f.signal.set(h.signalTo(f))
	}
}

func (h *held) unfollow() {
	h.rooms.mu.Lock()
	defer h.rooms.mu.Unlock()
	for _, f := range h.follows {
		f.stop()
	}
}

// signalTo is what a root that is followed is to know. The lock is held.
func (h *held) signalTo(f *follow) (s Signal) {
	if h.wants > 0 {
		s = TakesPart
	}
	if f.documents == 0 || stage.Same(f.theirs, h.state) {
		f.differs = time.Time{}
		return s
	}
	if f.differs.IsZero() {
		f.differs = time.Now()
		if f.documents > 1 {
			time.AfterFunc(aheadAfter, h.poke)
		}
	}
	if f.documents == 1 || time.Since(f.differs) >= aheadAfter {
		s |= Ahead
	}
	return s
}

// hear follows one relay until ctx ends.
func (h *held) hear(ctx context.Context, relay string, f *follow) {
	cfg := &h.rooms.cfg
	for wait := retryFrom; ; wait = min(2*wait, retryTo) {
		err := cfg.Follow(ctx, relay, h.name, f.signal.get, func(document []byte) { h.heard(relay, f, document) })
		h.rooms.mu.Lock()
		if f.documents > 0 {
			wait = retryFrom
		}
		f.theirs, f.documents = stage.State{Room: h.name}, 0
		h.rooms.mu.Unlock()
		if ctx.Err() == nil {
			cfg.Logger.Debug("a room's state is not heard", "room", h.name, "relay", relay, "cause", err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// heard takes what a root has shown.
func (h *held) heard(relay string, f *follow, document []byte) {
	s, err := stage.Decode(document, h.name)
	if err == nil {
		h.rooms.mu.Lock()
		if f.theirs, err = stage.Merge(f.theirs, s); err == nil {
			f.documents++
		}
		h.rooms.mu.Unlock()
	}
	if err == nil {
		err = h.rooms.merge(h.name, s)
	}
	if err != nil {
		h.rooms.cfg.Logger.Warn("a room's state is refused", "room", h.name, "relay", relay, "cause", err)
	}
	h.poke()
}

// signal is a Signal that can be waited for.
type signal struct {
	mu      sync.Mutex
	value   Signal
	changed chan struct{} // nil: nobody waits
}

func (s *signal) get() (Signal, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.value, s.changed
}

func (s *signal) set(value Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if value == s.value {
		return
	}
	s.value = value
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}
