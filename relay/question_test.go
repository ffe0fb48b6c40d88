package relay_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stentor-audio/stentor/relay"
)

// TestWouldLetIn asks as a page does that was refused without a word.
func TestWouldLetIn(t *testing.T) {
	origins := start(t, relay.Config{AllowedOrigins: []string{"https://rooms.example"}})
	tokens, sign := guarded(t)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	tests := []struct {
		name   string
		relay  *relay.Relay
		path   string
		origin string
		status int
		answer string
	}{
		{"an open relay", origins, "/town?jwt=", "", 200, `{"put":[""],"get":[""]}`},
		{"an allowed page", origins, "/town?jwt=", "https://rooms.example", 200, `{"put":[""],"get":[""]}`},
		{"another page", origins, "/town?jwt=", "https://evil.example", 403, "this page's origin is not allowed here"},
		{"no token", tokens, "/town?jwt=", "", 401, "token missing"},
		{"garbage for a token", tokens, "/town?jwt=a.b.c", "", 401, ""},
		{"a token for elsewhere", tokens, "/village?jwt=" + sign(scope("", "")), "", 403, "token grants nothing here"},
		{"a token", tokens, "/town?jwt=" + sign(scope("", "")), "", 200, `{"put":[""],"get":[""]}`},
		{"no question", tokens, "/town", "", 404, ""},
		{"a room's page", tokens, "/r/town?jwt=a.b.c", "", 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(within(t), http.MethodGet, tt.relay.URL()+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.origin != "" {
				req.Header.Set("Origin", tt.origin)
			}
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(string(body)); tt.answer != "" && got != tt.answer {
				t.Errorf("answered %q, want %q", got, tt.answer)
			}
			if res.StatusCode != tt.status {
				t.Errorf("answered %d, want %d", res.StatusCode, tt.status)
			}
			if asked := tt.answer != ""; asked && res.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Error("a page may not read the answer")
			}
		})
	}
}
