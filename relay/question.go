package relay

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/admission"
	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

// isQuestion reports whether a request asks if a session would be let in, rather
// than for one: a GET of a room's path, with the query that carries its token,
// which may be empty. The pages and the API have paths of other forms.
func isQuestion(req *http.Request) bool {
	room := strings.TrimPrefix(req.URL.Path, "/")
	return req.Method == http.MethodGet && room != "" && !strings.Contains(room, "/") && req.URL.Query().Has("jwt")
}

// wouldLetIn answers what a session on this path would be answered, because
// scripts in a browser do not hear why theirs was refused, or ended (docs/wire.md,
// section 2.2): if it would be let in, what it could do here. Every page may ask. One
// that may speak has the way free for a moment, whoever else comes: it has shown so.
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
	answer, refused := r.stages.permit(req, grant)
	if refused != nil {
		refused.write(w)
		return
	}
	grant.Publish = answer.Put
	if from, err := netip.ParseAddrPort(req.RemoteAddr); err == nil && r.laneOf(grant, roleOf(req)) == admission.Reserved {
		r.doors.givePass(from.Addr().Unmap())
	}
	h.Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// permit is what the state of the room makes of a token's grant, or why its owner is
// not let in.
func (s *stages) permit(req *http.Request, grant token.Grant) (permission, *refusal) {
	answer := permission{Put: paths(grant.Publish), Get: paths(grant.Subscribe)}
	root, _, err := token.Split(req.URL.RequestURI())
	if err != nil || len(root.Segments()) != 1 || isReserved(root) {
		return answer, nil
	}
	who := actorOf(root, grant)
	state := s.lookUp(req.Context(), string(root), who)
	if err := refusedBy(state, who); err != nil {
		return answer, &refusal{tokenStatus(err), "token", err.Error()}
	}
	if who.Subject == "" {
		return answer, nil
	}
	you := youOf(state, who)
	if known := req.URL.Query().Get("removed"); known != "" {
		times, err := strconv.ParseUint(known, 10, 64)
		if err != nil {
			return answer, &refusal{http.StatusBadRequest, "path", fmt.Sprintf("removed=%.20q: want how often", known)}
		}
		if you.Removed > times {
			return answer, &refusal{http.StatusForbidden, "token", removedFrom(string(root))}
		}
	}
	switch own, invited := ownVoice(state, who); {
	case !state.OnStage(who.Subject, who.Role):
		answer.Put = paths(nil) // of whom nothing is passed on
	case invited && len(grant.Publish) == 0:
		answer.Put = []protocol.Path{own}
	}
	answer.You = &you
	return answer, nil
}

// askPatience is how long the roots of a room may take to say what it is until a
// question is answered without them.
const askPatience = time.Second

// lookUp is the state of a room that somebody asks about, who need not be in it. Where
// there is no token that says who it is, nothing is asked of others.
func (s *stages) lookUp(ctx context.Context, name string, who stage.Actor) stage.State {
	if state, holds := s.rooms.Held(name); holds || who.Subject == "" {
		return state
	}
	release := s.rooms.Want(name)
	defer release()
	ctx, stop := context.WithTimeout(ctx, askPatience)
	defer stop()
	return s.rooms.Await(ctx, name)
}

// removedFrom is what whoever was removed is told.
func removedFrom(room string) string { return fmt.Sprintf("room %q: removed by its hosts", room) }

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
	// You is what its owner is in the room; nil for who has no name.
	You *stage.You `json:"you,omitempty"`
}

// paths is a list that JSON writes as one, if it is empty, too.
func paths(list []protocol.Path) []protocol.Path {
	if list == nil {
		return []protocol.Path{}
	}
	return list
}
