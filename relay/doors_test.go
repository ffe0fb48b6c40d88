package relay_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/token"
)

// guarded starts a relay that wants tokens and returns a maker of them.
func guarded(t *testing.T) (*relay.Relay, func(token.Claims) string) {
	t.Helper()
	return guardedAs(t, relay.Config{})
}

func guardedAs(t *testing.T, cfg relay.Config) (*relay.Relay, func(token.Claims) string) {
	t.Helper()
	key, err := token.Generate("", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := key.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.jwk")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Keys = file
	return start(t, cfg), func(c token.Claims) string {
		jwt, err := token.Sign(key, c)
		if err != nil {
			t.Fatal(err)
		}
		return jwt
	}
}

func scope(put, get protocol.Path) token.Claims {
	c := token.Claims{Scope: token.Scope{Root: "town"}}
	if put != "-" {
		c.Put = []protocol.Path{put}
	}
	if get != "-" {
		c.Get = []protocol.Path{get}
	}
	return c
}

func TestTokensOpenTheDoorTheyName(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		r, sign := guarded(t)
		refused := func(name, jwt string, role protocol.Role) {
			t.Helper()
			var err error
			// webtransport-go may see the end of the CONNECT stream before the
			// capsule on it that says why; asked again, it is told again.
			for range 5 {
				s, failed := client.Dial(within(t), r.URL(), client.Options{Transport: transport, Token: jwt, Role: role})
				if err = failed; err == nil { // native QUIC hears of it only after the handshake
					<-s.Done()
					err = s.Err()
				}
				if !errors.Is(err, client.ErrUnreachable) {
					break
				}
			}
			if !errors.Is(err, client.ErrNotAllowed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		refused("no token", "", protocol.RoleBoth)
		refused("garbage", "a.b.c", protocol.RoleBoth)
		refused("forged", sign(scope("", ""))+"x", protocol.RoleBoth)
		expired := scope("", "")
		expired.Expires = time.Now().Add(-time.Minute)
		refused("expired", sign(expired), protocol.RoleBoth)
		early := scope("", "")
		early.NotBefore = time.Now().Add(time.Hour)
		refused("not valid yet", sign(early), protocol.RoleBoth)
		refused("listener who would speak", sign(scope("-", "")), protocol.RolePublisher)
		refused("speaker who would listen", sign(scope("ada", "-")), protocol.RoleSubscriber)

		v := newVoice(t, "town/ada")
		v.publish(r.URL(), client.Options{Transport: transport, Token: sign(scope("ada", "-"))})
		v.speak(1)
		listener := dial(t, r.URL(), client.Options{Transport: transport, Token: sign(scope("-", ""))})
		e, _ := subscribe(t, listener, "town/ada", protocol.TrackAudio, protocol.Delivery{})
		e.wait(t, 1)
		if _, err := listener.TrackInfo(within(t), "other/eve", protocol.TrackAudio); !errors.Is(err, &session.ResetError{Code: protocol.CodeUnauthorized}) {
			t.Errorf("another room: %v", err)
		}
	})
}

func TestSessionEndsWithItsToken(t *testing.T) {
	r, sign := guarded(t)
	c := scope("", "")
	c.Expires = time.Now().Add(2 * time.Second) // whole seconds
	s := dial(t, r.URL(), client.Options{Token: sign(c)})
	select {
	case <-s.Done():
	case <-time.After(15 * time.Second):
		t.Fatal("the session outlives its token")
	}
	if err := s.Err(); !errors.Is(err, client.ErrNotAllowed) || !strings.Contains(err.Error(), "token expired") {
		t.Errorf("told %v", err)
	}
}

func TestConnectIsRefusedBeforeThereIsASession(t *testing.T) {
	r := start(t, relay.Config{AllowedOrigins: []string{"https://rooms.example"}})
	tests := []struct {
		name      string
		protocols []string
		origin    string
		path      string
		status    int
	}{
		{"no subprotocol in common", []string{"moqt-17", "moql"}, "", "/", http.StatusBadRequest},
		{"foreign page", []string{"moq-lite-05"}, "https://evil.example", "/", http.StatusForbidden},
		{"33 segments", []string{"moq-lite-05"}, "", strings.Repeat("/a", 33), http.StatusBadRequest},
		{"the page that may", []string{"moqt-17", "moq-lite-05"}, "https://rooms.example", "/town", http.StatusOK},
		{"no page", []string{"moq-lite-04"}, "", "/", http.StatusOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &webtransport.Transport{
				TLSClientConfig:      &tls.Config{InsecureSkipVerify: true, NextProtos: []string{http3.NextProtoH3}},
				QUICConfig:           &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true},
				ApplicationProtocols: tt.protocols,
			}
			defer func() { _ = d.Close() }()
			header := http.Header{}
			if tt.origin != "" {
				header.Set("Origin", tt.origin)
			}
			resp, s, err := d.Dial(within(t), r.URL()+tt.path, header)
			if resp == nil || resp.StatusCode != tt.status {
				t.Fatalf("%v, %v; want %d", resp, err, tt.status)
			}
			if s != nil {
				if got := s.SessionState().ApplicationProtocol; got != tt.protocols[len(tt.protocols)-1] {
					t.Errorf("subprotocol %q", got)
				}
				_ = s.CloseWithError(0, "")
			}
		})
	}
}

func TestWrongALPNAndNoDatagramsAreRefused(t *testing.T) {
	r := start(t, relay.Config{})
	addr := strings.TrimPrefix(r.URL(), "https://")
	conf := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"moq-00"}}
	_, err := quic.DialAddr(within(t), addr, conf, nil)
	var alert *quic.TransportError
	if !errors.As(err, &alert) || !alert.ErrorCode.IsCryptoError() {
		t.Errorf("wrong ALPN: %v", err)
	}
	conf.NextProtos = []string{"moq-lite-05"}
	conn, err := quic.DialAddr(within(t), addr, conf, &quic.Config{EnableDatagrams: false})
	if err != nil {
		t.Fatal(err)
	}
	<-conn.Context().Done()
	var app *quic.ApplicationError
	if err := context.Cause(conn.Context()); !errors.As(err, &app) || !strings.Contains(app.ErrorMessage, "datagrams") {
		t.Errorf("no datagrams: %v", err)
	}
}

func TestNamesInOtherScriptsAndWithSpaces(t *testing.T) {
	r := start(t, relay.Config{})
	for _, path := range []protocol.Path{"Rathaus Süd/Jürgen Müller", "集会/小林", "town/" + protocol.Path(strings.Repeat("x", 300))} {
		v := newVoice(t, path)
		v.publish(r.URL(), client.Options{})
		v.speak(1)
		e, _ := subscribe(t, dial(t, r.URL(), client.Options{}), path, protocol.TrackAudio, protocol.Delivery{})
		e.wait(t, 1)
	}
}

func TestIdentitySurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	var hashes [2]string
	for i := range hashes {
		ready := make(chan struct{})
		r, err := relay.New(relay.Config{Listen: "127.0.0.1:0", Open: true, DataDir: dir, OnReady: func(*relay.Relay) { close(ready) }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		<-ready
		hashes[i] = r.CertificateSHA256()
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	if hashes[0] != hashes[1] || len(hashes[0]) != 64 {
		t.Errorf("certificates %v", hashes)
	}
}
