package stage

import (
	"time"

	"github.com/stentor-audio/stentor/token"
)

// A Presence is when somebody was last seen in the room: with a session at any
// relay of the network. It is the caller's, and no part of the state.
type Presence map[string]time.Time

// Begin returns the state of a room whose announced time has come: it is live.
// Reports whether anything has changed.
func (s State) Begin(by string, now time.Time) (State, bool) {
	if s.Phase.Value != Announced || s.Starts.Value == 0 || now.UnixMilli() < s.Starts.Value {
		return s, false
	}
	next := s.clone()
	next.Clock++
	next.Phase.set(Live, Stamp{N: next.Clock, By: by})
	return next, true
}

// Succeed returns the state with whoever stands in for hosts that have been gone
// for grace: the co-host who is there and was made one first. A host who is there
// needs nobody, so that the one who returns is host again. Reports whether
// anything has changed.
func (s State) Succeed(seen Presence, by string, now time.Time, grace time.Duration) (State, bool) {
	if s.Phase.Value != Live && s.Phase.Value != Announced {
		return s, false
	}
	acting := s.successor(seen, now, grace)
	if acting == s.Acting.Value {
		return s, false
	}
	next := s.clone()
	next.Clock++
	next.Acting.set(acting, Stamp{N: next.Clock, By: by})
	return next, true
}

// successor is who should stand in, "" if nobody need or can.
func (s State) successor(seen Presence, now time.Time, grace time.Duration) string {
	there := func(subject string) bool {
		at, ok := seen[subject]
		return ok && now.Sub(at) < grace
	}
	hosts, best := 0, ""
	for subject, p := range s.People {
		if p.Banned.Value {
			continue
		}
		if p.Host.Value || p.Role.Value == token.RoleHost {
			hosts++
			if there(subject) {
				return ""
			}
			continue
		}
		if p.Role.Value != token.RoleCohost || !there(subject) {
			continue
		}
		if first := s.People[best].Role.Stamp; best == "" || p.Role.Stamp.Compare(first) < 0 {
			best = subject
		}
	}
	if hosts == 0 {
		return ""
	}
	if held := s.Acting.Value; held != "" && there(held) && s.People[held].Role.Value == token.RoleCohost && !s.Banned(held) {
		return held // nobody is replaced while a host is looked for
	}
	if best == "" && s.Acting.Value != "" {
		return s.Acting.Value // nobody better: the room does not become nobody's
	}
	return best
}
