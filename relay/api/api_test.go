package api

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// town is a relay with one room, whose names are meant to break a page.
type town struct{ full bool }

const evil = `<script>alert("x")</script>`

func (town) CertificateSHA256() string { return "00ff" }
func (town) Self() Member {
	return Member{Name: "relay-a", URL: "https://127.0.0.1:4443", Zone: "par", CertificateSHA256: "00ff", Load: 37, Packet: "60ms"}
}
func (town) Rooms() []Room {
	return []Room{{Room: "town", State: "live", Listeners: 2, Speakers: []Speaker{{Name: evil, Tracks: []string{"audio/data"}}}}}
}
func (t town) TakesNewcomers() bool { return !t.full }

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
		{"page", "GET", "/", false, 200, "<title>Stentor relay relay-a</title>"},
		{"page of a room", "GET", "/r/town", false, 200, "--room town"},
		{"page of a room nobody speaks in", "GET", "/r/moon", false, 200, "Nobody speaks in moon yet"},
		{"page of an evil room", "GET", "/r/%3Cscript%3E", false, 200, "&lt;script&gt;"},
		{"rooms", "GET", "/v1/rooms", false, 200, `"listeners":2`},
		{"a room", "GET", "/v1/rooms/town", false, 200, `"state":"live"`},
		{"no such room", "GET", "/v1/rooms/moon", false, 404, `"code":"not_found"`},
		{"relays", "GET", "/v1/rooms/town/relays?purpose=listen&n=3", false, 200, `"retry_after_ms":0`},
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
		target string
		ready  bool
		status int
		body   string
	}{
		{"/healthz", false, 200, "alive"},
		{"/readyz", true, 200, "ready"},
		{"/readyz", false, 503, "takes no newcomers"},
		{"/metrics", true, 200, "stentor_test 0"},
		{"/debug/pprof/", true, 200, "goroutine"},
		{"/nothing", true, 404, "not_found"},
	} {
		resp, body := ask(t, Admin(registry, func() bool { return tt.ready }), "GET", tt.target, nil)
		if resp.StatusCode != tt.status || !strings.Contains(body, tt.body) {
			t.Errorf("%s with ready %v: %d %q", tt.target, tt.ready, resp.StatusCode, body)
		}
		if tt.status == 503 && resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", tt.target)
		}
	}
}
