package relay

import (
	"math"
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

	since      time.Time
	now, older map[string]int // by room: sent since then, and in the rateOver before
	zones      map[string]growth
}

// A growth is how fast the loads of a zone's relays have grown lately, in sessions a
// second.
type growth struct {
	at   time.Time
	used float64
	rate float64
}

const (
	// growthEvery is how often loads are compared, and growthOver over how long
	// their growth is smoothed.
	growthEvery = time.Second
	growthOver  = 4 * time.Second
)

// follow takes how many sessions a zone has now.
func (g growth) follow(used float64, now time.Time) growth {
	passed := now.Sub(g.at)
	switch {
	case passed < growthEvery:
		return g
	case passed > 10*growthOver: // too long ago to tell from
		return growth{at: now, used: used}
	}
	weight := 1 - math.Exp(-passed.Seconds()/growthOver.Seconds())
	g.rate += weight * (max(used-g.used, 0)/passed.Seconds() - g.rate)
	g.at, g.used = now, used
	return g
}

// rateOver is over how long newcomers to a room are counted, and at most twice as
// long.
const rateOver = time.Second

// underWay are those on their way to one relay.
type underWay struct {
	load       uint8 // that the relay told last
	known      bool  // load is: it has been asked for since the first was sent
	since      time.Time
	now, older int // sent since then, and in the sentFor before
}

// add notes a listener of a room sent to a relay.
func (s *sent) add(room, relay string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(now)
	if s.now == nil {
		s.now = make(map[string]int)
	}
	s.now[room]++
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

// breadth is how many relays of a zone share a room's newcomers now.
func (s *sent) breadth(room string, z Zone, now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.zones == nil {
		s.zones = make(map[string]growth)
	}
	g := s.zones[z.Name].follow(z.Used, now)
	s.zones[z.Name] = g
	return z.Breadth(s.rate(room, now), g.rate)
}

// rate is how many listeners of a room were sent on a second, lately. mu is held.
func (s *sent) rate(room string, now time.Time) float64 {
	s.turn(now)
	span := now.Sub(s.since)
	if s.older != nil {
		span += rateOver
	}
	return float64(s.now[room]+s.older[room]) / max(span, rateOver).Seconds()
}

// turn forgets the rooms whose newcomers were long ago. mu is held.
func (s *sent) turn(now time.Time) {
	switch passed := now.Sub(s.since); {
	case passed >= 2*rateOver:
		s.now, s.older, s.since = nil, nil, now
	case passed >= rateOver:
		s.now, s.older, s.since = nil, s.now, s.since.Add(rateOver)
	}
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
