package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"
	"go.uber.org/goleak"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds everything a test waits for; nothing is expected to take long.
const patience = 20 * time.Second

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// testLog writes what a client logs into the test's output.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type testWriter struct{ testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	if w.Context().Err() == nil { // logging after the end of a test panics
		w.Logf("%s", b)
	}
	return len(b), nil
}

// certificate makes a self-signed P-256 certificate for this machine.
func certificate(t testing.TB, from, to time.Time) (tls.Certificate, Hash) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "test"},
		NotBefore:             from,
		NotAfter:              to,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames:              []string{"localhost", "relay.example"},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, Hash(sha256.Sum256(der))
}

func goodCertificate(t testing.TB) (tls.Certificate, Hash) {
	return certificate(t, time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour))
}

// A host is the other end of the tests' sessions, on a real socket. Its zero
// value speaks native QUIC and WebTransport and publishes nothing.
type host struct {
	alpn         []string // default moq-lite-05 and h3
	cert         *tls.Certificate
	subprotocols []string // WebTransport; default moq-lite-05
	status       int      // WebTransport: refuse every CONNECT with this
	refuse       *session.ClosedError
	mute         bool // accept and say nothing
	streams      bool // do not read datagrams
	setup        protocol.Setup
	publisher    session.Publisher

	packets  net.PacketConn // instead of a socket on port
	port     int
	hash     Hash
	sessions chan *hosted

	tasks sync.WaitGroup
}

// A hosted session and where it asked to be.
type hosted struct {
	*session.Session
	path string
}

// start listens until the test ends, on h.port if it is set.
func (h *host) start(t testing.TB) *host {
	t.Helper()
	if h.cert == nil {
		cert, _ := goodCertificate(t)
		h.cert = &cert
	}
	if h.alpn == nil {
		h.alpn = []string{protocol.Lite05.ALPN(), http3.NextProtoH3}
	}
	if h.subprotocols == nil {
		h.subprotocols = []string{protocol.Lite05.ALPN()}
	}
	h.hash = sha256.Sum256(h.cert.Certificate[0])
	h.sessions = make(chan *hosted, 64)
	udp := h.packets
	if udp == nil {
		var err error
		if udp, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: h.port}); err != nil {
			t.Fatal(err)
		}
		h.port = udp.LocalAddr().(*net.UDPAddr).Port
	}
	ctx, cancel := context.WithCancel(context.Background())
	transport := &quic.Transport{Conn: udp}
	listener, err := transport.Listen(&tls.Config{Certificates: []tls.Certificate{*h.cert}, NextProtos: h.alpn}, quicConfig(Options{}.withDefaults()))
	if err != nil {
		t.Fatal(err)
	}
	wt := h.webTransport(ctx)
	h.tasks.Go(func() { h.accept(ctx, listener, wt) })
	t.Cleanup(func() {
		cancel()
		_ = wt.Close()
		_ = listener.Close()
		_ = transport.Close()
		_ = udp.Close()
		h.tasks.Wait()
	})
	return h
}

func (h *host) accept(ctx context.Context, l *quic.Listener, wt *webtransport.Server) {
	for {
		conn, err := l.Accept(ctx)
		if err != nil {
			return
		}
		h.tasks.Go(func() {
			stop := context.AfterFunc(ctx, func() { _ = conn.CloseWithError(0, "") })
			defer stop()
			if conn.ConnectionState().TLS.NegotiatedProtocol == http3.NextProtoH3 {
				_ = wt.ServeQUICConn(conn)
				return
			}
			h.serve(ctx, session.FromQUIC(conn))
		})
	}
}

func (h *host) webTransport(ctx context.Context) *webtransport.Server {
	wt := &webtransport.Server{ApplicationProtocols: h.subprotocols}
	wt.H3 = &http3.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.status != 0 {
			w.WriteHeader(h.status)
			return
		}
		if s, err := wt.Upgrade(w, r); err == nil {
			h.serve(ctx, session.FromWebTransport(s, r.URL.RequestURI(), session.Below{}))
		}
	})}
	webtransport.ConfigureHTTP3Server(wt.H3)
	return wt
}

func (h *host) serve(ctx context.Context, conn session.Conn) {
	if h.mute {
		<-conn.Context().Done()
		return
	}
	if h.refuse != nil {
		_ = conn.CloseWithError(h.refuse.Code, h.refuse.Reason)
		return
	}
	setup := h.setup
	setup.HopID, setup.Datagrams = 7777, !h.streams
	publisher := h.publisher
	if publisher == nil {
		publisher = ownTracks{}
	}
	s := session.New(conn, session.Config{Setup: setup, Publisher: publisher})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Run(ctx)
	}()
	peer, err := s.PeerSetup(ctx)
	if err == nil {
		path, carried := conn.Path()
		if !carried {
			path = peer.Path
		}
		h.sessions <- &hosted{Session: s, path: path}
	}
	<-ended
}

func (h *host) address() string {
	return (&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: h.port}).String()
}

func (h *host) url() string { return "https://" + h.address() }

// next is the next session that a client opened.
func (h *host) next(t testing.TB) *hosted {
	t.Helper()
	select {
	case s := <-h.sessions:
		return s
	case <-time.After(patience):
		t.Fatal("no session came")
		return nil
	}
}

// eventually waits until check is true.
func eventually(t testing.TB, what string, check func() bool) {
	t.Helper()
	ctx := within(t)
	for !check() {
		if sleep(ctx, 5*time.Millisecond) != nil {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// each runs a test over both transports.
func each(t *testing.T, test func(t *testing.T, transport Transport)) {
	for _, tt := range []struct {
		name      string
		transport Transport
	}{{"quic", QUIC}, {"webtransport", WebTransport}} {
		t.Run(tt.name, func(t *testing.T) { test(t, tt.transport) })
	}
}

func isKind(err, kind error) bool {
	var relay *RelayError
	return errors.As(err, &relay) && errors.Is(err, kind)
}
