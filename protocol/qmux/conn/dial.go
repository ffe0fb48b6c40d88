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
	c := newConn(Options{Client: true, Path: u.RequestURI()})
	ws, err := c.handshake(ctx, address, o)
	if err != nil {
		c.hangUp()
		return nil, fmt.Errorf("dial: %w", err)
	}
	tune(c.opts.Socket)
	if err := c.start(ctx, ws); err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	return c, nil
}

// handshake opens the WebSocket and notes what the server chose.
func (c *Conn) handshake(ctx context.Context, address string, o DialOptions) (*websocket.Conn, error) {
	dial := o.Network
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	transport := &http.Transport{
		TLSClientConfig: o.TLS,
		DialContext: func(ctx context.Context, network, addr string) (_ net.Conn, err error) {
			c.opts.Socket, err = dial(ctx, network, addr)
			return c.opts.Socket, err
		},
	}
	defer transport.CloseIdleConnections()
	header := http.Header{}
	if o.Origin != "" {
		header.Set("Origin", o.Origin)
	}
	offer := o.Offer
	if offer == nil {
		offer = qmux.Offer(protocol.Lite05.ALPN())
	}
	ws, response, err := websocket.Dial(ctx, address, &websocket.DialOptions{ //nolint:bodyclose // the library does
		HTTPClient:      &http.Client{Transport: transport},
		HTTPHeader:      header,
		Subprotocols:    offer,
		CompressionMode: websocket.CompressionDisabled,
		OnPingReceived:  func(context.Context, []byte) bool { return c.sign() },
		OnPongReceived:  func(context.Context, []byte) { c.sign() },
	})
	if response != nil && response.StatusCode != http.StatusSwitchingProtocols {
		return nil, &StatusError{Status: response.StatusCode}
	}
	if err != nil {
		return nil, err
	}
	application, version, ok := qmux.ParseSubprotocol(ws.Subprotocol())
	spoken, known := protocol.ParseVersion(application)
	if !ok || !known {
		_ = ws.CloseNow()
		return nil, ErrSubprotocol
	}
	c.opts.Version, c.opts.Protocol = version, spoken
	return ws, nil
}
