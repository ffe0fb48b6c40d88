package client

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/protocol"
)

// A relay that says it is full is waited for, however long; one that is not there
// is given up.
func TestFullRelayIsWaitedFor(t *testing.T) {
	h := (&host{status: http.StatusServiceUnavailable, alpn: []string{"h3"}}).start(t)
	enough := errors.New("enough")
	ctx, stop := context.WithTimeoutCause(t.Context(), 1500*time.Millisecond, enough)
	defer stop()
	l, err := NewListener(ListenOptions{
		Room: "town", Relays: []string{h.url()}, ConnectTimeout: 300 * time.Millisecond, Dial: Options{Transport: WebTransport},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Run(ctx); !errors.Is(err, enough) {
		t.Errorf("gave up: %v", err)
	}
	if err := l.LastError(); !errors.Is(err, ErrBusy) || !errors.Is(err, ErrUnreachable) {
		t.Errorf("what it waits for is %v", err)
	}
}

// A GOAWAY for load says so in the fragment of its URI.
func TestGoawayCause(t *testing.T) {
	for _, tt := range []struct {
		uri   string
		cause hop.Cause
		to    string
	}{
		{"", hop.CauseDrain, ""},
		{"https://b.example:4443/town", hop.CauseDrain, "https://b.example:4443/town"},
		{"https://b.example:4443/town#load", hop.CauseLoad, "https://b.example:4443/town"},
		{"#load", hop.CauseLoad, ""},
		{"https://b.example/#elsewhere", hop.CauseDrain, "https://b.example/"},
	} {
		e := (&line{id: 7}).goawayTo(tt.uri)
		if e.Kind != hop.Goaway || e.Session != 7 || e.Cause != tt.cause || !slices.Equal(e.URIs, []string{tt.to}) {
			t.Errorf("%q: %+v", tt.uri, e)
		}
	}
}

// Only who may speak asks for a place that is kept.
func TestMayGoFirst(t *testing.T) {
	jwt := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	}
	for _, tt := range []struct {
		name string
		role protocol.Role
		jwt  string
		want bool
	}{
		{"publisher", protocol.RolePublisher, "", true},
		{"anybody", protocol.RoleBoth, "", false},
		{"listener", protocol.RoleSubscriber, jwt(`{"root":"town","get":[""]}`), false},
		{"speaker who listens", protocol.RoleSubscriber, jwt(`{"root":"town","put":["ada"],"get":[""]}`), true},
		{"one path, not a list", protocol.RoleBoth, jwt(`{"put":"ada"}`), true},
		{"an empty list", protocol.RoleBoth, jwt(`{"put":[]}`), false},
		{"no claims", protocol.RoleBoth, jwt(`[1]`), false},
		{"no token", protocol.RoleBoth, "a.b", false},
		{"no base64", protocol.RoleBoth, "a.!.c", false},
	} {
		e, err := parseURL("https://relay.example/town")
		if err != nil {
			t.Fatal(err)
		}
		if got := mayGoFirst(e.withToken(tt.jwt), Options{Role: tt.role}); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
