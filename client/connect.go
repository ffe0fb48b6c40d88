package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// fallbackAfter is how long native QUIC has the field for itself. A handshake
// takes two round trips and the worst of usual paths half a second; a firewall
// that knows only HTTP/3 swallows the packets without an answer.
const fallbackAfter = time.Second

// connect makes a connection by the transport that o asks for. The hash of the
// certificate that the relay showed goes to leaf.
func connect(ctx context.Context, e endpoint, o Options, leaf *shown) (session.Conn, error) {
	pins, err := pinsOf(ctx, e, o)
	if err != nil {
		return nil, err
	}
	cfg := leaf.watch(tlsConfig(e, o, pins))
	native := func(ctx context.Context) (session.Conn, error) { return dialNative(ctx, e, o, cfg.Clone()) }
	web := func(ctx context.Context) (session.Conn, error) { return dialWebTransport(ctx, e, o, cfg.Clone()) }
	switch {
	case e.scheme == "moqt" && o.Transport == WebTransport:
		return nil, badAddress.of(e.String(), errors.New("moqt:// means native QUIC; use https:// for WebTransport"))
	case o.Transport == QUIC || e.scheme == "moqt":
		return native(ctx)
	case o.Transport == WebTransport:
		return web(ctx)
	default:
		return race(ctx, native, web, fallback{fallbackAfter, isALPNError})
	}
}

type dialer func(context.Context) (session.Conn, error)

type outcome struct {
	conn session.Conn
	err  error
}

// A fallback says when the second way is tried beside the first: after so long without
// an answer, or at once on certain errors.
type fallback struct {
	after time.Duration
	on    func(error) bool
}

// race runs first, and second beside it once that is due. The first connection wins,
// the other is given up and waited for. If both fail, the error that says more is
// returned.
func race(ctx context.Context, first, second dialer, f fallback) (session.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan outcome, 2)
	launch := func(dial dialer) {
		go func() {
			conn, err := dial(ctx)
			results <- outcome{conn, err}
		}()
	}
	launch(first)
	running, launched := 1, 1
	patience := time.NewTimer(f.after)
	defer patience.Stop()
	var failed error
	for {
		select {
		case <-patience.C:
			if launched == 1 {
				launch(second)
				running, launched = running+1, 2
			}
			continue
		case r := <-results:
			running--
			if r.err == nil {
				cancel()
				discard(results, running)
				return r.conn, nil
			}
			failed = moreTelling(failed, r.err)
		}
		switch {
		case running > 0:
		case launched == 1 && f.on(failed):
			launch(second)
			running, launched = 1, 2
		default:
			return nil, failed
		}
	}
}

// discard waits for n attempts that nobody needs any more.
func discard(results <-chan outcome, n int) {
	for range n {
		if r := <-results; r.conn != nil {
			_ = r.conn.CloseWithError(protocol.CodeCancel, "")
		}
	}
}

// moreTelling returns the error that a person can do more about: one that the
// relay or its certificate caused, rather than a wait without an answer.
func moreTelling(a, b error) error {
	switch {
	case a == nil:
		return b
	case errors.Is(classify(b).kind, ErrUnreachable):
		return a
	case errors.Is(classify(a).kind, ErrUnreachable), isALPNError(a):
		return b
	default:
		return a
	}
}

func dialNative(ctx context.Context, e endpoint, o Options, cfg *tls.Config) (session.Conn, error) {
	cfg.NextProtos = []string{protocol.Lite05.ALPN()}
	conn, err := o.DialQUIC(ctx, e.authority(), cfg, quicConfig(o))
	if err != nil {
		return nil, fmt.Errorf("native QUIC: %w", cause(ctx, err))
	}
	return session.FromQUIC(conn), nil
}

func dialWebTransport(ctx context.Context, e endpoint, o Options, cfg *tls.Config) (session.Conn, error) {
	cfg.NextProtos = []string{http3.NextProtoH3}
	var below *quic.Conn
	transport := &webtransport.Transport{
		TLSClientConfig:      cfg,
		QUICConfig:           quicConfig(o),
		ApplicationProtocols: []string{protocol.Lite05.ALPN()},
		// No limits of the session's own: QUIC's hold, this being the connection's
		// only session. With them an update of a limit may meet the relay's end of
		// the CONNECT stream, and webtransport-go then forgets to read why the
		// session was closed.
		DialAddr: func(ctx context.Context, address string, cfg *tls.Config, qc *quic.Config) (*quic.Conn, error) {
			conn, err := o.DialQUIC(ctx, address, cfg, qc)
			below = conn
			return conn, err
		},
	}
	request := e.request()
	resp, sess, err := transport.Dial(ctx, "https://"+e.authority()+request, nil) //nolint:bodyclose // it is the session's stream
	if err != nil {
		if resp != nil && (resp.StatusCode < 200 || resp.StatusCode > 299) {
			err = &statusError{resp.StatusCode}
		}
		return nil, fmt.Errorf("WebTransport: %w", cause(ctx, err))
	}
	if got := sess.SessionState().ApplicationProtocol; got != protocol.Lite05.ALPN() {
		_ = sess.CloseWithError(webtransport.SessionErrorCode(protocol.CodeVersion), "no common subprotocol")
		return nil, fmt.Errorf("WebTransport: %w", errNoSubprotocol)
	}
	return session.FromWebTransport(sess, request, session.Below{Conn: below}), nil
}

// cause is err, or why ctx ended if that is what stopped the attempt.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// dialUDP is the default of Options.DialQUIC. The name is resolved here so that
// ctx bounds it.
func dialUDP(ctx context.Context, address string, cfg *tls.Config, qc *quic.Config) (*quic.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	return quic.DialAddr(ctx, net.JoinHostPort(addresses[0].Unmap().String(), port), cfg, qc)
}
