package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/coder/websocket"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/qmux"
)

// DialOptions tune Dial. The zero value offers moq-lite-05.
type DialOptions struct {
	// TLS is for wss. Nil trusts what the system does.
	TLS *tls.Config
	// Offer are the subprotocols. Nil means those of moq-lite-05.
	Offer []string
	// Origin is sent if it is not empty, as a browser would.
	Origin string
	// Network opens the socket. Nil means TCP.
	Network func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A StatusError is a server that did not open a WebSocket.
type StatusError struct{ Status int }

func (e *StatusError) Error() string { return "refused with " + http.StatusText(e.Status) }

// ErrSubprotocol says that a server chose none of what was offered.
var ErrSubprotocol = errors.New("no subprotocol in common")

// Dial opens a WebSocket to a ws or wss URL and a session on it.
func Dial(ctx context.Context, address string, o DialOptions) (*Conn, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	var socket net.Conn
	if o.Network == nil {
		o.Network = new(net.Dialer).DialContext
	}
	if o.Offer == nil {
		o.Offer = qmux.Offer(protocol.Lite05.ALPN())
	}
	header := http.Header{}
	if o.Origin != "" {
		header.Set("Origin", o.Origin)
	}
	transport := &http.Transport{
		TLSClientConfig: o.TLS,
		DialContext: func(ctx context.Context, network, addr string) (_ net.Conn, err error) {
			socket, err = o.Network(ctx, network, addr)
			return socket, err
		},
	}
	defer transport.CloseIdleConnections()
	c := newConn(Options{Client: true, Path: u.RequestURI()})
	ws, response, err := websocket.Dial(ctx, address, &websocket.DialOptions{ //nolint:bodyclose // the library does
		HTTPClient:      &http.Client{Transport: transport},
		HTTPHeader:      header,
		Subprotocols:    o.Offer,
		CompressionMode: websocket.CompressionDisabled,
		OnPingReceived:  func(context.Context, []byte) bool { return c.sign() },
		OnPongReceived:  func(context.Context, []byte) { c.sign() },
	})
	if response != nil && response.StatusCode != http.StatusSwitchingProtocols {
		c.hangUp()
		return nil, fmt.Errorf("dial: %w", &StatusError{Status: response.StatusCode})
	}
	if err != nil {
		c.hangUp()
		return nil, fmt.Errorf("dial: %w", err)
	}
	application, version, ok := qmux.ParseSubprotocol(ws.Subprotocol())
	known, spoken := protocol.ParseVersion(application)
	if !ok || !spoken {
		c.hangUp()
		_ = ws.CloseNow()
		return nil, fmt.Errorf("dial: %w", ErrSubprotocol)
	}
	c.opts.Version, c.opts.Protocol, c.opts.Socket = version, known, socket
	tune(socket)
	if err := c.start(ctx, ws); err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	return c, nil
}
