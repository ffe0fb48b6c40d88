package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

// versions are the protocols spoken, most wanted first.
var versions = []string{protocol.Lite05.ALPN(), protocol.Lite04.ALPN()}

// quicConfig says what a connection may cost and how long it may be silent.
func quicConfig() *quic.Config {
	return &quic.Config{
		// Half a minute without a packet is a dead peer; the keep-alive comes more
		// often than a NAT forgets, and tells a quiet listener from a dead one.
		MaxIdleTimeout:       30 * time.Second,
		KeepAlivePeriod:      5 * time.Second,
		HandshakeIdleTimeout: 5 * time.Second,
		// A speaker opens a stream each 20 ms and does not wait for credit.
		MaxIncomingStreams:    1024,
		MaxIncomingUniStreams: 1024,
		// Speech needs no large windows, and what a peer may make a relay hold
		// is the connection's window.
		InitialStreamReceiveWindow:     64 << 10,
		MaxStreamReceiveWindow:         1 << 20,
		InitialConnectionReceiveWindow: 256 << 10,
		MaxConnectionReceiveWindow:     4 << 20,
		EnableDatagrams:                true,
		// WebTransport needs it.
		EnableStreamResetPartialDelivery: true,
		// Packets are far smaller than any path's MTU: probing for a larger one
		// costs packets and a kilobyte a connection and gains nothing.
		DisablePathMTUDiscovery: true,
	}
}

// tlsConfig makes the TLS configuration of the QUIC listener. Other relays are
// asked for their certificate, and nobody else.
func (r *Relay) tlsConfig() *tls.Config {
	cfg := r.clientsTLS()
	if r.mesh == nil {
		return cfg
	}
	relays := r.mesh.serverTLS(cfg)
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.SupportedProtos, relayALPN) {
			return relays, nil
		}
		return nil, nil // as it is
	}
	return cfg
}

func (r *Relay) clientsTLS() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		NextProtos:     append(slices.Clone(versions), http3.NextProtoH3),
		GetCertificate: r.certificate,
		// Nothing resumes: a client that comes back was gone for a reason, and
		// tickets are state in every session.
		SessionTicketsDisabled: true,
	}
}

// accept takes connections and hands each on at once: quic-go refuses
// connections whose handshake is done when nobody takes them.
func (r *Relay) accept(ctx context.Context) error {
	for {
		conn, err := r.listener.Accept(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("accept: %w", err)
		}
		r.tasks.Go(func() { r.serveConn(ctx, conn) })
	}
}

func (r *Relay) serveConn(ctx context.Context, conn *quic.Conn) {
	select {
	case <-conn.HandshakeComplete():
	case <-conn.Context().Done():
		r.metrics.refused.WithLabelValues("handshake").Inc()
		return
	}
	state := conn.ConnectionState()
	if state.TLS.NegotiatedProtocol == http3.NextProtoH3 {
		_ = r.webtransport.ServeQUICConn(conn) // ends with the connection
		return
	}
	if state.TLS.NegotiatedProtocol == relayALPN {
		r.mesh.accepted(conn)
		return
	}
	if !state.SupportsDatagrams.Remote {
		r.metrics.refused.WithLabelValues("no_datagrams").Inc()
		_ = conn.CloseWithError(quic.ApplicationErrorCode(protocol.CodeUnsupported), "QUIC datagrams (RFC 9221) must be enabled")
		return
	}
	r.serveSession(ctx, session.FromQUIC(conn), nil)
}

// newWebTransport makes the HTTP/3 side: the public HTTP, and CONNECT.
func (r *Relay) newWebTransport(ctx context.Context, public http.Handler) *webtransport.Server {
	h3 := &http3.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.Method == http.MethodConnect {
				r.connect(ctx, w, req)
				return
			}
			public.ServeHTTP(w, req)
		}),
		ConnContext: func(ctx context.Context, conn *quic.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, conn)
		},
		MaxHeaderBytes: 16 << 10, // a token is at most 8 KiB
		Logger:         nil,
	}
	webtransport.ConfigureHTTP3Server(h3)
	return &webtransport.Server{
		H3:                   h3,
		ApplicationProtocols: versions,
		CheckOrigin:          r.allowedOrigin,
		// Safari opens no stream without these limits in SETTINGS.
		Config: &webtransport.Config{
			MaxIncomingStreams:    1024,
			MaxIncomingUniStreams: 1024,
			MaxIncomingData:       8 << 20,
		},
	}
}

type connKey struct{}

// allowedOrigin decides which pages may connect. Other programs send no Origin.
func (r *Relay) allowedOrigin(req *http.Request) bool {
	origin := req.Header.Get("Origin")
	return origin == "" || len(r.cfg.AllowedOrigins) == 0 || slices.Contains(r.cfg.AllowedOrigins, origin)
}

// connect answers an extended CONNECT: what cannot be served is refused with a
// status before there is a session (docs/wire.md, connection).
func (r *Relay) connect(ctx context.Context, w http.ResponseWriter, req *http.Request) {
	if !strings.HasPrefix(req.Proto, "webtransport") {
		r.refuse(w, &refusal{http.StatusNotImplemented, "connect_protocol", "only WebTransport is tunnelled here"})
		return
	}
	grant, refused := r.letIn(handshake{
		Request: req,
		speaks:  func() bool { return offersVersion(req.Header.Values("WT-Available-Protocols")) },
		offer:   func() []string { return versions },
	})
	if refused != nil {
		r.refuse(w, refused)
		return
	}
	s, err := r.webtransport.Upgrade(w, req)
	if err != nil {
		r.refuse(w, &refusal{http.StatusBadRequest, "upgrade", err.Error()})
		return
	}
	below := session.Below{
		Conn:   req.Context().Value(connKey{}).(*quic.Conn),
		Stream: w.(http3.HTTPStreamer).HTTPStream().StreamID(),
	}
	r.serveSession(ctx, session.FromWebTransport(s, req.URL.RequestURI(), below), &grant)
}

// tokenStatus: 403 where the token is good but not for this, else 401.
func tokenStatus(err error) int {
	if errors.Is(err, token.ErrNothing) || errors.Is(err, stage.ErrBanned) || errors.Is(err, stage.ErrEnded) {
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

// offersVersion reports whether a WT-Available-Protocols header (a list of
// strings, RFC 8941) names a version spoken here.
func offersVersion(header []string) bool {
	list, err := httpsfv.UnmarshalList(header)
	if err != nil {
		return false
	}
	for _, member := range list {
		if item, ok := member.(httpsfv.Item); ok {
			if name, ok := item.Value.(string); ok && slices.Contains(versions, name) {
				return true
			}
		}
	}
	return false
}
