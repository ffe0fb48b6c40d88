package ingest

import (
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// NotLevel is for a group of the track level that is not one byte, or too much of
// them: nobody is loud more often than 100 times a second.
const NotLevel Drop = "not_level"

// isLevel reports whether the track is a speaker's levels.
func (s *sink) isLevel() bool { return s.track.Name == protocol.TrackLevel }

// refusesLevel checks a group of that track.
func (s *sink) refusesLevel(payload []byte, now time.Time) bool {
	if s.trusted {
		return false
	}
	s.mu.Lock()
	fine := len(payload) == 1 && s.gate.allow(now)
	s.mu.Unlock()
	if !fine && s.source.ingest.cfg.OnDrop != nil {
		s.source.ingest.cfg.OnDrop(NotLevel)
	}
	return !fine
}
