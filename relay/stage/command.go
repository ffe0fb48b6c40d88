package stage

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stentor-audio/stentor/token"
)

// A Verb is what a command does.
type Verb string

// The verbs; in brackets who may, besides hosts.
const (
	Create  Verb = "create"  // makes the room, live or announced
	Start   Verb = "start"   // makes an announced room live [co-hosts]
	End     Verb = "end"     // for good
	Invite  Verb = "invite"  // makes somebody a speaker [co-hosts]
	Promote Verb = "promote" // gives somebody a role [co-hosts: up to speaker]
	MuteOn  Verb = "mute"    // [co-hosts; oneself]
	MuteOff Verb = "unmute"  // [co-hosts; oneself, if muted by oneself]
	Remove  Verb = "remove"  // off the stage and out; may come back to listen [co-hosts]
	Ban     Verb = "ban"     // out, for good
	Unban   Verb = "unban"
	Raise   Verb = "raise" // a hand: one's own [everybody]
	Lower   Verb = "lower" // a hand [everybody their own; co-hosts]
	Join    Verb = "join"  // notes who came with a token for the stage [the relay itself]
)

// A Command asks for a change.
type Command struct {
	Do Verb `json:"do"`
	// Who it is about: a subject, or the name of somebody who is on the stage.
	// Empty is the actor.
	Who string `json:"who,omitempty"`
	// Role is what promote gives.
	Role token.Role `json:"role,omitempty"`
	// Title and Starts are create's; a zero Starts is now.
	Title  string    `json:"title,omitempty"`
	Starts time.Time `json:"starts,omitzero"`
	// Version is the one the actor looked at; zero takes any.
	Version uint64 `json:"version,omitempty"`
}

// An Actor is who gives a command, as a token says.
type Actor struct {
	Subject string
	Name    string
	Role    token.Role
}

// maxAhead is how far ahead a room may be announced.
const maxAhead = 366 * 24 * time.Hour

// Check refuses a command that could not be right in any room, with an
// [ErrMalformed] that says what is wrong.
func (c Command) Check(now time.Time) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
	switch c.Do {
	case Create, Start, End, Invite, Promote, MuteOn, MuteOff, Remove, Ban, Unban, Raise, Lower, Join:
	default:
		return bad("no command %.40q", c.Do)
	}
	switch {
	case len(c.Who) > MaxSubject || !plain(c.Who):
		return bad("who: at most %d bytes of text", MaxSubject)
	case utf8.RuneCountInString(c.Title) > MaxTitle || !plain(c.Title):
		return bad("title: at most %d characters of text", MaxTitle)
	case c.Do == Promote && c.Role == "":
		return bad("promote: no role; want host, cohost, speaker or listener")
	case c.Role != "" && c.Do != Promote && c.Do != Invite:
		return bad("%s takes no role", c.Do)
	case !c.Starts.IsZero() && c.Starts.After(now.Add(maxAhead)):
		return bad("starts: more than a year ahead")
	}
	if _, err := token.ParseRole(string(c.Role)); err != nil {
		return bad("%v", err)
	}
	return nil
}

// plain reports whether s is text that can be shown in a line.
func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// clean makes a name that can be shown: what the token says, or the subject.
func clean(name, subject string) string {
	if name == "" {
		name = subject
	}
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > MaxName {
		name = string(runes[:MaxName])
	}
	return name
}
