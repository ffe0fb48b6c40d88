package testnet

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/qmux"
	"github.com/stentor-audio/stentor/protocol/qmux/conn"
	"github.com/stentor-audio/stentor/protocol/session"
)

func webSocketPair(t testing.TB) (client, server session.Conn) {
	accepted := make(chan *conn.Conn, 1)
	refused := make(chan error, 1)
	type socketKey struct{}
	http1 := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		application, version, _ := qmux.Select(r.Header.Values("Sec-WebSocket-Protocol"), []string{protocol.Lite05.ALPN()})
		spoken, _ := protocol.ParseVersion(application)
		socket, _ := r.Context().Value(socketKey{}).(net.Conn)
		c, err := conn.Accept(context.Background(), w, r, conn.Options{Version: version, Protocol: spoken, Path: r.URL.RequestURI(), Socket: socket})
		if err != nil {
			refused <- err
			return
		}
		accepted <- c
	}))
	http1.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, socketKey{}, c)
	}
	http1.Start()
	t.Cleanup(http1.Close)
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	c, err := conn.Dial(ctx, "ws"+http1.URL[len("http"):]+"/", conn.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case s := <-accepted:
		t.Cleanup(func() {
			_ = c.CloseWithError(0, "")
			_ = s.CloseWithError(0, "")
			c.Wait()
			s.Wait()
		})
		return c, s
	case err := <-refused:
		t.Fatal(err)
		return nil, nil
	}
}
