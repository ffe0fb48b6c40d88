package relay_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/qmux"
	"github.com/stentor-audio/stentor/protocol/qmux/conn"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay"
)

// anyCertificate trusts whoever listens on loopback.
var anyCertificate = &tls.Config{InsecureSkipVerify: true}

// webSocket opens a session over a WebSocket that ends with the test.
func webSocket(t *testing.T, address string, cfg session.Config, o conn.DialOptions) *session.Session {
	t.Helper()
	o.TLS = anyCertificate
	c, err := conn.Dial(within(t), address, o)
	if err != nil {
		t.Fatal(err)
	}
	s := session.New(c, cfg)
	ctx, stop := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = s.Run(ctx) })
	t.Cleanup(func() {
		stop()
		run.Wait()
		c.Wait()
	})
	return s
}

func secure(r *relay.Relay) string { return "wss" + strings.TrimPrefix(r.URL(), "https") }

// listenTo subscribes to a voice, as client sessions do in the other tests.
func listenTo(t *testing.T, s *session.Session, broadcast protocol.Path) *ear {
	t.Helper()
	if _, err := s.TrackInfo(within(t), broadcast, protocol.TrackAudio); err != nil {
		t.Fatal(err)
	}
	e := newEar()
	if _, err := s.Subscribe(within(t), protocol.Subscribe{Broadcast: broadcast, Track: protocol.TrackAudio, Delivery: protocol.Delivery{Ordered: true}}, e); err != nil {
		t.Fatal(err)
	}
	return e
}

// utter speaks n packets, a few at a time, and waits until all ears have them.
func (v *voice) utter(t *testing.T, n int, ears ...*ear) {
	t.Helper()
	for range n {
		v.speak(1)
		for _, e := range ears {
			e.wait(t, 1)
		}
	}
}

// utterLong does the same with packets of a thousand bytes.
func (v *voice) utterLong(t *testing.T, n int, e *ear) {
	t.Helper()
	for range n {
		v.mu.Lock()
		i := len(v.groups)
		timestamp := uint64(i) * 20_000
		opus := append(packet(i), make([]byte, 1000)...)
		v.groups = append(v.groups, protocol.Frame{Timestamp: timestamp, Payload: protocol.AppendLegacy(nil, timestamp, opus)})
		close(v.changed)
		v.changed = make(chan struct{})
		v.mu.Unlock()
		e.wait(t, 1)
	}
}

// gotAll checks that the groups from begin on came as streams, unchanged.
func (v *voice) gotAll(t *testing.T, e *ear, begin, n int) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := begin; i < begin+n; i++ {
		want := v.groups[i]
		f := e.groups[uint64(i)]
		if len(f) != 1 || f[0].Timestamp != want.Timestamp || !bytes.Equal(f[0].Payload, want.Payload) {
			t.Fatalf("group %d: %+v, want %+v", i, f, want)
		}
	}
	if len(e.datagrams) > 0 {
		t.Errorf("%d datagrams", len(e.datagrams))
	}
}

func TestListenersOverWebSocket(t *testing.T) {
	r := start(t, relay.Config{HTTP: "127.0.0.1:0"})
	v := newVoice(t, "town/ada")
	v.publish(r.URL(), client.Options{})
	v.speak(1)
	for _, address := range []string{secure(r) + "/", "ws://" + r.HTTPAddr().String() + "/"} {
		for _, version := range qmux.Versions {
			t.Run(address[:3]+version.String(), func(t *testing.T) {
				// It says that it reads datagrams, which there are none of here.
				s := webSocket(t, address, session.Config{Setup: protocol.Setup{Datagrams: true}},
					conn.DialOptions{Offer: []string{version.Subprotocol("moq-lite-05")}, Origin: "https://example.org"})
				e := listenTo(t, s, "town/ada")
				e.wait(t, 1)
				begin := len(v.groups) - 1
				v.utter(t, 40, e) // a relay takes 100 a second
				v.gotAll(t, e, begin, 41)
				if setup, err := s.PeerSetup(within(t)); err != nil || setup.Datagrams || setup.HopID == 0 {
					t.Errorf("the relay says %+v, %v", setup, err)
				}
			})
		}
	}
}

// streaming is a voice that publishes groups as streams.
type streaming struct{ *voice }

func (v streaming) Subscribe(ctx context.Context, sub *session.Subscriber) error {
	for next := 0; ; next++ {
		f, ok := v.await(ctx, next)
		if !ok {
			return nil
		}
		if _, err := sub.WriteGroup(uint64(next), f, nil); err != nil {
			return err
		}
	}
}

func TestSpeakersOverWebSocket(t *testing.T) {
	r := start(t, relay.Config{})
	v := newVoice(t, "ada")
	webSocket(t, secure(r)+"/town", session.Config{Publisher: streaming{v}, Setup: protocol.Setup{HopID: v.hopID}}, conn.DialOptions{})
	v.speak(1)
	listener := dial(t, r.URL(), client.Options{NoDatagrams: true})
	e, _ := subscribe(t, listener, "town/ada", protocol.TrackAudio, protocol.Delivery{})
	over := listenTo(t, webSocket(t, secure(r)+"/", session.Config{}, conn.DialOptions{}), "town/ada")
	e.wait(t, 1)
	over.wait(t, 1)
	v.utter(t, 90, e, over)
	v.gotAll(t, e, 0, 91)
	v.gotAll(t, over, 0, 91)
}

// TestAWebSocketThatStopsReadingCostsNobodyElse freezes one listener's socket for
// seconds while another goes on, and thaws it: it goes on with what is new.
func TestAWebSocketThatStopsReadingCostsNobodyElse(t *testing.T) {
	r := start(t, relay.Config{})
	v := newVoice(t, "town/ada")
	v.publish(r.URL(), client.Options{})
	v.speak(1)
	frozen := new(freezer)
	slow := listenTo(t, webSocket(t, secure(r)+"/", session.Config{}, conn.DialOptions{Network: frozen.dial}), "town/ada")
	fast := listenTo(t, webSocket(t, secure(r)+"/", session.Config{}, conn.DialOptions{}), "town/ada")
	slow.wait(t, 1)
	fast.wait(t, 1)
	frozen.freeze()
	for range 15 {
		v.utterLong(t, 20, fast)
		time.Sleep(200 * time.Millisecond) // a hundred packets a second are allowed
	}
	v.gotAll(t, fast, 0, 301)
	frozen.thaw()
	for newest, came := false, 0; !newest; {
		v.utter(t, 1, fast)
		slow.wait(t, 1)
		slow.mu.Lock()
		newest, came = slices.Contains(slow.order, uint64(len(v.groups)-1)), len(slow.order)
		slow.mu.Unlock()
		if came == len(v.groups) {
			t.Errorf("all of %d groups reached the one that was frozen: it was not", came)
		}
	}
}

// freezer is a network whose sockets can stop being read.
type freezer struct {
	mu     sync.Mutex
	frozen chan struct{} // closed by thaw; nil: not frozen
}

func (f *freezer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	_ = c.(*net.TCPConn).SetReadBuffer(2 << 10) // or the system would read on for long
	return frozenConn{c, f}, nil
}

func (f *freezer) freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.frozen = make(chan struct{})
}

func (f *freezer) thaw() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.frozen)
	f.frozen = nil
}

type frozenConn struct {
	net.Conn
	f *freezer
}

func (c frozenConn) Read(b []byte) (int, error) {
	c.f.mu.Lock()
	frozen := c.f.frozen
	c.f.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
	return c.Conn.Read(b)
}

func TestWebSocketHandshakesThatAreRefused(t *testing.T) {
	origins := start(t, relay.Config{AllowedOrigins: []string{"https://rooms.example"}})
	tokens, sign := guarded(t)
	good := http.Header{
		"Connection":             {"Upgrade"},
		"Upgrade":                {"websocket"},
		"Sec-Websocket-Version":  {"13"},
		"Sec-Websocket-Key":      {"AAAAAAAAAAAAAAAAAAAAAA=="},
		"Sec-Websocket-Protocol": {"qmux-02.moq-lite-05, qmux-02, webtransport"},
	}
	with := func(key string, values ...string) http.Header {
		h := good.Clone()
		h[key] = values
		return h
	}
	tests := []struct {
		name   string
		relay  *relay.Relay
		path   string
		header http.Header
		status int
		chosen string
	}{
		{"welcome", origins, "/town", good, 101, "qmux-02.moq-lite-05"},
		{"from an allowed page", origins, "/town", with("Origin", "https://rooms.example"), 101, "qmux-02.moq-lite-05"},
		{"from another page", origins, "/town", with("Origin", "https://evil.example"), 403, ""},
		{"several lines", origins, "/town", with("Sec-Websocket-Protocol", "qmux-00.moq-lite-05", "qmux-01.moq-lite-05,qmux-02.moq-lite-04"), 101, "qmux-01.moq-lite-05"},
		{"no subprotocol", origins, "/town", with("Sec-Websocket-Protocol"), 400, ""},
		{"bare subprotocols", origins, "/town", with("Sec-Websocket-Protocol", "qmux-02", "webtransport"), 400, ""},
		{"the protocol without its framing", origins, "/town", with("Sec-Websocket-Protocol", "moq-lite-05"), 400, ""},
		{"capitals", origins, "/town", with("Sec-Websocket-Protocol", "QMUX-02.moq-lite-05"), 400, ""},
		{"a path too deep", origins, strings.Repeat("/a", 33), good, 400, ""},
		{"an old version", origins, "/town", with("Sec-Websocket-Version", "8"), 400, ""},
		{"no key", origins, "/town", with("Sec-Websocket-Key"), 400, ""},
		{"no handshake", origins, "/r/town", http.Header{}, 200, ""},
		{"no token", tokens, "/town", good, 401, ""},
		{"garbage for a token", tokens, "/town?jwt=a.b.c", good, 401, ""},
		{"a token for elsewhere", tokens, "/village?jwt=" + sign(scope("", "")), good, 403, ""},
		{"a token", tokens, "/town?jwt=" + sign(scope("", "")), good, 101, "qmux-02.moq-lite-05"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if status, chosen := handshake(t, tt.relay, tt.path, tt.header); status != tt.status || chosen != tt.chosen {
				t.Errorf("answered %d %q, want %d %q", status, chosen, tt.status, tt.chosen)
			}
		})
	}
}

// handshake sends a request over HTTP/1.1 and hangs up after the answer.
func handshake(t *testing.T, r *relay.Relay, path string, header http.Header) (status int, subprotocol string) {
	t.Helper()
	c, err := tls.Dial("tcp", strings.TrimPrefix(r.URL(), "https://"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: relay\r\n", path)
	_ = header.Write(&b)
	b.WriteString("\r\n")
	if _, err := io.WriteString(c, b.String()); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if ext := res.Header.Get("Sec-Websocket-Extensions"); ext != "" {
		t.Errorf("negotiated %q", ext)
	}
	return res.StatusCode, res.Header.Get("Sec-Websocket-Protocol")
}

func TestFullRelayRefusesWebSockets(t *testing.T) {
	r := start(t, relay.Config{Capacity: 1}) // twice of it are taken
	for range 2 {
		s := webSocket(t, secure(r)+"/", session.Config{}, conn.DialOptions{})
		if _, err := s.PeerSetup(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := conn.Dial(within(t), secure(r)+"/", conn.DialOptions{TLS: anyCertificate})
	var refused *conn.StatusError
	if !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable {
		t.Errorf("a third one: %v", err)
	}
}

func TestWebSocketsGoWithTheRelay(t *testing.T) {
	cfg := relay.Config{Listen: "127.0.0.1:0", Open: true}
	ready := make(chan struct{})
	cfg.OnReady = func(*relay.Relay) { close(ready) }
	r, err := relay.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	<-ready
	away := make(chan string, 1)
	s := webSocket(t, secure(r)+"/", session.Config{OnGoaway: func(uri string) { away <- uri }}, conn.DialOptions{})
	if _, err := s.PeerSetup(within(t)); err != nil {
		t.Fatal(err)
	}
	stop()
	<-away
	<-s.Context().Done()
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
	var closed *session.ClosedError
	if !errors.As(s.Conn().Cause(), &closed) || !closed.Remote {
		t.Errorf("ended by %v", s.Conn().Cause())
	}
}
