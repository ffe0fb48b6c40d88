package stage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stentor-audio/stentor/token"
)

// Apply returns the state after a command. The error says why nothing changes,
// and is one of this package's. by is the relay that applies it.
func (s State) Apply(c Command, who Actor, by string, now time.Time) (State, error) {
	if err := c.Check(now); err != nil {
		return s, err
	}
	if len(who.Subject) > MaxSubject || !plain(who.Subject) {
		return s, fmt.Errorf("%w: the subject of the token: at most %d bytes of text", ErrMalformed, MaxSubject)
	}
	if c.Version != 0 && c.Version != s.Clock {
		return s, fmt.Errorf("%w: it is at version %d, the command was for %d", ErrOutdated, s.Clock, c.Version)
	}
	if s.Banned(who.Subject) {
		return s, ErrBanned
	}
	if c.Do == Create {
		return s.create(c, who, by, now)
	}
	switch {
	case !s.Exists():
		return s, fmt.Errorf("%w: room %q; 'create' makes it", ErrUnknown, s.Room)
	case s.Phase.Value == Ended:
		return s, ErrEnded
	}
	target, err := s.find(c.Who, who)
	if err != nil {
		return s, err
	}
	if err := s.allowed(c, who, target); err != nil {
		return s, err
	}
	if _, known := s.People[target]; !known && target != who.Subject && !ahead(c.Do) {
		if _, hand := s.Hands[target]; !hand {
			return s, fmt.Errorf("%w: nobody called %q in room %q", ErrUnknown, target, s.Room)
		}
	}
	if c.Do == Join && s.noted(who) {
		return s, nil
	}
	next := s.clone()
	next.Clock++
	err = next.change(c, who, target, Stamp{N: next.Clock, By: by})
	if err != nil {
		return s, err
	}
	if s.hosts() > 0 && next.hosts() == 0 && c.Do != End {
		return s, fmt.Errorf("%w: make somebody else host first", ErrLastHost)
	}
	return next, nil
}

// create makes the room.
func (s State) create(c Command, who Actor, by string, now time.Time) (State, error) {
	switch {
	case s.Phase.Value == Ended:
		return s, fmt.Errorf("%w: choose another name", ErrEnded)
	case s.Exists():
		return s, fmt.Errorf("room %q: %w", s.Room, ErrExists)
	case rank(who.Role) < rank(token.RoleHost):
		return s, fmt.Errorf("%w: only a host's token makes a room", ErrNotAllowed)
	}
	next := s.clone()
	next.Clock++
	at := Stamp{N: next.Clock, By: by}
	next.Phase.set(Live, at)
	if c.Title != "" { // else a copy that is merged later may still say it
		next.Title.set(c.Title, at)
	}
	if c.Starts.After(now) {
		next.Phase.set(Announced, at)
		next.Starts.set(c.Starts.UnixMilli(), at)
	}
	next.note(who, at)
	return next, nil
}

// find says whom a command is about: the actor, a subject that is known, or
// somebody by the name that is shown. A subject nobody has heard of may be invited
// or banned ahead of its coming.
func (s State) find(name string, who Actor) (subject string, err error) {
	if name == "" || name == who.Subject {
		return who.Subject, nil
	}
	if _, known := s.People[name]; known {
		return name, nil
	}
	var called []string
	for subject, p := range s.People {
		if p.Name.Value == name {
			called = append(called, subject)
		}
	}
	for subject, hand := range s.Hands {
		if _, known := s.People[subject]; !known && hand.Value && hand.Name == name {
			called = append(called, subject)
		}
	}
	switch len(called) {
	case 0:
		return name, nil
	case 1:
		return called[0], nil
	}
	slices.Sort(called)
	return "", fmt.Errorf("%w: %d people are called %q; name one by subject: %.200s", ErrMalformed, len(called), name, strings.Join(called, ", "))
}

// ahead reports whether a verb makes sense about somebody who has not come yet.
func ahead(v Verb) bool { return v == Invite || v == Promote || v == Ban }

// allowed says whether the actor may do that to the target.
func (s State) allowed(c Command, who Actor, target string) error {
	mine, theirs := rank(s.RoleOf(who.Subject, who.Role)), rank(s.RoleOf(target, ""))
	self := target == who.Subject
	const speaker, cohost, host = 1, 2, 3
	ok := false
	switch c.Do {
	case Join, Raise:
		ok = self
	case Lower:
		ok = self || mine >= cohost
	case MuteOn:
		ok = self || mine >= cohost && theirs <= mine
	case MuteOff:
		ok = mine == host || mine >= cohost && !self && theirs <= mine || self && s.People[target].Muted.Value != ByHost
	case Start:
		ok = mine >= cohost
	case Invite, Promote:
		ok = mine == host || mine == cohost && theirs < cohost && rank(c.Role) <= speaker
	case Remove:
		ok = self || mine == host || mine == cohost && theirs < cohost
	case End, Ban, Unban:
		ok = mine == host && (!self || c.Do == End)
	}
	if ok {
		return nil
	}
	return fmt.Errorf("%w: %s needs another role than %q here", ErrNotAllowed, c.Do, s.RoleOf(who.Subject, who.Role))
}

// change does it. s is the new state already.
func (s *State) change(c Command, who Actor, target string, at Stamp) error {
	switch c.Do {
	case Join:
		s.note(who, at)
		if s.onStage() > MaxStage && who.Role != token.RoleHost {
			// There is no place left on the stage that everybody is shown, but a
			// host must be able to mute whoever may be heard.
			p := s.People[who.Subject]
			p.Role = Field[token.Role]{}
			s.People[who.Subject] = p
		}
		if len(s.People) > MaxPeople {
			return s.fits()
		}
		return nil
	case Start:
		s.Phase.set(Live, at)
		return nil
	case End:
		s.Phase.set(Ended, at)
		return nil
	case Raise, Lower:
		return s.hand(target, who, c.Do == Raise, at)
	}
	p := s.People[target]
	if p.Name.Value == "" {
		p.Name.set(clean(s.Hands[target].Name, target), at)
	}
	switch c.Do {
	case Invite, Promote:
		role := c.Role
		if role == "" {
			role = token.RoleSpeaker
		}
		p.Role.set(role, at)
		if hand := s.Hands[target]; hand.Value {
			s.Hands[target] = Hand{Field: Field[bool]{Stamp: at}}
		}
	case MuteOn:
		by := ByHost
		if target == who.Subject {
			by = BySelf
		}
		p.Muted.set(by, at)
	case MuteOff:
		p.Muted.set(Unmuted, at)
	case Remove, Ban:
		p.Out.set(p.Out.Value+1, at)
		p.Banned.set(c.Do == Ban, at)
		if !p.Host.Value {
			p.Role.set(token.RoleListener, at)
		}
	case Unban:
		p.Banned.set(false, at)
	}
	s.People[target] = p
	return s.fits()
}

// noted reports whether what a token says of somebody is written down.
func (s State) noted(who Actor) bool {
	p, known := s.People[who.Subject]
	if !known || p.Name.Value != clean(who.Name, who.Subject) {
		return false
	}
	if who.Role == token.RoleHost {
		return p.Host.Value && s.Acting.Value == ""
	}
	return p.Role.Value != "" || s.onStage() >= MaxStage
}

// Noted reports whether [Join] of somebody would change nothing.
func (s State) Noted(who Actor) bool { return s.noted(who) }

// note writes down who came with a token for the stage.
func (s *State) note(who Actor, at Stamp) {
	p := s.People[who.Subject]
	p.Name.set(clean(who.Name, who.Subject), at)
	if who.Role == token.RoleHost {
		p.Host.set(true, at)
		if s.Acting.Value != "" {
			s.Acting.set("", at) // a host is back
		}
	} else if p.Role.Value == "" {
		p.Role.set(who.Role, at)
	}
	s.People[who.Subject] = p
}

// fits says whether the room has become too big.
func (s *State) fits() error {
	switch {
	case len(s.People) > MaxPeople:
		return fmt.Errorf("%w: %d people with a role of their own", ErrFull, MaxPeople)
	case s.onStage() > MaxStage:
		return fmt.Errorf("%w: %d on the stage", ErrFull, MaxStage)
	}
	return nil
}

// hand raises or lowers one. Only its owner raises it, under the name that is shown.
func (s *State) hand(subject string, who Actor, up bool, at Stamp) error {
	held, known := s.Hands[subject]
	if held.Value == up {
		return nil // its place in the queue stays
	}
	if !known && len(s.Hands) >= MaxHands {
		s.forget()
	}
	if !known && len(s.Hands) >= MaxHands {
		return fmt.Errorf("%w: %d hands are up", ErrFull, MaxHands)
	}
	hand := Hand{Field: Field[bool]{Value: up, Stamp: at}}
	if up {
		hand.Name = clean(who.Name, who.Subject)
	}
	s.Hands[subject] = hand
	return nil
}

// forget drops the hands that are down.
func (s *State) forget() {
	for subject, hand := range s.Hands {
		if !hand.Value {
			delete(s.Hands, subject)
		}
	}
}
