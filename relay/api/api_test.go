package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

// town is a relay with one room, whose names are meant to break a page.
type town struct{ full bool }

const evil = `<script>alert("x")</script>`

func (town) CertificateSHA256() string { return "00ff" }
func (town) Self() Member {
	return Member{Name: "relay-a", URL: "https://127.0.0.1:4443", Zone: "par", CertificateSHA256: "00ff", Load: 37, Packet: "60ms"}
}
func (town) Rooms(context.Context) []Room {
	return []Room{{Room: "town", State: "live", Listeners: 2, Speakers: []Speaker{{Name: evil, Tracks: []string{"audio/data"}}}}}
}
func (t town) Room(ctx context.Context, name string) (Room, error) {
	switch name {
	case "town":
		return t.Rooms(ctx)[0], nil
	case "cut-off":
		return Room{}, errors.New("its roots cannot be asked")
	}
	return Room{}, ErrUnknownRoom
}
func (t town) Lobby(room string, q LobbyQuery) Lobby {
	if t.full || slices.Contains(q.Exclude, "relay-a") {
		return Lobby{Relays: []Member{}, RetryAfterMS: 1000}
	}
	m := t.Self()
	m.URL += "/" + room
	return Lobby{Relays: []Member{m}}
}
func (town) Members() []Peer { return []Peer{{Member: town{}.Self(), State: "ready", Self: true}} }
func (town) Tree(_ context.Context, room string) (Tree, error) {
	if room != "town" {
		return Tree{}, ErrUnknownRoom
	}
	return Tree{Room: room, Red: "relay-a"}, nil
}
func (t town) Drain(_ context.Context, relay string, deadline time.Duration) (Drained, error) {
	if err := t.find(relay); err != nil {
		return Drained{}, err
	}
	if t.full {
		return Drained{}, errors.New("draining already")
	}
	return Drained{Moved: int(deadline / time.Second)}, nil
}
func (t town) Undrain(_ context.Context, relay string) error {
	if err := t.find(relay); err != nil {
		return err
	}
	if !t.full {
		return errors.New("the relay does not drain")
	}
	return nil
}
func (t town) find(relay string) error {
	switch relay {
	case "", "relay-a":
		return nil
	case "relay-z":
		return ErrUnreachable
	}
	return &UnknownRelayError{Name: relay, Known: []string{"relay-a", "relay-z"}}
}
func (t town) TakesNewcomers() bool { return !t.full }
func (town) Open() bool             { return true }
func (town) Command(_ context.Context, room string, c stage.Command, by By) (stage.View, error) {
	switch by.Token {
	case "fast":
		return stage.View{}, ErrTooFast
	case "bad":
		return stage.View{}, &TokenError{token.ErrSignature}
	case "elsewhere":
		return stage.View{}, &TokenError{token.ErrNothing}
	}
	s, err := stage.State{Room: room}.Apply(stage.Command{Do: stage.Create}, stage.Actor{Subject: "ada", Role: token.RoleHost}, "relay-a", time.Now())
	if err == nil && c.Do != stage.Create {
		s, err = s.Apply(c, stage.Actor{Subject: "ada" + by.As, Role: token.Role(by.Token)}, "relay-a", time.Now())
	}
	return s.View(), err
}
func (t town) Me(ctx context.Context, room string, by By) ([]byte, error) {
	v, err := t.Command(ctx, room, stage.Command{Do: stage.Create}, by)
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}
func (town) Document(_ context.Context, room string, by By) ([]byte, error) {
	if by.Token != "host" {
		return nil, stage.ErrNotAllowed
	}
	return stage.State{Room: room}.Encode()
}
func (town) Offer(_ context.Context, room string, document []byte, _ By) error {
	_, err := stage.Decode(document, room)
	return err
}

func ask(t *testing.T, h http.Handler, method, target string, body io.Reader) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, body))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(b)
}

func TestPublic(t *testing.T) {
	tests := []struct {
		name, method, target string
		full                 bool
		status               int
		body                 string // is contained
	}{
		{"hash without a newline", "GET", "/certificate.sha256", false, 200, "00ff"},
		{"page", "GET", "/", false, 200, "<title>Stentor</title>"},
		{"page of a room", "GET", "/r/town", false, 200, "<title>town · Stentor</title>"},
		{"page of a room nobody speaks in", "GET", "/r/moon", false, 200, "<title>moon · Stentor</title>"},
		{"page of an evil room", "GET", "/r/%3Cscript%3E", false, 200, "&lt;script&gt;"},
		{"rooms", "GET", "/v1/rooms", false, 200, `"listeners":2`},
		{"a room", "GET", "/v1/rooms/town", false, 200, `"state":"live"`},
		{"a room whose roots are gone", "GET", "/v1/rooms/cut-off", false, 503, `cannot be asked`},
		{"no such room", "GET", "/v1/rooms/moon", false, 404, `"code":"not_found"`},
		{"relays", "GET", "/v1/rooms/town/relays?purpose=listen&n=3", false, 200, `"retry_after_ms":0`},
		{"where a room is", "GET", "/v1/rooms/town/relays", false, 200, `"url":"https://127.0.0.1:4443/town"`},
		{"too much excluded", "GET", "/v1/rooms/town/relays?exclude=" + strings.Repeat("a,", 99), false, 400, "64 relays"},
		{"relays but this one", "GET", "/v1/rooms/town/relays?exclude=relay-a", false, 200, `"relays":[]`},
		{"a full relay", "GET", "/v1/rooms/town/relays", true, 200, `"retry_after_ms":1000`},
		{"bad purpose", "GET", "/v1/rooms/town/relays?purpose=dance", false, 400, `want listen or speak`},
		{"bad n", "GET", "/v1/rooms/town/relays?n=0", false, 400, `want 1 to 16`},
		{"huge n", "GET", "/v1/rooms/town/relays?n=99999999999999999999", false, 400, `want 1 to 16`},
		{"nothing there", "GET", "/v2", false, 404, `"code":"not_found"`},
		{"wrong method", "DELETE", "/", false, 404, `DELETE /`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := ask(t, Public(town{tt.full}), tt.method, tt.target, nil)
			if resp.StatusCode != tt.status || !strings.Contains(body, tt.body) {
				t.Errorf("%d, want %d; body lacks %q:\n%s", resp.StatusCode, tt.status, tt.body, body)
			}
			if strings.Contains(body, evil) && resp.Header.Get("Content-Type") != "application/json" {
				t.Error("a speaker's name reaches the page unescaped")
			}
			if tt.status >= 400 {
				var e struct{ Error Error }
				if err := json.Unmarshal([]byte(body), &e); err != nil || e.Error.Code == "" || e.Error.Message == "" {
					t.Errorf("the refusal does not read as one: %v %s", err, body)
				}
			}
		})
	}
}

func TestHashIsExact(t *testing.T) {
	if _, body := ask(t, Public(town{}), "GET", "/certificate.sha256", nil); body != "00ff" {
		t.Errorf("%q", body)
	}
}

func TestLargeBodiesAreRefused(t *testing.T) {
	resp, body := ask(t, Public(town{}), "POST", "/v1/rooms", strings.NewReader(strings.Repeat("x", maxBody+1)))
	if resp.StatusCode != 400 || !strings.Contains(body, "64 KiB") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestAdmin(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "stentor_test"}))
	for _, tt := range []struct {
		method, target, body string
		full                 bool
		status               int
		want                 string
	}{
		{"GET", "/healthz", "", true, 200, "alive"},
		{"GET", "/readyz", "", false, 200, "ready"},
		{"GET", "/readyz", "", true, 503, "takes no newcomers"},
		{"GET", "/metrics", "", false, 200, "stentor_test 0"},
		{"GET", "/debug/pprof/", "", false, 200, "goroutine"},
		{"GET", "/nothing", "", false, 404, "not_found"},
		{"GET", "/v1/members", "", false, 200, `"name":"relay-a"`},
		{"GET", "/v1/tree?room=town", "", false, 200, `"red":"relay-a"`},
		{"GET", "/v1/tree?room=moon", "", false, 404, "not live"},
		{"GET", "/v1/tree", "", false, 400, "?room=NAME"},
		{"POST", "/v1/drain", `{"deadline_ms":5000}`, false, 200, `"moved":5`},
		{"POST", "/v1/drain", "", false, 200, `"moved":30`},
		{"POST", "/v1/drain", "", true, 409, "draining already"},
		{"POST", "/v1/drain", `{"deadline_ms":0}`, false, 400, "want 1 to"},
		{"POST", "/v1/drain", `{"deadline_ms":99999999}`, false, 400, "want 1 to"},
		{"POST", "/v1/drain", `now`, false, 400, "not JSON"},
		{"POST", "/v1/undrain", "", true, 200, `"state":"ready"`},
		{"POST", "/v1/undrain", "", false, 409, "does not drain"},
		{"POST", "/v1/drain", `{"relay":"relay-a"}`, false, 200, `"moved":30`},
		{"POST", "/v1/drain", `{"relay":"relay-x"}`, false, 404, "there are: relay-a, relay-z"},
		{"POST", "/v1/drain", `{"relay":"relay-z"}`, false, 503, "cannot be asked"},
		{"POST", "/v1/drain", `{"relay":7}`, false, 400, "not JSON"},
		{"POST", "/v1/undrain", `{"relay":"relay-a"}`, true, 200, `"state":"ready"`},
		{"POST", "/v1/undrain", `{"relay":"relay-x"}`, true, 404, "relay-x"},
		{"POST", "/v1/undrain", `now`, true, 400, "not JSON"},
		{"GET", "/v1/drain", "", false, 404, "not_found"},
	} {
		resp, body := ask(t, Admin(registry, town{tt.full}), tt.method, tt.target, strings.NewReader(tt.body))
		if resp.StatusCode != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s %s %s: %d %q", tt.method, tt.target, tt.body, resp.StatusCode, body)
		}
		if tt.status == 503 && resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", tt.target)
		}
	}
}
