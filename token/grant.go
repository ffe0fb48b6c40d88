package token

import (
	"slices"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// A Grant is what a session may do. Its prefixes are relative to the path the
// session was opened on; the empty prefix stands for everything below it. The
// zero value allows nothing.
type Grant struct {
	Publish   []protocol.Path
	Subscribe []protocol.Path

	// Expires is when the session has to end (close code 6); zero is never.
	Expires time.Time

	Role    Role   // empty if the token does not say
	Name    string // shown to others, possibly empty
	Subject string // who it is to the issuer, possibly empty
	KeyID   string // the key that vouched, possibly empty
}

// Open is what everybody may do on a relay without keys: everything, except
// what needs a role.
func Open() Grant {
	return Grant{Publish: []protocol.Path{""}, Subscribe: []protocol.Path{""}}
}

// MayPublish reports whether path, relative to the session's, may be published.
func (g Grant) MayPublish(path protocol.Path) bool { return covers(g.Publish, path) }

// MaySubscribe reports whether path, relative to the session's, may be
// subscribed.
func (g Grant) MaySubscribe(path protocol.Path) bool { return covers(g.Subscribe, path) }

func covers(prefixes []protocol.Path, path protocol.Path) bool {
	return slices.ContainsFunc(prefixes, path.HasPrefix)
}
