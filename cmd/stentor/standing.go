package main

import (
	"slices"

	"github.com/stentor-audio/stentor/relay/stage"
)

// A standing is what a speaker may do in the room, for the speaker to know. One
// goroutine at a time tells it.
type standing struct {
	p    *progress
	name string // as the stage shows it

	muted bool
	role  string
}

// told takes what the relay says of the room. Whoever is not shown on the stage is
// told nothing: tokens may have other names than broadcasts.
func (s *standing) told(v stage.View) {
	i := slices.IndexFunc(v.Stage, func(p stage.PersonView) bool { return p.Name == s.name })
	if i < 0 {
		return
	}
	me := v.Stage[i]
	switch {
	case me.Muted && !s.muted:
		s.p.say("you are muted: what you say is passed on to nobody")
	case !me.Muted && s.muted:
		s.p.say("you are heard again")
	}
	if role := string(me.Role); s.role != "" && role != s.role {
		s.p.say("you are %s now, and were %s", role, s.role)
	}
	s.muted, s.role = me.Muted, string(me.Role)
}
