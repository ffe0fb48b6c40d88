package stage

import (
	"maps"
	"slices"

	"github.com/stentor-audio/stentor/token"
)

// What a room holds at the most. Whatever is above is refused, so that a room's
// state stays small enough to be copied at every change.
const (
	MaxTitle   = 200  // characters
	MaxName    = 64   // characters
	MaxSubject = 128  // bytes
	MaxPeople  = 4096 // who differ from what their tokens say
	MaxStage   = 16   // speakers, co-hosts and hosts that commands have put there
	MaxHands   = 10000
)

// A Phase is where a room is in its life.
type Phase string

// The phases, in their order. No room goes back.
const (
	Announced Phase = "announced" // begins at State.Starts
	Live      Phase = "live"
	Ended     Phase = "ended" // says so, and takes nobody any more
)

// A Mute is who has muted somebody.
type Mute string

// The mutes. Who has muted himself may unmute himself; whom a host has muted may
// not.
const (
	Unmuted Mute = ""
	BySelf  Mute = "self"
	ByHost  Mute = "host"
)

// A State is what a room is. Treat it as a value: methods return a new one.
type State struct {
	// Room is its name, which never changes.
	Room string `json:"room"`
	// Clock is the highest number of any stamp in it: its version.
	Clock uint64 `json:"clock"`

	Phase  Field[Phase]  `json:"phase"`
	Title  Field[string] `json:"title"`
	Starts Field[int64]  `json:"starts"` // Unix milliseconds; 0 if it was not announced
	// Acting is the subject who stands in for the hosts, if they are gone.
	Acting Field[string] `json:"acting"`

	// People are those whom a command or their token has made something, by
	// subject.
	People map[string]Person `json:"people,omitempty"`
	// Hands are raised, or lately lowered, by subject.
	Hands map[string]Hand `json:"hands,omitempty"`
}

// A Person is what a room knows of somebody.
type Person struct {
	Name   Field[string]     `json:"name"`
	Role   Field[token.Role] `json:"role"` // as a command says; "" leaves it to the token
	Host   Field[bool]       `json:"host"` // came with a host's token
	Muted  Field[Mute]       `json:"muted"`
	Banned Field[bool]       `json:"banned"`
	// Out counts how often they were removed: who came before the last time has
	// to go.
	Out Field[uint64] `json:"out"`
}

// A Hand is raised, or has been lowered.
type Hand struct {
	Field[bool]
	// Name is what is shown of whoever raised it, who may be in no other list.
	Name string `json:"name,omitempty"`
}

// clone copies the maps, so that the copy can be changed.
func (s State) clone() State {
	s.People, s.Hands = maps.Clone(s.People), maps.Clone(s.Hands)
	if s.People == nil {
		s.People = make(map[string]Person)
	}
	if s.Hands == nil {
		s.Hands = make(map[string]Hand)
	}
	return s
}

// Exists reports whether the room has been made: by a command, or by the first who
// spoke in it.
func (s State) Exists() bool { return s.Phase.Value != "" }

// rank orders roles; more may do more.
func rank(r token.Role) int {
	switch r {
	case token.RoleHost:
		return 3
	case token.RoleCohost:
		return 2
	case token.RoleSpeaker:
		return 1
	}
	return 0
}

// RoleOf is what somebody is in the room now. given is what their token says, or
// what everybody is where there are no tokens. A host's token makes a host for
// ever, short of a ban; for everybody else a command's word counts more than the
// token's.
func (s State) RoleOf(subject string, given token.Role) token.Role {
	p, known := s.People[subject]
	switch {
	case !known:
		return given
	case p.Banned.Value:
		return ""
	case given == token.RoleHost || p.Host.Value:
		return token.RoleHost
	case s.Acting.Value == subject && subject != "":
		return token.RoleHost
	case p.Role.Value != "":
		return p.Role.Value
	}
	return given
}

// OnStage reports whether somebody of that role is more than a listener.
func (s State) OnStage(subject string, given token.Role) bool {
	return rank(s.RoleOf(subject, given)) > 0
}

// Banned reports whether somebody is to be kept out.
func (s State) Banned(subject string) bool { return s.People[subject].Banned.Value }

// MayBeHeard reports whether what somebody of that role says is to be passed on.
// Nobody is heard in a room that has not begun, or has ended.
func (s State) MayBeHeard(subject string, given token.Role) bool {
	if s.Phase.Value == Announced || s.Phase.Value == Ended {
		return false
	}
	return rank(s.RoleOf(subject, given)) > 0 && s.People[subject].Muted.Value == Unmuted
}

// RaisedHands are the subjects whose hands are up, first raised first.
func (s State) RaisedHands() []string {
	var up []string
	for subject, hand := range s.Hands {
		if hand.Value {
			up = append(up, subject)
		}
	}
	slices.SortFunc(up, func(a, b string) int {
		return s.Hands[a].Stamp.Compare(s.Hands[b].Stamp)
	})
	return up
}

// onStage counts those whom the room's own state has put on the stage.
func (s State) onStage() (n int) {
	for subject := range s.People {
		if rank(s.RoleOf(subject, "")) > 0 {
			n++
		}
	}
	return n
}

// hosts counts those who could undo anything: hosts that are neither banned nor
// muted by another.
func (s State) hosts() (n int) {
	for subject, p := range s.People {
		if s.RoleOf(subject, "") == token.RoleHost && p.Muted.Value != ByHost {
			n++
		}
	}
	return n
}
