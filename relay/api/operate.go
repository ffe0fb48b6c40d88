package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
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
	// Drain has a relay, by its name, move every session to others; Undrain has it
	// take newcomers again. "" is the relay itself. The error may be an
	// [UnknownRelayError], or [ErrUnreachable].
	Drain(ctx context.Context, relay string, deadline time.Duration) (Drained, error)
	Undrain(ctx context.Context, relay string) error
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

var (
	// ErrUnknownRoom says that a room is not live in the network.
	ErrUnknownRoom = errors.New("not a live room")
	// ErrUnreachable says that another relay could not be asked.
	ErrUnreachable = errors.New("the relay cannot be asked")
)

// An UnknownRelayError says that nobody has that name.
type UnknownRelayError struct {
	Name  string
	Known []string // who is there
}

func (e *UnknownRelayError) Error() string {
	return fmt.Sprintf("no relay of the network is called %q; there are: %s", clip(e.Name), strings.Join(e.Known, ", "))
}

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

// MaxDrain is how long a drain may take.
const MaxDrain = time.Hour

// order is the body of a command to a relay.
type order struct {
	Relay      string `json:"relay"` // its name; "" is the one that is asked
	DeadlineMS int64  `json:"deadline_ms"`
}

// readOrder reads the body over what it says when it is empty.
func readOrder(w http.ResponseWriter, req *http.Request, o *order) bool {
	if err := json.NewDecoder(req.Body).Decode(o); err != nil && !errors.Is(err, io.EOF) {
		writeError(w, http.StatusBadRequest, "bad_request", "the body is not JSON such as {\"relay\":\"relay-a\",\"deadline_ms\":30000}")
		return false
	}
	return true
}

// writeRefusal says why a command was not done.
func writeRefusal(w http.ResponseWriter, err error) {
	var unknown *UnknownRelayError
	switch {
	case errors.As(err, &unknown):
		writeError(w, http.StatusNotFound, "not_found", err.Error())
	case errors.Is(err, ErrUnreachable):
		writeError(w, http.StatusServiceUnavailable, "unavailable", err.Error())
	default:
		writeError(w, http.StatusConflict, "conflict", err.Error())
	}
}

func serveDrain(w http.ResponseWriter, req *http.Request, r Operated) {
	o := order{DeadlineMS: 30_000}
	if !readOrder(w, req, &o) {
		return
	}
	if o.DeadlineMS < 1 || o.DeadlineMS > MaxDrain.Milliseconds() {
		writeError(w, http.StatusBadRequest, "bad_request", fmt.Sprintf("deadline_ms is %d: want 1 to %d", o.DeadlineMS, MaxDrain.Milliseconds()))
		return
	}
	// Whoever asked may hang up; the drain goes on.
	d, err := r.Drain(context.WithoutCancel(req.Context()), o.Relay, time.Duration(o.DeadlineMS)*time.Millisecond)
	if err != nil {
		writeRefusal(w, err)
		return
	}
	writeJSON(w, http.StatusOK, d)
}

func serveUndrain(w http.ResponseWriter, req *http.Request, r Operated) {
	var o order
	if !readOrder(w, req, &o) {
		return
	}
	if err := r.Undrain(req.Context(), o.Relay); err != nil {
		writeRefusal(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"state": "ready"})
}
