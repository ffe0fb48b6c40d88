package relay

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

// Whom rooms know is who their tokens say they are: by "sub", which the issuer
// does not give to two people. A token without it is known by its name, one that
// has neither by what it may publish. These come with a word in front, so that
// nobody is taken for a "sub" of the same letters.
const (
	named    = "name:"
	nameless = "voice:"
)

// actorOf is who a token's grant, for a session or a command at root, is of.
func actorOf(root protocol.Path, g token.Grant) stage.Actor {
	who := stage.Actor{Subject: g.Subject, Name: g.Name, Role: g.Role}
	switch voice := voiceOf(root, g); {
	case who.Subject != "":
	case g.Name != "":
		who.Subject = named + g.Name
	case voice != "":
		who.Subject, who.Name = nameless+voice, voice
	}
	if len(who.Subject) > stage.MaxSubject {
		sum := sha256.Sum256([]byte(who.Subject))
		who.Subject = "sha256:" + hex.EncodeToString(sum[:])
	}
	if who.Subject != "" && len(g.Publish) > 0 && !isOnStage(who.Role) {
		who.Role = token.RoleSpeaker // put says what may be published, whatever the role
	}
	return who
}

// voiceOf is the one broadcast of a room that a grant lets be published, "" if
// there may be several.
func voiceOf(root protocol.Path, g token.Grant) string {
	if len(g.Publish) != 1 {
		return ""
	}
	segments := root.Join(g.Publish[0]).Segments()
	if len(segments) < 2 {
		return ""
	}
	return strings.Join(segments[1:], "/")
}

func isOnStage(r token.Role) bool {
	return r == token.RoleHost || r == token.RoleCohost || r == token.RoleSpeaker
}

// ownVoice is the name below which somebody may publish whom a room's state has made
// a speaker, although their token does not let them. It is their own name; if others
// on the stage have the same, something is added that these have not.
func ownVoice(state stage.State, who stage.Actor) (protocol.Path, bool) {
	if who.Subject == "" || !state.Exists() || !state.OnStage(who.Subject, token.RoleListener) {
		return "", false
	}
	name, err := protocol.ParsePath(who.Name)
	if err != nil || len(name.Segments()) != 1 || isReserved(name) {
		name = ""
	}
	for subject, p := range state.People {
		if subject != who.Subject && p.Name.Value == who.Name && state.OnStage(subject, "") {
			return name + suffixOf(who.Subject), true
		}
	}
	if name == "" {
		name = suffixOf(who.Subject)
	}
	return name, true
}

// voiceBy is [roomstate.Voice].
func voiceBy(state stage.State, who stage.Actor) string {
	own, _ := ownVoice(state, who)
	return string(own)
}

// youOf is what somebody is in a room.
func youOf(state stage.State, who stage.Actor) stage.You {
	you := state.You(who, state.Places())
	if you.Place > 0 {
		you.Voice = voiceBy(state, who)
	}
	return you
}

// suffixOf tells people of one name apart.
func suffixOf(subject string) protocol.Path {
	sum := sha256.Sum256([]byte(subject))
	return protocol.Path("~" + hex.EncodeToString(sum[:4]))
}
