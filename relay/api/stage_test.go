package api

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCommandsOverHTTP(t *testing.T) {
	for _, tt := range []struct {
		name, method, target, token, origin, body string
		status                                    int
		want                                      string
	}{
		{"create", "POST", "/v1/rooms", "host", "", `{"room":"hall","title":"x"}`, 200, `"room":"hall"`},
		{"in the URL", "POST", "/v1/rooms/hall/invite?jwt=host", "", "", `{"who":"bob"}`, 200, `"name":"bob"`},
		{"hand", "POST", "/v1/rooms/hall/hands", "host", "", `{"up":true}`, 200, `"hands":1`},
		{"lowered", "POST", "/v1/rooms/hall/hands", "host", "", `{"up":false}`, 200, `"hands":0`},
		{"own origin", "POST", "/v1/rooms/hall/hands", "host", "http://example.com", `{}`, 200, `"hands":1`},
		{"another page", "POST", "/v1/rooms/hall/hands", "host", "https://evil.example", `{}`, 403, `not_allowed`},
		{"another page's state", "POST", "/v1/rooms/hall/state", "host", "https://evil.example", `{}`, 403, `not_allowed`},
		{"bad token", "POST", "/v1/rooms/hall/end", "bad", "", `{}`, 401, `not_allowed`},
		{"another room's", "POST", "/v1/rooms/hall/end", "elsewhere", "", `{}`, 403, `not_allowed`},
		{"too fast", "POST", "/v1/rooms/hall/end", "fast", "", `{}`, 429, `too_fast`},
		{"not JSON", "POST", "/v1/rooms/hall/end", "host", "", `end`, 400, `bad_request`},
		{"unknown verb", "POST", "/v1/rooms/hall/explode", "host", "", `{}`, 404, `not_found`},
		{"hands of a host", "GET", "/v1/rooms/hall/hands", "host", "", ``, 200, `"hands":[],"raised":[]`},
		{"me", "GET", "/v1/rooms/hall/me", "host", "", ``, 200, `"room":"hall"`},
		{"me without a token that is one", "GET", "/v1/rooms/hall/me", "bad", "", ``, 401, `not_allowed`},
		{"me of another page", "GET", "/v1/rooms/hall/me", "host", "https://evil.example", ``, 403, `not_allowed`},
		{"me too fast", "GET", "/v1/rooms/hall/me?jwt=fast", "", "", ``, 429, `too_fast`},
		{"hands of another", "GET", "/v1/rooms/hall/hands", "", "", ``, 403, `not_allowed`},
		{"state", "GET", "/v1/rooms/hall/state", "host", "", ``, 200, `"room":"hall"`},
		{"offer", "POST", "/v1/rooms/hall/state", "host", "", `{"room":"hall"}`, 200, `{}`},
		{"offer of another", "POST", "/v1/rooms/hall/state", "host", "", `{"room":"moon"}`, 400, `bad_request`},
		{"a long offer", "POST", "/v1/rooms/hall/state", "host", "", `{"room":"hall"}` + strings.Repeat(" ", 100<<10), 200, `{}`},
		{"too long an offer", "POST", "/v1/rooms/hall/state", "host", "", strings.Repeat(" ", 5<<20), 400, `4 MiB`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := httptest.NewRequest(tt.method, tt.target, strings.NewReader(tt.body))
			if tt.token != "" {
				req.Header.Set("Authorization", "Bearer "+tt.token)
			}
			if tt.origin != "" {
				req.Header.Set("Origin", tt.origin)
			}
			w := httptest.NewRecorder()
			Public(town{}).ServeHTTP(w, req)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("%d %s, want %d and %s", w.Code, w.Body, tt.status, tt.want)
			}
			if (w.Code == 429) != (w.Header().Get("Retry-After") != "") {
				t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
			}
		})
	}
	w := httptest.NewRecorder()
	Public(town{}).ServeHTTP(w, httptest.NewRequest("OPTIONS", "/v1/rooms/hall/mute", nil))
	if w.Code != 204 || !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "authorization") {
		t.Errorf("preflight: %d %v", w.Code, w.Header())
	}
}
