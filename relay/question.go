package relay

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/admission"
)

// isQuestion reports whether a request asks if a session would be let in, rather
// than for one: a GET of a room's path, with the query that carries its token,
// which may be empty. The pages and the API have paths of other forms.
func isQuestion(req *http.Request) bool {
	room := strings.TrimPrefix(req.URL.Path, "/")
	return req.Method == http.MethodGet && room != "" && !strings.Contains(room, "/") && req.URL.Query().Has("jwt")
}

// wouldLetIn answers what a session on this path would be answered, because
// scripts in a browser do not hear why theirs was refused (docs/wire.md, section
// 2.2): if it would be let in, what it could do here. Every page may ask. One that
// may speak has the way free for a moment, whoever else comes: it has shown so.
func (r *Relay) wouldLetIn(w http.ResponseWriter, req *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Retry-After")
	h.Set("Cache-Control", "no-store")
	grant, refused := r.letIn(handshake{Request: req})
	if refused != nil {
		refused.write(w)
		return
	}
	if from, err := netip.ParseAddrPort(req.RemoteAddr); err == nil && r.laneOf(grant, roleOf(req)) == admission.Reserved {
		r.doors.givePass(from.Addr().Unmap())
	}
	h.Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(permission{Put: paths(grant.Publish), Get: paths(grant.Subscribe)})
}

// roleOf is what whoever asks would do: it may say that it comes to publish.
func roleOf(req *http.Request) protocol.Role {
	if req.URL.Query().Get("role") == "publisher" {
		return protocol.RolePublisher
	}
	return protocol.RoleBoth
}

// permission is what a session may do: publish and subscribe to what lies below
// these paths, relative to its own. The words are those of tokens.
type permission struct {
	Put []protocol.Path `json:"put"`
	Get []protocol.Path `json:"get"`
}

// paths is a list that JSON writes as one, if it is empty, too.
func paths(list []protocol.Path) []protocol.Path {
	if list == nil {
		return []protocol.Path{}
	}
	return list
}
