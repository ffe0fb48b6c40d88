package relay

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/qmux"
	"github.com/stentor-audio/stentor/protocol/qmux/conn"
	"github.com/stentor-audio/stentor/token"
)

// withWebSockets takes the WebSocket handshakes out of what the public HTTP gets,
// and the questions about them.
func (r *Relay) withWebSockets(public http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if isHandshake(req) {
			r.upgrade(w, req)
			return
		}
		if isQuestion(req) {
			r.wouldLetIn(w, req)
			return
		}
		public.ServeHTTP(w, req)
	})
}

// isHandshake reports whether a request asks for a WebSocket. HTTP/2 has another
// way to ask, which is not announced: browsers come with HTTP/1.1.
func isHandshake(req *http.Request) bool {
	return req.ProtoMajor == 1 && strings.EqualFold(req.Header.Get("Upgrade"), "websocket")
}

type socketKey struct{}

// withSocket lets a handler find the socket that its request came by.
func withSocket(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, socketKey{}, c)
}

// upgrade answers a WebSocket handshake: what cannot be served is refused with a
// status before there is a session, as by connect (docs/wire.md, section 20.1).
func (r *Relay) upgrade(w http.ResponseWriter, req *http.Request) {
	refuse := func(status int, reason, message string) {
		r.metrics.refused.WithLabelValues(reason).Inc()
		http.Error(w, message, status)
	}
	root, jwt, err := token.Split(req.URL.RequestURI())
	if err != nil {
		refuse(http.StatusBadRequest, "path", err.Error())
		return
	}
	if !r.allowedOrigin(req) {
		refuse(http.StatusForbidden, "origin", "this page's origin is not allowed here")
		return
	}
	application, version, ok := qmux.Select(req.Header.Values("Sec-WebSocket-Protocol"), versions)
	if !ok {
		refuse(http.StatusBadRequest, "subprotocol", "none of the offered subprotocols is spoken here; offer "+strings.Join(subprotocols(), " or "))
		return
	}
	grant, err := r.authorise(root, jwt)
	if err != nil {
		refuse(tokenStatus(err), "token", err.Error())
		return
	}
	if r.State() == Draining || !r.takes(r.laneOf(grant, roleOf(req))) {
		w.Header().Set("Retry-After", retryAfter())
		refuse(http.StatusServiceUnavailable, "full", "this relay takes nobody now; use another")
		return
	}
	if !r.enter() {
		refuse(http.StatusServiceUnavailable, "full", "this relay is shutting down; use another")
		return
	}
	spoken, _ := protocol.ParseVersion(application)
	socket, _ := req.Context().Value(socketKey{}).(net.Conn)
	c, err := conn.Accept(r.serving, w, req, conn.Options{
		Version:  version,
		Protocol: spoken,
		Path:     req.URL.RequestURI(),
		Socket:   socket,
	})
	if err != nil {
		r.metrics.refused.WithLabelValues("upgrade").Inc()
		r.tasks.Done()
		return
	}
	// The session outlives the request: a handler that stayed would hold what HTTP
	// needs for as long.
	go func() {
		defer r.tasks.Done()
		r.serveSession(r.serving, c, &grant)
		c.Wait()
	}()
}

// enter has Run wait for one tasks.Done more, unless it is ending.
func (r *Relay) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.tasks.Add(1)
	return true
}

func subprotocols() []string {
	var out []string
	for _, application := range versions {
		out = append(out, qmux.Offer(application)...)
	}
	return out
}
