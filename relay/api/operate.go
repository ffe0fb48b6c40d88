package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Operated is what the admin HTTP needs of a relay.
type Operated interface {
	// TakesNewcomers reports whether the relay is ready and has room.
	TakesNewcomers() bool
	// Members are the relays of the network, by name.
	Members() []Peer
	// Tree is how a room gets from its roots to the relays that take part.
	Tree(ctx context.Context, room string) (Tree, error)
	// Drain moves every session to other relays; Undrain takes newcomers again.
	Drain(ctx context.Context, deadline time.Duration) (Drained, error)
	Undrain() error
}

// A Peer is a relay of the network as its operator sees it.
type Peer struct {
	Member
	State    string    `json:"state"`
	Addr     string    `json:"addr"` // where relays reach it
	Capacity int       `json:"capacity"`
	Started  time.Time `json:"started"`
	Version  string    `json:"version"`
	Self     bool      `json:"self,omitempty"` // the relay that was asked
}

// A Tree is one room in the network.
type Tree struct {
	Room  string `json:"room"`
	Red   string `json:"red"` // root of each colour
	Blue  string `json:"blue"`
	Nodes []Node `json:"nodes"`
}

// A Node is a relay's part in a room.
type Node struct {
	Relay     string   `json:"relay"`
	Zone      string   `json:"zone"`
	State     string   `json:"state"`
	Load      int      `json:"load"`
	Parents   []string `json:"parents"` // red, blue; a root has none of its colour
	Listeners int      `json:"listeners"`
	Speakers  []string `json:"speakers"` // who publish there first-hand
	// Tracks are those that are open there, by speaker.
	Tracks   map[string][]string `json:"tracks,omitempty"`
	Groups   uint64              `json:"groups"`   // taken of the audio tracks
	Repaired uint64              `json:"repaired"` // fetched, because they came by neither way
	Lost     uint64              `json:"lost"`     // groups that its listeners should have had
}

// Drained is what became of a relay's sessions.
type Drained struct {
	Moved      int    `json:"moved"`  // went on elsewhere
	Closed     int    `json:"closed"` // did not in time, and were closed
	Stayed     int    `json:"stayed"` // the drain was called off
	FramesLost uint64 `json:"frames_lost"`
	TookMS     int64  `json:"took_ms"`
}

// ErrUnknownRoom says that a room is not live in the network.
var ErrUnknownRoom = errors.New("not a live room")

func serveTree(w http.ResponseWriter, req *http.Request, r Operated) {
	room := req.URL.Query().Get("room")
	if room == "" {
		writeError(w, http.StatusBadRequest, "bad_request", "give ?room=NAME")
		return
	}
	tree, err := r.Tree(req.Context(), room)
	switch {
	case errors.Is(err, ErrUnknownRoom):
		writeError(w, http.StatusNotFound, "not_found", "room "+strconv.Quote(clip(room))+" is not live in this network")
	case err != nil:
		writeError(w, http.StatusServiceUnavailable, "unavailable", err.Error())
	default:
		writeJSON(w, http.StatusOK, tree)
	}
}

// maxDrain is how long a drain may take.
const maxDrain = time.Hour

func serveDrain(w http.ResponseWriter, req *http.Request, r Operated) {
	body := struct {
		DeadlineMS int64 `json:"deadline_ms"`
	}{DeadlineMS: 30_000}
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil && !errors.Is(err, io.EOF) {
		writeError(w, http.StatusBadRequest, "bad_request", "the body is not JSON such as {\"deadline_ms\":30000}")
		return
	}
	deadline := time.Duration(body.DeadlineMS) * time.Millisecond
	if body.DeadlineMS < 1 || body.DeadlineMS > maxDrain.Milliseconds() {
		writeError(w, http.StatusBadRequest, "bad_request", fmt.Sprintf("deadline_ms is %d: want 1 to %d", body.DeadlineMS, maxDrain.Milliseconds()))
		return
	}
	// Whoever asked may hang up; the drain goes on.
	d, err := r.Drain(context.WithoutCancel(req.Context()), deadline)
	if err != nil {
		writeError(w, http.StatusConflict, "conflict", err.Error())
		return
	}
	writeJSON(w, http.StatusOK, d)
}
