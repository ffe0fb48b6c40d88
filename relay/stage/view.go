package stage

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/stentor-audio/stentor/token"
)

// A View is what everybody may know of a room: contract of the track `state` and of
// GET /v1/rooms/{room} (docs/rooms.md).
type View struct {
	Room    string       `json:"room"`
	State   Phase        `json:"state"`
	Title   string       `json:"title,omitempty"`
	Starts  *time.Time   `json:"starts,omitempty"`
	Version uint64       `json:"version"`
	Stage   []PersonView `json:"stage"`
	Hands   int          `json:"hands"`
	// You is what the reader is there; nil where it is not known who that is.
	You *You `json:"you,omitempty"`
}

// A PersonView is somebody on the stage.
type PersonView struct {
	Name  string     `json:"name"`
	Role  token.Role `json:"role"`
	Muted bool       `json:"muted,omitempty"`
	// Subject is for hosts and co-hosts only, who have to tell two of one name apart.
	Subject string `json:"subject,omitempty"`
}

// You is what somebody is in a room, for them alone.
type You struct {
	// Role is never empty.
	Role  token.Role `json:"role"`
	Muted Mute       `json:"muted,omitempty"`
	// Place is where in [View.Stage] they are, from 1; 0: not there.
	Place int `json:"place,omitempty"`
	// Hand is how manieth in the queue their hand is, from 1; 0: it is down.
	Hand int `json:"hand,omitempty"`
	// Voice is the name that somebody on the stage may speak under if the token does
	// not say. It is the relay's to set.
	Voice string `json:"voice,omitempty"`
	// Removed is how often they were removed, bans included: if that has grown since
	// they came, they have to go.
	Removed uint64 `json:"removed,omitempty"`
	Banned  bool   `json:"banned,omitempty"`
}

// Places are the orders of the stage and of the queue, by subject and from 1: made
// once for everybody who is told [State.You].
type Places struct{ Stage, Hands map[string]int }

// Places returns who is where.
func (s State) Places() Places { return Places{numbered(s.order()), numbered(s.RaisedHands())} }

func numbered(subjects []string) map[string]int {
	out := make(map[string]int, len(subjects))
	for i, subject := range subjects {
		out[subject] = i + 1
	}
	return out
}

// You returns what somebody is, as a token says who they are.
func (s State) You(who Actor, places Places) You {
	p := s.People[who.Subject]
	role := s.RoleOf(who.Subject, who.Role)
	if rank(role) == 0 {
		role = token.RoleListener
	}
	return You{
		Role: role, Muted: p.Muted.Value,
		Place: places.Stage[who.Subject], Hand: places.Hands[who.Subject],
		Removed: p.Out.Value, Banned: p.Banned.Value,
	}
}

// LooksAfter reports whether a role has others to look after: a host's or a co-host's.
func LooksAfter(r token.Role) bool { return rank(r) >= rank(token.RoleCohost) }

// order are the subjects of those on the stage, by rank and name.
func (s State) order() []string {
	var on []string
	for subject := range s.People {
		if s.OnStage(subject, "") {
			on = append(on, subject)
		}
	}
	slices.SortFunc(on, func(a, b string) int {
		return cmp.Or(
			rank(s.RoleOf(b, ""))-rank(s.RoleOf(a, "")),
			strings.Compare(s.People[a].Name.Value, s.People[b].Name.Value),
			strings.Compare(a, b), // so that who is where does not change by itself
		)
	})
	return on
}

// View returns what everybody may know, the stage by rank and name.
func (s State) View() View {
	v := View{Room: s.Room, State: s.Phase.Value, Title: s.Title.Value, Version: s.Clock, Stage: []PersonView{}}
	if s.Starts.Value != 0 {
		at := time.UnixMilli(s.Starts.Value).UTC()
		v.Starts = &at
	}
	for _, subject := range s.order() {
		p := s.People[subject]
		v.Stage = append(v.Stage, PersonView{Name: p.Name.Value, Role: s.RoleOf(subject, ""), Muted: p.Muted.Value != Unmuted})
	}
	for _, hand := range s.Hands {
		if hand.Value {
			v.Hands++
		}
	}
	return v
}

// ViewOf returns what somebody may know of it who is that, with it: hosts and
// co-hosts the subjects of those on the stage, too.
func (s State) ViewOf(you You) View {
	v := s.View()
	v.You = &you
	if LooksAfter(you.Role) {
		for i, subject := range s.order() {
			v.Stage[i].Subject = subject
		}
	}
	return v
}

// A RaisedHand is one of the queue, for hosts.
type RaisedHand struct {
	Subject string `json:"subject"`
	Name    string `json:"name"`
}

// Queue are those whose hands are up, first raised first.
func (s State) Queue() []RaisedHand {
	out := []RaisedHand{}
	for _, subject := range s.RaisedHands() {
		name := cmp.Or(s.Hands[subject].Name, s.People[subject].Name.Value, clean("", subject))
		out = append(out, RaisedHand{subject, name})
	}
	return out
}
