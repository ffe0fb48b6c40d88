package client

import (
	"math"
	"slices"

	"github.com/stentor-audio/stentor/client/hop"
)

// SpeakerStats are a Speaker's counters at one moment.
type SpeakerStats struct {
	Sent     uint64       // frames published; the next one has this sequence
	Silent   uint64       // frames left out because nobody spoke
	Level    float32      // of the last frame, 0 to 1
	Lagged   uint64       // frames that a slow relay did not take in time
	NoCredit uint64       // group streams that a relay did not allow
	Stopped  uint64       // group streams that a relay did not read to their end
	Relays   []RelayStats // that were tried, in the order of the first attempt
	Hops     []HopStats   // relays that took another's place; Lost is not known here
}

// RelayStats is the state of the way to one relay.
type RelayStats struct {
	Name     string // what it calls itself, or host:port
	Relay    string // its URL without credentials
	Up       bool   // there is a session now
	Sessions uint64 // that there have been
	Err      error  // of the last attempt that failed, nil before
}

// A relayRecord is what is known of one relay. Speaker.sessions guards it.
type relayRecord struct {
	at       string // host:port
	url      string
	up       int // sessions now: two while one takes the place of the other
	sessions uint64
	err      error
}

// record is the one of a relay. Of relays that are not in use the oldest is
// forgotten for a new one, beyond a number.
func (s *Speaker) record(e endpoint) *relayRecord {
	for _, r := range s.relays {
		if r.at == e.authority() {
			return r
		}
	}
	if len(s.relays) >= maxRemembered {
		if i := slices.IndexFunc(s.relays, func(r *relayRecord) bool { return r.up == 0 }); i >= 0 {
			s.relays = slices.Delete(s.relays, i, i+1)
		}
	}
	r := &relayRecord{at: e.authority(), url: e.String()}
	s.relays = append(s.relays, r)
	return r
}

// up and down note sessions that come and go. The lock is held, as in order.
func (s *Speaker) up(l *line) {
	r := s.record(l.session.endpoint)
	r.up++
	r.sessions++
}

func (s *Speaker) down(l *line) {
	s.record(l.session.endpoint).up--
}

// order notes hops: all else that a pair decides, the roamer does.
func (s *Speaker) order(e hop.Effect, _ *line) {
	if e.Kind != hop.Hopped {
		return
	}
	if len(s.hops) == maxHops {
		s.hops = slices.Delete(s.hops, 0, 1)
	}
	s.hops = append(s.hops, hopStats(e, s.roam.age()))
}

// Stats returns the present counters.
func (s *Speaker) Stats() SpeakerStats {
	stats := SpeakerStats{
		Sent:     s.broadcast.view().next,
		Silent:   s.silent.Load(),
		Level:    math.Float32frombits(s.level.Load()),
		Lagged:   s.broadcast.dropped.lagged.Load(),
		NoCredit: s.broadcast.dropped.noCredit.Load(),
		Stopped:  s.broadcast.dropped.stopped.Load(),
	}
	s.sessions.Lock()
	defer s.sessions.Unlock()
	for _, r := range s.relays {
		stats.Relays = append(stats.Relays, RelayStats{
			Name:     s.roam.dir.name(r.at),
			Relay:    r.url,
			Up:       r.up > 0,
			Sessions: r.sessions,
			Err:      r.err,
		})
	}
	stats.Hops = slices.Clone(s.hops)
	return stats
}
