package conn

import (
	"context"
	"net/http"

	"github.com/coder/websocket"
)

// Accept answers a WebSocket handshake, with the subprotocol that o says, and
// waits at most ten seconds for the peer's parameters. Where the request is no
// proper handshake it has answered with a status and returns an error. Who may
// come in is up to the caller, and so is the Origin.
func Accept(ctx context.Context, w http.ResponseWriter, req *http.Request, o Options) (*Conn, error) {
	c := newConn(o)
	ws, err := websocket.Accept(w, req, &websocket.AcceptOptions{
		Subprotocols:       []string{o.Version.Subprotocol(o.Protocol.ALPN())},
		InsecureSkipVerify: true, // the caller has looked
		CompressionMode:    websocket.CompressionDisabled,
		OnPingReceived:     func(context.Context, []byte) bool { return c.sign() },
		OnPongReceived:     func(context.Context, []byte) { c.sign() },
	})
	if err != nil {
		c.hangUp()
		return nil, err
	}
	tune(o.Socket)
	if err := c.start(ctx, ws); err != nil {
		return nil, err
	}
	return c, nil
}
