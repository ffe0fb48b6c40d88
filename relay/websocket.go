package relay

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/qmux"
	"github.com/stentor-audio/stentor/protocol/qmux/conn"
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
	application, version, spoken := qmux.Select(req.Header.Values("Sec-WebSocket-Protocol"), versions)
	grant, refused := r.letIn(handshake{Request: req, speaks: func() bool { return spoken }, offer: subprotocols})
	if refused != nil {
		r.refuse(w, refused)
		return
	}
	if !r.enter() {
		r.refuse(w, &refusal{http.StatusServiceUnavailable, "full", "this relay is shutting down; use another"})
		return
	}
	lite, _ := protocol.ParseVersion(application)
	socket, _ := req.Context().Value(socketKey{}).(net.Conn)
	c, err := conn.Accept(r.serving, w, req, conn.Options{
		Version:  version,
		Protocol: lite,
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
