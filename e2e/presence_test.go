package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// A guide keeps the list of relays that came last.
type guide struct {
	mu     sync.Mutex
	next   uint64 // groups come in streams of their own, a newer one perhaps first
	relays []string
	gone   []string
	bad    error
}

func (g *guide) Datagram(sequence uint64, f protocol.Frame) {
	var list struct {
		Relays []struct{ Name string }
		Gone   []string
	}
	err := json.Unmarshal(f.Payload, &list)
	g.mu.Lock()
	defer g.mu.Unlock()
	if sequence < g.next {
		return
	}
	g.next = sequence + 1
	g.relays, g.gone, g.bad = nil, list.Gone, err
	for _, r := range list.Relays {
		g.relays = append(g.relays, r.Name)
	}
}

func (g *guide) Group(_ context.Context, in *session.GroupReader) {
	if f, err := in.Next(); err == nil {
		g.Datagram(in.Sequence, f)
	}
}

func (g *guide) says(relays, gone []string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.bad == nil && slices.Equal(slices.Sorted(slices.Values(g.relays)), relays) && slices.Equal(g.gone, gone)
}

// A relay that was killed is said to be gone before the network has buried it, and
// is sent to again when it is back.
func TestKilledRelayIsSaidToBeGone(t *testing.T) {
	t.Parallel()
	gossip := freeAddress(t)
	relays := []*relay{startRelay(t, "--open", "--gossip", gossip, "--name", "relay-0")}
	args := func(i int) []string {
		return []string{"--open", "--gossip", "127.0.0.1:0", "--name", fmt.Sprintf("relay-%d", i), "--join", gossip}
	}
	for i := 1; i < 3; i++ {
		relays = append(relays, startRelay(t, args(i)...))
	}
	s := dial(t, relays[0], client.Options{})
	g := new(guide)
	if _, err := s.TrackInfo(t.Context(), ".stentor/relay", "relays"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Subscribe(t.Context(), protocol.Subscribe{Broadcast: ".stentor/relay", Track: "relays"}, g); err != nil {
		t.Fatal(err)
	}
	all := []string{"relay-0", "relay-1", "relay-2"}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last list, number %d: %v, gone %v, %v", g.next, g.relays, g.gone, g.bad)
		}
	})
	eventually(t, "all are there", func() bool { return g.says(all, nil) })
	time.Sleep(3 * time.Second) // idle sessions between relays are no silence
	if !g.says(all, nil) {
		t.Errorf("said %v, gone %v", g.relays, g.gone)
	}
	relays[2].kill()
	began := time.Now()
	eventually(t, "it is said to be gone", func() bool { return g.says(all[:2], []string{"relay-2"}) })
	t.Logf("after %v", time.Since(began))
	var lobby struct{ Relays []struct{ Name string } }
	if _, body := get(t, relays[1].http+"/v1/rooms/town/relays"); json.Unmarshal([]byte(body), &lobby) != nil {
		t.Errorf("lobby: %s", body)
	}
	startRelay(t, args(2)...)
	eventually(t, "it is back", func() bool { return g.says(all, nil) })
}
