package hop

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stentor-audio/stentor/bench/process"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/token"
)

// Room is where everybody meets. It and the relays are called as in a simulation of
// the same network (package sim), so that both put the room on the same relays.
const Room = "room-1"

// zones are where relays stand, in turn.
const zones = 3

// nameOf is the zone of a relay, counted from 0, and its name.
func nameOf(number int) (zone, name string) {
	zone = fmt.Sprintf("zone%d", number%zones+1)
	return zone, fmt.Sprintf("%s-%d", zone, number/zones+1)
}

// A relay is one process at a time under one name.
type relay struct {
	name, zone            string
	host                  host
	listen, gossip, admin string
	args                  []string
	executable            string

	child *process.Child // nil: it is down
	url   string
}

// The files in a run's folder: the key that its relays share, and the one that
// vouches for the speaker. Everybody may listen.
const (
	gossipKey  = "gossip.key"
	speakerKey = "speaker.jwk"
)

// writeKeys draws both: relays that others could reach want them. It returns the
// speaker's token.
func writeKeys(dir string) (jwt string, err error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	if err := os.WriteFile(filepath.Join(dir, gossipKey), []byte(hex.EncodeToString(key)+"\n"), 0o600); err != nil {
		return "", err
	}
	signs, err := token.Generate("ES256", "bench", nil)
	if err != nil {
		return "", err
	}
	public, err := signs.Public()
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(public)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, speakerKey), b, 0o600); err != nil {
		return "", err
	}
	return token.Sign(signs, token.Claims{
		Scope: token.Scope{Root: Room, Put: []protocol.Path{speaker}, Get: []protocol.Path{""}},
		Role:  token.RoleSpeaker, Name: speaker, Subject: speaker,
	})
}

// newRelay prepares a relay that joins the others' gossip at seeds. In dir it
// finds the key and keeps what it has from one life to the next.
func newRelay(s *site, o Options, number int, dir string, seeds []string) (*relay, error) {
	h, err := s.host()
	if err != nil {
		return nil, err
	}
	r := &relay{host: h, executable: o.Executable}
	r.zone, r.name = nameOf(number)
	if r.listen, r.gossip, r.admin, err = h.ports(); err != nil {
		return nil, err
	}
	r.args = []string{"relay", "--open=listen", "--keys", filepath.Join(dir, speakerKey), "--name", r.name, "--zone", r.zone, "--listen", r.listen, "--http", "",
		"--admin", r.admin, "--gossip", r.gossip, "--gossip-key", filepath.Join(dir, gossipKey),
		"--data-dir", filepath.Join(dir, r.name), "--log-level", o.logLevel()}
	for flag, value := range map[string]int{"--degree": o.Degree, "--capacity": o.Capacity, "--egress": o.Egress} {
		if value != 0 {
			r.args = append(r.args, flag, strconv.Itoa(value))
		}
	}
	for _, seed := range seeds {
		r.args = append(r.args, "--join", seed)
	}
	return r, nil
}

// start starts the process.
func (r *relay) start(ctx context.Context) error {
	child, err := process.Start(ctx, process.Options{Path: r.executable, Args: r.args, Thread: r.host.thread(), ReadyWithin: 20 * time.Second})
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	_, address, ok := strings.Cut(child.Ready(), " ") // NAME URL
	if !ok {
		_ = child.Stop()
		return fmt.Errorf("%s: its ready line has no URL: %q", r.name, child.Ready())
	}
	r.child, r.url = child, address
	return nil
}

// strike lets something happen to the relay.
func (r *relay) strike(ctx context.Context, cause Cause, deadline time.Duration) error {
	switch cause {
	case Kill:
		if err := r.child.Signal(syscall.SIGKILL); err != nil {
			return err
		}
		<-r.child.Done()
		r.child = nil
		return nil
	case Freeze:
		return r.child.Freeze()
	case Cut:
		if r.host.wire == nil {
			return fmt.Errorf("%s: %w: nobody can be cut off the loopback", r.name, ErrOptions)
		}
		r.host.wire.Cut()
		return nil
	case Drain:
		// The answer comes when it is done, and not later than that.
		body := fmt.Sprintf(`{"deadline_ms":%d}`, min(deadline, askWithin/2).Milliseconds())
		return r.ask(ctx, http.MethodPost, "/v1/drain", body, nil)
	}
	return fmt.Errorf("%w: nothing is called %q", ErrOptions, cause)
}

// restore ends what strike began.
func (r *relay) restore(ctx context.Context, cause Cause) error {
	switch cause {
	case Kill:
		return r.start(ctx)
	case Freeze:
		return r.child.Thaw()
	case Cut:
		r.host.wire.Mend()
		return nil
	}
	return r.ask(ctx, http.MethodPost, "/v1/undrain", "", nil)
}

// tree asks the relay how the room gets to everybody.
func (r *relay) tree(ctx context.Context) (Tree, error) {
	var t Tree
	err := r.ask(ctx, http.MethodGet, "/v1/tree?room="+url.QueryEscape(Room), "", &t)
	return t, err
}

// members are the loads, in percent, of the relays that this one knows to be ready,
// by their names, its own included.
func (r *relay) members(ctx context.Context) (map[string]int, error) {
	var known struct {
		Members []struct {
			Name  string `json:"name"`
			State string `json:"state"`
			Load  int    `json:"load"`
		} `json:"members"`
	}
	if err := r.ask(ctx, http.MethodGet, "/v1/members", "", &known); err != nil {
		return nil, err
	}
	ready := make(map[string]int)
	for _, m := range known.Members {
		if m.State == "ready" {
			ready[m.Name] = m.Load
		}
	}
	return ready, nil
}

// askWithin bounds a request to an admin address.
const askWithin = 30 * time.Second

// ask sends a request to the admin address, from within the relay's host, and
// reads the JSON of the answer into answer.
func (r *relay) ask(ctx context.Context, method, path, body string, answer any) error {
	ctx, stop := context.WithTimeout(ctx, askWithin)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.admin+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: r.host.dial}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(http.MaxBytesReader(nil, resp.Body, 4<<20)); err != nil {
		return fmt.Errorf("%s: %s: %w", r.name, path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: it answered %s: %s", r.name, path, resp.Status, strings.TrimSpace(b.String()))
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(b.Bytes(), answer); err != nil {
		return fmt.Errorf("%s: %s: %w", r.name, path, err)
	}
	return nil
}

// leave lets the relay drain and end, as SIGTERM does. One that has not gone long
// after its deadline is an error.
func (r *relay) leave(ctx context.Context) error {
	if err := r.child.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	select {
	case <-r.child.Done():
		r.child = nil
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(leaveWithin):
		return fmt.Errorf("%s: it was told to drain and end %v ago, and is still there", r.name, leaveWithin)
	}
}

// leaveWithin is more than a relay gives its sessions to go.
const leaveWithin = 60 * time.Second

// close ends the process, if there is one.
func (r *relay) close() {
	if r.child != nil {
		_ = r.child.Thaw()
		_ = r.child.Stop()
	}
}
