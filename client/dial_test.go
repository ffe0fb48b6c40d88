package client

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

func TestDialIntroducesItself(t *testing.T) {
	each(t, func(t *testing.T, transport Transport) {
		h := (&host{}).start(t)
		s, err := Dial(within(t), h.url()+"/town?jwt=old", Options{Transport: transport, Token: "new", HopID: 42, Role: protocol.RoleSubscriber, Logger: testLog(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		peer := h.next(t)
		got, err := peer.PeerSetup(within(t))
		if err != nil {
			t.Fatal(err)
		}
		if !got.Datagrams || !got.Goaway || got.HopID != 42 || got.Role != protocol.RoleSubscriber {
			t.Errorf("SETUP %+v", got)
		}
		if peer.path != "/town?jwt=new" {
			t.Errorf("path %q, want /town?jwt=new", peer.path)
		}
		if want := map[Transport]string{QUIC: "quic", WebTransport: "webtransport"}[transport]; s.Transport() != want {
			t.Errorf("transport %q, want %q", s.Transport(), want)
		}
		if s.Relay() != h.url()+"/town" {
			t.Errorf("relay is called %q, want it without the token", s.Relay())
		}
		if got := s.Path("town/ada"); got != "ada" {
			t.Errorf("town/ada is %q within the session, want ada", got)
		}
	})
}

// TestDialFails holds one kind of failure a case: what it is, and that the text
// helps.
func TestDialFails(t *testing.T) {
	expired, expiredHash := certificate(t, time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour))
	future, futureHash := certificate(t, time.Now().Add(time.Hour), time.Now().Add(48*time.Hour))
	tests := []struct {
		name    string
		host    *host
		scheme  string
		options func(h *host) Options
		kind    error
		text    string // is in the error
	}{
		{"wrong ALPN", &host{alpn: []string{"imap"}}, "https", nil, ErrProtocol, "port may belong to another service"},
		{"wrong ALPN, native only", &host{alpn: []string{"imap"}}, "moqt", nil, ErrProtocol, "port may belong to another service"},
		{"no common subprotocol", &host{alpn: []string{"h3"}, subprotocols: []string{"moq-99"}}, "https", nil, ErrProtocol, "moq-lite-05"},
		{"accepts and says nothing", &host{mute: true}, "https", func(*host) Options {
			return Options{Transport: QUIC, Timeout: 300 * time.Millisecond}
		}, ErrProtocol, "no SETUP"},
		{"accepts and says nothing over WebTransport", &host{mute: true}, "https", func(*host) Options {
			return Options{Transport: WebTransport, Timeout: 300 * time.Millisecond}
		}, ErrProtocol, "no SETUP"},
		{"refused token, native", &host{refuse: &session.ClosedError{Code: protocol.CodeUnauthorized, Reason: "token expired"}}, "https",
			nil, ErrNotAllowed, "token expired"},
		{"refused token, WebTransport", &host{status: http.StatusUnauthorized}, "https", func(*host) Options {
			return Options{Transport: WebTransport}
		}, ErrNotAllowed, "pass a token"},
		{"role not granted, WebTransport", &host{status: http.StatusForbidden}, "https", func(*host) Options {
			return Options{Transport: WebTransport}
		}, ErrNotAllowed, "pass a token"},
		{"full", &host{status: http.StatusServiceUnavailable}, "https", func(*host) Options {
			return Options{Transport: WebTransport}
		}, ErrUnreachable, "full or leaving"},
		{"no such page", &host{status: http.StatusNotFound}, "https", func(*host) Options {
			return Options{Transport: WebTransport}
		}, ErrProtocol, "404"},
		{"another certificate than pinned", &host{}, "https", func(*host) Options {
			return Options{CertificateHashes: []Hash{{1, 2, 3}}}
		}, ErrCertificate, "not one that is pinned"},
		{"pinned but expired", &host{cert: &expired}, "https", func(*host) Options {
			return Options{CertificateHashes: []Hash{expiredHash}}
		}, ErrCertificate, "expired at"},
		{"pinned but not valid yet", &host{cert: &future}, "https", func(*host) Options {
			return Options{CertificateHashes: []Hash{futureHash}}
		}, ErrCertificate, "clock"},
		{"unknown authority, not on this machine", &host{}, "https", func(h *host) Options {
			return Options{Transport: QUIC, DialQUIC: elsewhere(h)}
		}, ErrCertificate, "/certificate.sha256"},
		{"unknown authority, WebTransport", &host{}, "https", func(h *host) Options {
			return Options{Transport: WebTransport, DialQUIC: elsewhere(h)}
		}, ErrCertificate, "/certificate.sha256"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := tt.host.start(t)
			o := Options{}
			if tt.options != nil {
				o = tt.options(h)
			}
			address := h.address()
			if o.DialQUIC != nil {
				address = "relay.example:443"
			}
			s, err := Dial(within(t), tt.scheme+"://"+address+"/?jwt=secret", o)
			if err == nil {
				s.Close()
				t.Fatal("connected")
			}
			if !isKind(err, tt.kind) {
				t.Errorf("error %v, want kind %v", err, tt.kind)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %q does not say %q", err, tt.text)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("error %q shows the token", err)
			}
		})
	}
}

// elsewhere dials the host under a name that is not this machine's.
func elsewhere(h *host) func(context.Context, string, *tls.Config, *quic.Config) (*quic.Conn, error) {
	return func(ctx context.Context, _ string, cfg *tls.Config, qc *quic.Config) (*quic.Conn, error) {
		return quic.DialAddr(ctx, h.address(), cfg, qc)
	}
}

func TestDialUnreachable(t *testing.T) {
	// A socket that never answers keeps the port from being anybody else's.
	silent, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	tests := []struct{ name, url string }{
		{"nobody answers, both transports", "https://" + silent.LocalAddr().String()},
		{"nobody answers", "moqt://" + silent.LocalAddr().String()},
		{"nobody serves the certificate's hash", "http://" + closed.Addr().String()},
		{"no such host", "https://no-such-host.invalid:443"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Dial(within(t), tt.url, Options{Timeout: 1300 * time.Millisecond})
			if !isKind(err, ErrUnreachable) {
				t.Errorf("error %v, want ErrUnreachable", err)
			}
		})
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	h := (&host{mute: true}).start(t)
	each(t, func(t *testing.T, transport Transport) {
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		time.AfterFunc(100*time.Millisecond, func() { cancel(enough) })
		if _, err := Dial(ctx, h.url(), Options{Transport: transport}); !errors.Is(err, enough) {
			t.Errorf("error %v, want the context's cause", err)
		}
	})
}

// TestAutoPrefersNative checks both ends of the preference: native where it is
// spoken, WebTransport where it is refused or swallowed.
func TestAuto(t *testing.T) {
	t.Run("both spoken", func(t *testing.T) {
		h := (&host{}).start(t)
		wantTransport(t, h, Options{}, "quic")
	})
	t.Run("native refused", func(t *testing.T) {
		h := (&host{alpn: []string{"h3"}}).start(t)
		wantTransport(t, h, Options{}, "webtransport")
	})
	t.Run("native swallowed", func(t *testing.T) {
		h := (&host{}).start(t)
		o := Options{DialQUIC: func(ctx context.Context, address string, cfg *tls.Config, qc *quic.Config) (*quic.Conn, error) {
			if cfg.NextProtos[0] != "h3" {
				<-ctx.Done() // as behind a firewall that knows only HTTP/3
				return nil, context.Cause(ctx)
			}
			return dialUDP(ctx, address, cfg, qc)
		}}
		wantTransport(t, h, o, "webtransport")
	})
}

func wantTransport(t *testing.T, h *host, o Options, want string) {
	t.Helper()
	s, err := Dial(within(t), h.url(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Transport() != want {
		t.Errorf("transport %q, want %q", s.Transport(), want)
	}
}

// TestDevelopmentURL fetches the certificate's hash in the clear and pins it.
func TestDevelopmentURL(t *testing.T) {
	h := (&host{}).start(t)
	pages := func(page string, status int) *http.Server {
		l, err := net.Listen("tcp", h.address())
		if err != nil {
			t.Skip("the port is taken on TCP: ", err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/certificate.sha256" {
				status = http.StatusNotFound
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(page))
		})}
		go func() { _ = server.Serve(l) }()
		return server
	}
	tests := []struct {
		name   string
		page   string
		status int
		kind   error
	}{
		{"its own", h.hash.String(), 200, nil},
		{"another's", strings.Repeat("0f", 32), 200, ErrCertificate},
		{"a page", "<html>hello</html>", 200, ErrProtocol},
		{"none", "", 404, ErrProtocol},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := pages(tt.page, tt.status)
			defer func() { _ = server.Close() }()
			s, err := Dial(within(t), "http://"+h.address(), Options{Timeout: 2 * time.Second})
			if err == nil {
				s.Close()
			}
			if tt.kind == nil && err != nil || tt.kind != nil && !isKind(err, tt.kind) {
				t.Errorf("error %v, want %v", err, tt.kind)
			}
		})
	}
}

func TestSessionSaysWhyItEnded(t *testing.T) {
	each(t, func(t *testing.T, transport Transport) {
		for _, tt := range []struct {
			name string
			code protocol.ResetCode
			kind error
		}{
			{"name taken", protocol.CodeDuplicate, ErrNameTaken},
			{"token ran out", protocol.CodeUnauthorized, ErrNotAllowed},
			{"relay leaves", protocol.CodeCancel, ErrUnreachable},
			{"we made no sense", protocol.CodeProtocol, ErrProtocol},
		} {
			t.Run(tt.name, func(t *testing.T) {
				h := (&host{}).start(t)
				s, err := Dial(within(t), h.url(), Options{Transport: transport})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				h.next(t).Close(tt.code, "because")
				select {
				case <-s.Done():
				case <-within(t).Done():
					t.Fatal("the session goes on")
				}
				if err := s.Err(); !isKind(err, tt.kind) || !strings.Contains(err.Error(), "because") {
					t.Errorf("error %v, want kind %v with the relay's reason", err, tt.kind)
				}
			})
		}
		t.Run("closed here", func(t *testing.T) {
			h := (&host{}).start(t)
			s, err := Dial(within(t), h.url(), Options{Transport: transport})
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
			if err := s.Err(); !errors.Is(err, ErrEnded) {
				t.Errorf("error %v, want ErrEnded", err)
			}
		})
	})
}
