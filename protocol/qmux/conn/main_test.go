package conn

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/qmux"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pipes is a listener whose sockets are in memory, for tests under a fake clock.
// They hold nothing: who writes waits for who reads.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func newPipes() *pipes {
	return &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p.accepted <- far
	return near, nil
}

// A site takes WebSockets in and hands their connections out.
type site struct {
	l        net.Listener
	network  func(context.Context, string, string) (net.Conn, error)
	accepted chan *Conn
	refused  chan error
}

// open serves on l until the test ends. Nil is a port on loopback.
func open(t *testing.T, l net.Listener) *site {
	t.Helper()
	s := &site{l: l, accepted: make(chan *Conn, 1), refused: make(chan error, 1)}
	if l == nil {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s.l = tcp
	}
	if p, ok := l.(*pipes); ok {
		s.network = p.dial
	}
	type socketKey struct{}
	server := &http.Server{
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, socketKey{}, c)
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, version, ok := qmux.Select(r.Header.Values("Sec-WebSocket-Protocol"), []string{protocol.Lite05.ALPN()})
			if !ok {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			socket, _ := r.Context().Value(socketKey{}).(net.Conn)
			c, err := Accept(context.Background(), w, r, Options{Version: version, Protocol: protocol.Lite05, Path: r.URL.RequestURI(), Socket: socket})
			if err != nil {
				s.refused <- err
				return
			}
			s.accepted <- c
		}),
	}
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(s.l) })
	t.Cleanup(func() {
		_ = server.Close()
		served.Wait()
	})
	return s
}

func (s *site) url() string { return "ws://" + s.l.Addr().String() + "/room?jwt=x" }

// server returns the next connection that came, and ends it with the test.
func (s *site) server(t *testing.T) *Conn {
	t.Helper()
	select {
	case c := <-s.accepted:
		t.Cleanup(func() {
			_ = c.CloseWithError(0, "")
			c.Wait()
		})
		return c
	case err := <-s.refused:
		t.Fatal(err)
	case <-time.After(10 * time.Second):
		t.Fatal("nobody came")
	}
	return nil
}

// pair returns both ends of a connection.
func pair(t *testing.T, l net.Listener) (client, server *Conn) {
	t.Helper()
	s := open(t, l)
	c, err := Dial(within(t), s.url(), DialOptions{Network: s.network})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.CloseWithError(0, "")
		c.Wait()
	})
	return c, s.server(t)
}

func within(t *testing.T) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(stop)
	return ctx
}

// A stranger is a peer that sends whatever the test says.
type stranger struct {
	t  *testing.T
	ws *websocket.Conn
}

func (s *site) stranger(t *testing.T, subprotocol string) *stranger {
	t.Helper()
	network := s.network
	if network == nil {
		network = new(net.Dialer).DialContext
	}
	transport := &http.Transport{DialContext: network}
	t.Cleanup(transport.CloseIdleConnections)
	ws, _, err := websocket.Dial(within(t), s.url(), &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: transport},
		Subprotocols: []string{subprotocol},
	})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	return &stranger{t: t, ws: ws}
}

// leave cuts the socket, so that nobody waits for a good-bye.
func (s *stranger) leave() { _ = s.ws.CloseNow() }

// drain reads and forgets.
func (s *stranger) drain() {
	for {
		if _, _, err := s.ws.Read(context.Background()); err != nil {
			return
		}
	}
}

func (s *stranger) send(records ...[]byte) {
	s.t.Helper()
	for _, b := range records {
		if err := s.ws.Write(within(s.t), websocket.MessageBinary, b); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *stranger) say(frames ...qmux.Frame) {
	s.t.Helper()
	var b []byte
	for _, f := range frames {
		b = f.Append(b)
	}
	s.send(b)
}

// until reads frames up to one that is wanted, and returns it.
func (s *stranger) until(wanted func(qmux.Frame) bool) qmux.Frame {
	s.t.Helper()
	for {
		_, b, err := s.ws.Read(within(s.t))
		if err != nil {
			s.t.Fatalf("not what was waited for: %v", err)
		}
		for len(b) > 0 {
			f, rest, err := qmux.Next(b)
			if err != nil {
				s.t.Fatal(err)
			}
			if f != nil && wanted(f) {
				return f
			}
			b = rest
		}
	}
}

// is waits for one kind of frame.
func is[F qmux.Frame](f qmux.Frame) bool { _, ok := f.(F); return ok }

// browser is what @moq/qmux 0.3.3 sends first.
var browser = qmux.Parameters{
	MaxIdleTimeout: 30000, MaxData: 1 << 20,
	MaxStreamDataBidiLocal: 256 << 10, MaxStreamDataBidiRemote: 256 << 10, MaxStreamDataUni: 256 << 10,
	MaxStreamsBidi: 100, MaxStreamsUni: 100, MaxDatagram: 16382, MaxRecord: 16382, ResetStreamAt: true,
}
