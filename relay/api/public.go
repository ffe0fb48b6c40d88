package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stentor-audio/stentor/relay/stage"
)

// A Relay is what the public HTTP shows.
type Relay interface {
	// CertificateSHA256 is the hash of the certificate in use, in hex.
	CertificateSHA256() string
	// Self describes this relay to a client that looks for one.
	Self() Member
	// Rooms are the live rooms of the network, by name.
	Rooms(ctx context.Context) []Room
	// Room is one of them, [ErrUnknownRoom] if it is not live.
	Room(ctx context.Context, name string) (Room, error)
	// Lobby says where a newcomer to a room goes.
	Lobby(room string, q LobbyQuery) Lobby
	// Open reports whether everybody may speak and listen without a token.
	Open() bool
	Stage
}

// A Member is a relay that a client may connect to.
type Member struct {
	Name              string `json:"name"`
	URL               string `json:"url"`
	Zone              string `json:"zone"`
	CertificateSHA256 string `json:"certificate_sha256"`
	// CertificatesSHA256 are that and those around a rotation: whoever comes back
	// later may be shown one of them.
	CertificatesSHA256 []string `json:"certificates_sha256,omitempty"`
	Load               int      `json:"load"` // percent
	Packet             string   `json:"packet"`
}

// A LobbyQuery is what a newcomer says of itself.
type LobbyQuery struct {
	Speak   bool     // it comes to publish
	Count   int      // relays wanted; zero is up to the lobby
	Zone    string   // its own, if it knows
	Exclude []string // relays it does not want
}

// A Lobby is where a newcomer goes, best first: to connect to the first, and to
// stand by at the second. With none, it asks again after a while.
type Lobby struct {
	Relays       []Member `json:"relays"`
	RetryAfterMS int64    `json:"retry_after_ms"`
	// Gone are names of relays that have fallen silent: a session that stands by
	// there is not worth keeping.
	Gone []string `json:"gone,omitempty"`
	// Cold asks clients to stand by without a session, because the relays have
	// little to spare. It is only in what sessions are told.
	Cold bool `json:"cold,omitempty"`
	// Starts is when a room that was announced begins, in UTC. It is only in what
	// the lobby says, where the relay knows it; sessions have the track state.
	Starts *time.Time `json:"starts,omitempty"`
}

// An Error is how every refusal reads.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// maxBody is the longest request body that is read.
const maxBody = 64 << 10

// Public returns the HTTP that everybody may use.
func Public(r Relay) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, req *http.Request) { servePage(w, req, r, "") })
	mux.HandleFunc("GET /r/{room}", func(w http.ResponseWriter, req *http.Request) { servePage(w, req, r, req.PathValue("room")) })
	mux.HandleFunc("GET /assets/{file}", serveAsset)
	mux.HandleFunc("GET /certificate.sha256", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		_, _ = io.WriteString(w, r.CertificateSHA256()) // no newline: clients parse it as it is
	})
	mux.HandleFunc("GET /v1/rooms", func(w http.ResponseWriter, req *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"rooms": r.Rooms(req.Context())})
	})
	mux.HandleFunc("GET /v1/rooms/{room}", func(w http.ResponseWriter, req *http.Request) { serveRoom(w, req, r) })
	mux.HandleFunc("GET /v1/rooms/{room}/relays", func(w http.ResponseWriter, req *http.Request) { serveRelays(w, req, r) })
	handleStage(mux, r)
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		writeError(w, http.StatusNotFound, "not_found", "there is nothing at "+req.Method+" "+clip(req.URL.Path))
	})
	return limitBody(mux)
}

func limitBody(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		most, words := int64(maxBody), "64 KiB"
		if isOffer(req) {
			most, words = stage.MaxSize, "4 MiB"
		}
		if req.ContentLength > most {
			writeError(w, http.StatusBadRequest, "too_large", "the body is above "+words)
			return
		}
		if req.Body != nil {
			req.Body = http.MaxBytesReader(w, req.Body, most)
		}
		h.ServeHTTP(w, req)
	})
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that is gone needs no answer
}

// writeError answers with the form every refusal has.
func writeError(w http.ResponseWriter, status int, code, message string) {
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, status, map[string]Error{"error": {Code: code, Message: message}})
}

func serveRoom(w http.ResponseWriter, req *http.Request, r Relay) {
	name := req.PathValue("room")
	room, err := r.Room(req.Context(), name)
	switch {
	case errors.Is(err, ErrUnknownRoom):
		writeError(w, http.StatusNotFound, "not_found", "nobody speaks in room "+strconv.Quote(clip(name)))
	case err != nil:
		writeError(w, http.StatusServiceUnavailable, "unavailable", err.Error())
	default:
		writeJSON(w, http.StatusOK, room)
	}
}

// serveRelays tells a client where to connect. It is stateless and may be cached
// for a second.
func serveRelays(w http.ResponseWriter, req *http.Request, r Relay) {
	q := req.URL.Query()
	ask := LobbyQuery{Zone: q.Get("zone")}
	switch purpose := q.Get("purpose"); purpose {
	case "", "listen":
	case "speak":
		ask.Speak = true
	default:
		writeError(w, http.StatusBadRequest, "bad_request", "purpose is "+strconv.Quote(clip(purpose))+": want listen or speak")
		return
	}
	if n := q.Get("n"); n != "" {
		v, err := strconv.Atoi(n)
		if err != nil || v < 1 || v > 16 {
			writeError(w, http.StatusBadRequest, "bad_request", "n is "+strconv.Quote(clip(n))+": want 1 to 16")
			return
		}
		ask.Count = v
	}
	for _, names := range q["exclude"] {
		ask.Exclude = append(ask.Exclude, strings.Split(names, ",")...)
	}
	if len(ask.Exclude) > maxExclude {
		writeError(w, http.StatusBadRequest, "bad_request", "more than "+strconv.Itoa(maxExclude)+" relays to exclude")
		return
	}
	w.Header().Set("Cache-Control", "max-age=1")
	writeJSON(w, http.StatusOK, r.Lobby(req.PathValue("room"), ask))
}

// maxExclude is how many relays a newcomer may not want.
const maxExclude = 64
