package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

// A Stage is what the public HTTP needs to change rooms.
type Stage interface {
	// Command has a room's root carry out a command. The error is one of package
	// stage's, a [TokenError], [ErrTooFast], or the relay's own.
	Command(ctx context.Context, room string, c stage.Command, by By) (stage.View, error)
	// Me is what a room is, and what the sender is there, as JSON.
	Me(ctx context.Context, room string, by By) ([]byte, error)
	// Document is all of a room's state, for its hosts.
	Document(ctx context.Context, room string, by By) ([]byte, error)
	// Offer takes a host's copy of a room's state.
	Offer(ctx context.Context, room string, document []byte, by By) error
}

// By is who sent a request.
type By struct {
	Token string
	// As is the name of whom a command comes from on a relay without tokens; ""
	// is its operator.
	As string
	// From is the address it came from.
	From string
}

// ErrTooFast says that somebody gives more commands than one person does.
var ErrTooFast = errors.New("too many commands")

// A TokenError says that a request's token is none, or not for this.
type TokenError struct{ Err error }

func (e *TokenError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong with the token.
func (e *TokenError) Unwrap() error { return e.Err }

// order is the body of a command to a room.
type roomOrder struct {
	Room    string     `json:"room"` // of create only
	Title   string     `json:"title"`
	Starts  time.Time  `json:"starts"`
	Who     string     `json:"who"`
	Role    token.Role `json:"role"`
	Up      *bool      `json:"up"` // of hands only; true if it is absent
	Version uint64     `json:"version"`
	As      string     `json:"as"`
}

// verbs are the last segments of the path of a command.
var verbs = map[string]stage.Verb{
	"start": stage.Start, "end": stage.End, "invite": stage.Invite, "promote": stage.Promote,
	"mute": stage.MuteOn, "unmute": stage.MuteOff, "remove": stage.Remove, "ban": stage.Ban, "unban": stage.Unban,
	"hands": stage.Raise,
}

// handleStage adds what changes rooms.
func handleStage(mux *http.ServeMux, r Relay) {
	mux.HandleFunc("POST /v1/rooms", func(w http.ResponseWriter, req *http.Request) { serveCommand(w, req, r, stage.Create) })
	for word, verb := range verbs {
		mux.HandleFunc("POST /v1/rooms/{room}/"+word, func(w http.ResponseWriter, req *http.Request) { serveCommand(w, req, r, verb) })
	}
	mux.HandleFunc("GET /v1/rooms/{room}/state", func(w http.ResponseWriter, req *http.Request) {
		document, err := r.Document(req.Context(), req.PathValue("room"), by(req, ""))
		if err != nil {
			writeStageError(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(document)
	})
	mux.HandleFunc("GET /v1/rooms/{room}/me", func(w http.ResponseWriter, req *http.Request) { serveMe(w, req, r) })
	mux.HandleFunc("GET /v1/rooms/{room}/hands", func(w http.ResponseWriter, req *http.Request) { serveHands(w, req, r) })
	mux.HandleFunc("POST /v1/rooms/{room}/state", func(w http.ResponseWriter, req *http.Request) { serveOffer(w, req, r) })
	for _, path := range []string{"/v1/rooms", "/v1/rooms/{room}/{command}"} {
		mux.HandleFunc("OPTIONS "+path, servePreflight)
	}
}

// servePreflight lets pages of other origins send a token.
func servePreflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "authorization, content-type")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// by says who sent a request. A token in the URL is for who cannot send headers.
func by(req *http.Request, as string) By {
	who := By{As: as, Token: req.URL.Query().Get("jwt")}
	if scheme, credentials, ok := strings.Cut(req.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		who.Token = strings.TrimSpace(credentials)
	}
	if host, _, err := net.SplitHostPort(req.RemoteAddr); err == nil {
		who.From = host
	}
	return who
}

// foreign reports whether a page of another origin sent the request. On a relay that
// is open to all on its machine no such page may command, for everybody's browser
// would obey it.
func foreign(req *http.Request, r Relay) bool {
	origin := req.Header.Get("Origin")
	if origin == "" || !r.Open() {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != req.Host
}

func serveCommand(w http.ResponseWriter, req *http.Request, r Relay, do stage.Verb) {
	if foreign(req, r) {
		writeError(w, http.StatusForbidden, "not_allowed", "pages of other origins may not command a relay that is --open")
		return
	}
	var o roomOrder
	d := json.NewDecoder(req.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil && !errors.Is(err, io.EOF) {
		writeError(w, http.StatusBadRequest, "bad_request", "the body is not JSON such as {\"who\":\"ada\"}: "+clip(err.Error()))
		return
	}
	room := req.PathValue("room")
	if do == stage.Create {
		room = o.Room
	}
	if do == stage.Raise && o.Up != nil && !*o.Up {
		do = stage.Lower
	}
	c := stage.Command{Do: do, Who: o.Who, Role: o.Role, Title: o.Title, Starts: o.Starts, Version: o.Version}
	v, err := r.Command(req.Context(), room, c, by(req, o.As))
	if err != nil {
		writeStageError(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, v)
}

// serveOffer takes a host's copy of a room. Its body may be longer than others.
func serveOffer(w http.ResponseWriter, req *http.Request, r Relay) {
	if foreign(req, r) {
		writeError(w, http.StatusForbidden, "not_allowed", "pages of other origins may not command a relay that is --open")
		return
	}
	document, err := io.ReadAll(req.Body)
	if err != nil {
		writeError(w, http.StatusBadRequest, "too_large", "the state is above 4 MiB")
		return
	}
	if err := r.Offer(req.Context(), req.PathValue("room"), document, by(req, "")); err != nil {
		writeStageError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, struct{}{})
}

// serveMe tells somebody what they are in a room: for who has no session there, which
// would be told by track `state`.
func serveMe(w http.ResponseWriter, req *http.Request, r Relay) {
	if foreign(req, r) {
		writeError(w, http.StatusForbidden, "not_allowed", "pages of other origins may not ask this of a relay that is --open")
		return
	}
	document, err := r.Me(req.Context(), req.PathValue("room"), by(req, req.URL.Query().Get("as")))
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		writeStageError(w, err)
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(document)
}

// serveHands lists whose hands are up, for hosts and co-hosts.
func serveHands(w http.ResponseWriter, req *http.Request, r Relay) {
	room := req.PathValue("room")
	document, err := r.Document(req.Context(), room, by(req, ""))
	var s stage.State
	if err == nil {
		s, err = stage.Decode(document, room)
	}
	if err != nil {
		writeStageError(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	queue := s.Queue()
	subjects := make([]string, len(queue))
	for i, hand := range queue {
		subjects[i] = hand.Subject
	}
	writeJSON(w, http.StatusOK, map[string]any{"hands": subjects, "raised": queue})
}

// isOffer reports whether a request's body may be as long as a room's state.
func isOffer(req *http.Request) bool {
	return req.Method == http.MethodPost && strings.HasPrefix(req.URL.Path, "/v1/rooms/") && strings.HasSuffix(req.URL.Path, "/state")
}

// refusals are the errors of package stage, and what HTTP makes of them.
var refusals = []struct {
	err    error
	status int
	code   string
}{
	{stage.ErrNotAllowed, http.StatusForbidden, "not_allowed"},
	{stage.ErrBanned, http.StatusForbidden, "banned"},
	{stage.ErrUnknown, http.StatusNotFound, "not_found"},
	{stage.ErrExists, http.StatusConflict, "exists"},
	{stage.ErrEnded, http.StatusGone, "ended"},
	{stage.ErrOutdated, http.StatusConflict, "outdated"},
	{stage.ErrLastHost, http.StatusConflict, "last_host"},
	{stage.ErrFull, http.StatusConflict, "full"},
	{stage.ErrMalformed, http.StatusBadRequest, "bad_request"},
	{ErrTooFast, http.StatusTooManyRequests, "too_fast"},
}

// writeStageError answers with why a command was not carried out.
func writeStageError(w http.ResponseWriter, err error) {
	var bad *TokenError
	switch {
	case errors.As(err, &bad) && errors.Is(err, token.ErrNothing):
		writeError(w, http.StatusForbidden, "not_allowed", err.Error())
		return
	case errors.As(err, &bad):
		w.Header().Set("WWW-Authenticate", "Bearer")
		writeError(w, http.StatusUnauthorized, "not_allowed", err.Error())
		return
	}
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			writeError(w, r.status, r.code, err.Error())
			return
		}
	}
	writeError(w, http.StatusServiceUnavailable, "unavailable", err.Error())
}
