package relay

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkLobby is what an answer of the lobby takes: of a relay that stands
// alone, of one in a network, and of that over a connection that is kept, with
// whoever asks on the same processors.
func BenchmarkLobby(b *testing.B) {
	const path = "/v1/rooms/town/relays?purpose=listen"
	serving := func(b *testing.B, cfg Config) http.Handler {
		cfg.Listen, cfg.Open, cfg.Name = "127.0.0.1:0", true, "relay-a"
		r, err := New(cfg)
		if err != nil {
			b.Fatal(err)
		}
		r.state.Set(Ready)
		b.Cleanup(func() {
			if r.mesh != nil {
				r.mesh.close()
				_ = r.mesh.directory.Close()
			}
			r.origin.Close()
			r.closeSockets()
		})
		return r.public()
	}
	for name, cfg := range map[string]Config{"alone": {}, "network": {Gossip: "127.0.0.1:0"}} {
		b.Run(name, func(b *testing.B) {
			h := serving(b, cfg)
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
				if w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
	b.Run("http", func(b *testing.B) {
		server := httptest.NewServer(serving(b, Config{Gossip: "127.0.0.1:0"}))
		defer server.Close()
		for b.Loop() {
			resp, err := http.Get(server.URL + path)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
}
