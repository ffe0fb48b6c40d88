package relay

import (
	"sync"
	"time"

	"github.com/stentor-audio/stentor/membership"
)

// sentFor is how long a listener that was sent to a relay counts as being on its
// way, and at most twice as long: relays look at their load twice a second, and
// gossip takes a moment.
const sentFor = 2 * time.Second

// almostFull is the load in percent up to which those on their way make a relay
// busy. Only its own word makes it full: whoever asks a lobby may ask a thousand
// times and never come.
const almostFull = 99

// sent counts the listeners that this relay has sent to others and that their
// loads do not show yet.
type sent struct {
	mu     sync.Mutex
	relays map[string]*underWay
}

// underWay are those on their way to one relay.
type underWay struct {
	load       uint8 // that the relay told last
	known      bool  // load is: it has been asked for since the first was sent
	since      time.Time
	now, older int // sent since then, and in the sentFor before
}

// add notes a listener sent to a relay.
func (s *sent) add(relay string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.relays == nil {
		s.relays = make(map[string]*underWay)
	}
	w := s.relays[relay]
	if w == nil {
		w = &underWay{since: now}
		s.relays[relay] = w
	}
	w.turn(now)
	w.now++
}

// pending is how many are under way to each of these relays.
func (s *sent) pending(relays []membership.Relay, now time.Time) map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]int, len(s.relays))
	for i := range relays {
		r := &relays[i]
		w := s.relays[r.Name]
		if w == nil {
			continue
		}
		if w.turn(now); w.known && w.load != r.Load {
			w.now, w.older = 0, 0 // they are in what it says now
		}
		w.load, w.known = r.Load, true
		if w.now+w.older == 0 {
			delete(s.relays, r.Name)
			continue
		}
		free := int(r.Capacity) * max(0, almostFull-int(r.Load)) / 100
		out[r.Name] = min(w.now+w.older, free)
	}
	return out
}

// turn forgets those who must have arrived.
func (w *underWay) turn(now time.Time) {
	switch passed := now.Sub(w.since); {
	case passed >= 2*sentFor:
		w.now, w.older, w.since = 0, 0, now
	case passed >= sentFor:
		w.now, w.older, w.since = 0, w.now, now
	}
}
