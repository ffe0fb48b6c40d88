package stage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/stentor-audio/stentor/token"
)

// MaxSize bounds an encoded state, in bytes: what [MaxPeople] and [MaxHands] need
// at their longest is more, and such a room is told that it is full.
const MaxSize = 4 << 20

// Encode writes a state for [Decode].
func (s State) Encode() ([]byte, error) {
	b, err := json.Marshal(s)
	if err == nil && len(b) > MaxSize {
		err = fmt.Errorf("%w: %d bytes", ErrFull, len(b))
	}
	return b, err
}

// Decode reads the state of a room from another relay or a host's client. It
// takes nothing that Apply would not have made possible: sizes, phases and roles
// are checked, and no stamp is above the clock.
func Decode(b []byte, room string) (State, error) {
	if len(b) > MaxSize {
		return State{}, fmt.Errorf("%w: a state of %d bytes", ErrMalformed, len(b))
	}
	var s State
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return State{}, fmt.Errorf("%w: state: %w", ErrMalformed, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return State{}, fmt.Errorf("%w: state: more behind it", ErrMalformed)
	}
	if s.Room != room {
		return State{}, fmt.Errorf("%w: state of room %.40q, not %.40q", ErrMalformed, s.Room, room)
	}
	return s.clone(), s.check()
}

// check refuses what no relay would have made.
func (s State) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: state: %s", ErrMalformed, what) }
	switch s.Phase.Value {
	case "", Announced, Live, Ended:
	default:
		return bad("phase")
	}
	if s.Clock > maxClock {
		return bad("clock")
	}
	if len(s.People) > MaxPeople || len(s.Hands) > MaxHands {
		return bad("too many people or hands")
	}
	if len([]rune(s.Title.Value)) > MaxTitle || !plain(s.Title.Value) {
		return bad("title")
	}
	stamps := []Stamp{s.Phase.Stamp, s.Title.Stamp, s.Starts.Stamp, s.Acting.Stamp}
	for subject, p := range s.People {
		if len(subject) > MaxSubject || !plain(subject) || len([]rune(p.Name.Value)) > MaxName || !plain(p.Name.Value) {
			return bad("a person's name")
		}
		switch p.Muted.Value {
		case Unmuted, BySelf, ByHost:
		default:
			return bad("a mute")
		}
		if _, err := token.ParseRole(string(p.Role.Value)); err != nil {
			return bad("a role")
		}
		stamps = append(stamps, p.Name.Stamp, p.Role.Stamp, p.Host.Stamp, p.Muted.Stamp, p.Banned.Stamp, p.Out.Stamp)
	}
	for subject, hand := range s.Hands {
		if len(subject) > MaxSubject || !plain(subject) || len([]rune(hand.Name)) > MaxName || !plain(hand.Name) {
			return bad("a hand")
		}
		stamps = append(stamps, hand.Stamp)
	}
	for _, at := range stamps {
		if at.N > s.Clock || len(at.By) > MaxSubject {
			return bad("a stamp above the clock")
		}
	}
	return nil
}

// maxClock leaves a clock room to go on: a copy with a number near the end of the
// range would let nobody change the room any more.
const maxClock = 1 << 48
