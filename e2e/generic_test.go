package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

const (
	catalogTrack = "catalog.json"
	chatTrack    = "chat"

	chatFrames = 10 // in a group
	chatEvery  = 20 * time.Millisecond
)

// A press publishes what a program of another make might: a catalog, which
// changes seldom, and groups that grow frame by frame.
type press struct {
	name  protocol.Path
	hopID uint64

	mu      sync.Mutex
	frames  map[string]int // published, by track
	changed chan struct{}
}

func newPress() *press {
	return &press{name: "town/press", hopID: client.NewHopID(), frames: make(map[string]int), changed: make(chan struct{})}
}

// groupSize is how many frames a group of a track has.
func groupSize(track string) int {
	if track == chatTrack {
		return chatFrames
	}
	return 1
}

// print publishes the next frame of a track and returns how many that makes.
func (p *press) print(track string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frames[track]++
	close(p.changed)
	p.changed = make(chan struct{})
	return p.frames[track]
}

// published waits until a track has more than n frames.
func (p *press) published(ctx context.Context, track string, n int) bool {
	for {
		p.mu.Lock()
		have, changed := p.frames[track], p.changed
		p.mu.Unlock()
		if have > n {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// frameOf is the n-th frame of a track.
func frameOf(track string, n int) protocol.Frame {
	return protocol.Frame{Timestamp: uint64(n) * 20_000, Payload: fmt.Appendf(nil, "%s %d", track, n)}
}

func (p *press) Announce(ctx context.Context, w *session.AnnounceWriter) error {
	suffix, _ := p.name.TrimPrefix(w.Request.Prefix)
	if err := w.Initial(p.hopID, []protocol.Announce{{Status: protocol.AnnounceActive, Suffix: suffix}}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (p *press) Track(_ context.Context, req protocol.TrackRequest) (protocol.TrackInfo, error) {
	if req.Track != chatTrack && req.Track != catalogTrack {
		return protocol.TrackInfo{}, session.Refuse(protocol.CodeNotFound, "no track %s", req.Track)
	}
	return protocol.TrackInfo{MaxLatency: 10_000, Timescale: 1_000_000}, nil
}

// Subscribe sends the newest group, or those from Group Start on, each as it grows.
func (p *press) Subscribe(ctx context.Context, sub *session.Subscriber) error {
	track := sub.Request.Track
	size := groupSize(track)
	p.mu.Lock()
	next := max(0, p.frames[track]-1) / size
	p.mu.Unlock()
	if start := sub.Request.Start; start.OK {
		next = int(start.Value)
	}
	if err := sub.Accept(); err != nil {
		return err
	}
	for ; p.published(ctx, track, next*size); next++ {
		w, err := sub.OpenGroup(uint64(next))
		if err != nil {
			return err
		}
		if err := p.write(ctx, track, next, w); err != nil {
			return err
		}
	}
	return nil
}

func (p *press) write(ctx context.Context, track string, group int, w *session.GroupWriter) error {
	size := groupSize(track)
	for n := group * size; n < (group+1)*size; n++ {
		if !p.published(ctx, track, n) {
			return ctx.Err()
		}
		if err := w.Write(frameOf(track, n)); err != nil {
			return err
		}
	}
	w.Close()
	return nil
}

func (p *press) Fetch(ctx context.Context, req protocol.Fetch, w *session.GroupWriter) error {
	return p.write(ctx, req.Track, int(req.Group), w)
}

// A reader keeps the frames of each group that comes, and how the group ended.
type reader struct {
	mu     sync.Mutex
	groups map[uint64][]string
	ends   map[uint64][]error // nil is a clean end
}

func (r *reader) Datagram(sequence uint64, f protocol.Frame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.groups[sequence] = append(r.groups[sequence], string(f.Payload))
	r.ends[sequence] = append(r.ends[sequence], nil)
}

func (r *reader) Group(_ context.Context, g *session.GroupReader) {
	for {
		f, err := g.Next()
		r.mu.Lock()
		if err == nil {
			r.groups[g.Sequence] = append(r.groups[g.Sequence], string(f.Payload))
		} else if errors.Is(err, io.EOF) {
			r.ends[g.Sequence] = append(r.ends[g.Sequence], nil)
		} else {
			r.ends[g.Sequence] = append(r.ends[g.Sequence], err)
		}
		r.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// complete reports whether a group has come to an end.
func (r *reader) complete(group int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ends[uint64(group)]) > 0
}

// check looks that these groups came once, with each frame once and in order.
func (r *reader) check(t *testing.T, track string, from, to int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	size := groupSize(track)
	for group := from; group < to; group++ {
		var want []string
		for n := group * size; n < (group+1)*size; n++ {
			want = append(want, string(frameOf(track, n).Payload))
		}
		got, ends := r.groups[uint64(group)], r.ends[uint64(group)]
		if !slices.Equal(got, want) || len(ends) != 1 || ends[0] != nil {
			t.Errorf("%s, group %d: %q, ends %v", track, group, got, ends)
		}
	}
}

// read subscribes to a track of the press at a relay.
func read(t *testing.T, s *client.Session, track string) *reader {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	r := &reader{groups: make(map[uint64][]string), ends: make(map[uint64][]error)}
	if _, err := s.TrackInfo(ctx, "town/press", track); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Subscribe(ctx, protocol.Subscribe{Broadcast: "town/press", Track: track}, r); err != nil {
		t.Fatal(err)
	}
	return r
}

func dial(t *testing.T, r *relay, o client.Options) *client.Session {
	t.Helper()
	s, err := client.Dial(t.Context(), r.url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// tree is what a relay tells of a room's roots.
func (r *relay) tree(t *testing.T, room string) (tree struct {
	Red, Blue string
	Nodes     []struct{ Relay string }
}) {
	t.Helper()
	if status, body := get(t, r.admin+"/v1/tree?room="+room); status == 200 {
		if err := json.Unmarshal([]byte(body), &tree); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

// freeAddress is an address of loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// A relay that is killed in the middle of a group costs no frame of any track.
func TestKilledParentCostsNoFrame(t *testing.T) {
	t.Parallel()
	gossip := freeAddress(t)
	first := startRelay(t, "--open", "--gossip", gossip, "--name", "relay-0")
	relays := []*relay{first}
	for i := 1; i < 4; i++ {
		relays = append(relays, startRelay(t, "--open", "--gossip", "127.0.0.1:0", "--name", fmt.Sprintf("relay-%d", i), "--join", gossip))
	}
	eventually(t, "all know all", func() bool {
		var known struct{ Members []struct{ State string } }
		_, body := get(t, relays[3].admin+"/v1/members")
		return json.Unmarshal([]byte(body), &known) == nil && len(known.Members) == len(relays)
	})
	p := newPress()
	dial(t, first, client.Options{Publisher: p, HopID: p.hopID})
	p.print(catalogTrack)
	p.print(chatTrack)

	var roots struct{ Red, Blue string }
	eventually(t, "the room has two roots", func() bool {
		now := first.tree(t, "town")
		roots.Red, roots.Blue = now.Red, now.Blue
		return now.Blue != ""
	})
	var victim, edge *relay
	for _, r := range relays[1:] {
		if r.name == roots.Red || r.name == roots.Blue {
			victim = r
		} else {
			edge = r
		}
	}
	s := dial(t, edge, client.Options{})
	catalog, chat := read(t, s, catalogTrack), read(t, s, chatTrack)
	eventually(t, "the edge takes part", func() bool {
		for _, n := range first.tree(t, "town").Nodes {
			if n.Relay == edge.name {
				return catalog.complete(0)
			}
		}
		return false
	})

	for next, n := time.Now(), 1; n < 60*chatFrames; n++ {
		next = next.Add(chatEvery)
		time.Sleep(time.Until(next))
		p.print(chatTrack)
		switch n {
		case 20*chatFrames + 3:
			victim.kill()
		case 24 * chatFrames, 50 * chatFrames:
			p.print(catalogTrack)
		}
	}
	eventually(t, "the last group", func() bool { return chat.complete(59) && catalog.complete(2) })
	chat.check(t, chatTrack, 0, 60)
	catalog.check(t, catalogTrack, 0, 3)
}
