package relay

import (
	"net/http"
	"strings"

	"github.com/stentor-audio/stentor/token"
)

// A refusal is why somebody is not let in, before there is a session (docs/wire.md,
// sections 2.2 and 20.1).
type refusal struct {
	status  int
	reason  string // the label of stentor_sessions_refused_total
	message string
}

// write answers a request with it.
func (f *refusal) write(w http.ResponseWriter) {
	if f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter())
	}
	http.Error(w, f.message, f.status)
}

// refuse answers and counts a session that is refused.
func (r *Relay) refuse(w http.ResponseWriter, f *refusal) {
	r.metrics.refused.WithLabelValues(f.reason).Inc()
	f.write(w)
}

// A handshake is what asks for a session over HTTP. speaks reports whether one of the
// protocols that it offers is spoken here; offer names those that are. Without speaks
// it is only a question.
type handshake struct {
	*http.Request
	speaks func() bool
	offer  func() []string
}

// letIn says what a session that is asked for over HTTP may do, or why there is none:
// the same whichever way it comes.
func (r *Relay) letIn(h handshake) (token.Grant, *refusal) {
	root, jwt, err := token.Split(h.URL.RequestURI())
	if err != nil {
		return token.Grant{}, &refusal{http.StatusBadRequest, "path", err.Error()}
	}
	if !r.allowedOrigin(h.Request) {
		return token.Grant{}, &refusal{http.StatusForbidden, "origin", "this page's origin is not allowed here"}
	}
	if h.speaks != nil && !h.speaks() {
		return token.Grant{}, &refusal{http.StatusBadRequest, "subprotocol",
			"none of the offered subprotocols is spoken here; offer " + strings.Join(h.offer(), " or ")}
	}
	grant, err := r.authorise(root, jwt)
	if err != nil {
		return token.Grant{}, &refusal{tokenStatus(err), "token", err.Error()}
	}
	if r.State() == Draining || !r.takes(r.laneOf(grant, roleOf(h.Request))) {
		return token.Grant{}, &refusal{http.StatusServiceUnavailable, "full", "this relay takes nobody now; use another"}
	}
	return grant, nil
}
