package relay_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/api"
	"github.com/stentor-audio/stentor/relay/plan"
)

// A forest is a network with a room so large for its degree that its trees have
// relays in between, and somebody at each relay who listens to one speaker.
type forest struct {
	t      *testing.T
	voice  *voice
	relays map[string]*member
	ears   map[string]*ear
	speaks []string // relays that the speaker publishes at
	next   int
	from   map[string]uint64 // what an ear must have from this group on
}

// newForest starts n relays and waits until all hear, by way of the trees.
func newForest(t *testing.T, n int) *forest {
	f := &forest{t: t, voice: newVoice(t, "town/ada"), relays: make(map[string]*member), ears: make(map[string]*ear), from: make(map[string]uint64)}
	for range n {
		f.plant()
	}
	f.publish()
	var speaking sync.WaitGroup
	over := make(chan struct{})
	speaking.Go(func() {
		tick := time.NewTicker(30 * time.Millisecond)
		defer tick.Stop()
		for {
			f.voice.speak(1)
			select {
			case <-tick.C:
			case <-over:
				return
			}
		}
	})
	t.Cleanup(func() { close(over); speaking.Wait() })
	for name := range f.relays {
		f.listen(name)
	}
	return f
}

// plant starts one more relay, which all others get to know.
func (f *forest) plant() *member {
	var seed []string
	for _, m := range f.relays {
		seed = []string{m.GossipAddr()}
	}
	m := join(f.t, relay.Config{Name: fmt.Sprintf("relay-%d", f.next), Zone: "z", Degree: plan.MinDegree}, seed...)
	f.next++
	f.relays[m.Name()] = m
	for _, m := range f.relays {
		eventually(f.t, "everybody knows everybody", func() bool { return m.count("ready") >= len(f.relays) })
	}
	return m
}

// publish has the speaker at two relays, as its client would.
func (f *forest) publish() {
	for _, name := range slices.Sorted(maps.Keys(f.relays)) {
		if len(f.speaks) < 2 && !slices.Contains(f.speaks, name) {
			f.voice.publish(f.relays[name].URL(), client.Options{})
			f.speaks = append(f.speaks, name)
		}
	}
}

// listen has somebody listen at a relay.
func (f *forest) listen(name string) {
	f.t.Helper()
	e, _ := subscribe(f.t, dial(f.t, f.relays[name].URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
	eventually(f.t, "something is heard at "+name, func() bool { return e.any() })
	f.ears[name], f.from[name] = e, f.spoken()
}

func (e *ear) any() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.order) > 0
}

func (f *forest) spoken() uint64 {
	f.voice.mu.Lock()
	defer f.voice.mu.Unlock()
	return uint64(len(f.voice.groups))
}

// whole waits until all have heard all that was spoken since they began to listen.
func (f *forest) whole(when string) {
	f.t.Helper()
	to := f.spoken()
	for name, e := range f.ears {
		eventually(f.t, fmt.Sprintf("%s: %s has groups %d to %d", when, name, f.from[name], to-1), func() bool {
			for n := f.from[name]; n < to; n++ {
				if e.frame(n) == nil {
					return false
				}
			}
			return true
		})
		f.from[name] = to
	}
}

// settled waits until the trees are as a plan of all relays makes them, and
// returns them.
func (f *forest) settled(when string) (tree api.Tree) {
	f.t.Helper()
	var why string
	defer func() {
		if f.t.Failed() {
			f.t.Logf("%s: %+v", why, tree)
		}
	}()
	settles := func() bool {
		for _, m := range f.relays {
			tree = api.Tree{}
			m.get("/v1/tree?room=town", &tree)
			if why = f.fault(tree); why != "" {
				return false
			}
		}
		return true
	}
	// A relay leaves one parent that works at a time, and then none for 5 s.
	for deadline := time.Now().Add(60 * time.Second); !settles(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("%s: the trees do not settle", when)
		}
	}
	return tree
}

// fault says what keeps a tree from being one.
func (f *forest) fault(tree api.Tree) string {
	if len(tree.Nodes) != len(f.relays) {
		return fmt.Sprintf("%d relays, want %d", len(tree.Nodes), len(f.relays))
	}
	for c, root := range []string{tree.Red, tree.Blue} {
		if depth := depth(tree, c, root, 0); depth != 2 {
			return fmt.Sprintf("colour %d is %d deep below %q, want 2", c, depth, root)
		}
	}
	for _, n := range tree.Nodes {
		feeds := [2]int{children(tree, 0, n.Relay), children(tree, 1, n.Relay)}
		switch {
		case f.relays[n.Relay] == nil:
			return n.Relay + " has gone"
		case feeds[0] > 0 && feeds[1] > 0 || max(feeds[0], feeds[1]) > plan.MinDegree:
			return fmt.Sprintf("%s feeds %v", n.Relay, feeds)
		case (n.Parents[0] == "") != (n.Relay == tree.Red), (n.Parents[1] == "") != (n.Relay == tree.Blue):
			return fmt.Sprintf("%s is fed by %q", n.Relay, n.Parents)
		}
	}
	return ""
}

// depth is how far below a relay the tree of a colour goes, if all are in it.
func depth(tree api.Tree, colour int, top string, hops int) int {
	deepest := hops
	for _, n := range tree.Nodes {
		if len(n.Parents) == 2 && n.Parents[colour] == top && hops < len(tree.Nodes) {
			deepest = max(deepest, depth(tree, colour, n.Relay, hops+1))
		}
	}
	return deepest
}

func children(tree api.Tree, colour int, top string) (count int) {
	for _, n := range tree.Nodes {
		if len(n.Parents) == 2 && n.Parents[colour] == top {
			count++
		}
	}
	return count
}

// interior is a relay that feeds others in some colour and is no root.
func (f *forest) interior(tree api.Tree) string {
	f.t.Helper()
	i := slices.IndexFunc(tree.Nodes, func(n api.Node) bool {
		return n.Relay != tree.Red && n.Relay != tree.Blue && children(tree, 0, n.Relay)+children(tree, 1, n.Relay) > 0
	})
	if i < 0 {
		f.t.Fatalf("no relay is in between: %+v", tree)
	}
	return tree.Nodes[i].Relay
}

// fell ends a relay at once. Whoever listened there is not asked any more.
func (f *forest) fell(name string) {
	m := f.relays[name]
	delete(f.relays, name)
	delete(f.ears, name)
	f.speaks = slices.DeleteFunc(f.speaks, func(s string) bool { return s == name })
	m.leave()
	f.publish()
}

// fed waits until all relays are in the trees, wherever, and fed by two that live.
func (f *forest) fed(when string) (tree api.Tree) {
	f.t.Helper()
	eventually(f.t, when+": all are fed by two", func() bool {
		tree = api.Tree{}
		f.relays[slices.Min(slices.Collect(maps.Keys(f.relays)))].get("/v1/tree?room=town", &tree)
		return len(tree.Nodes) == len(f.relays) && !slices.ContainsFunc(tree.Nodes, func(n api.Node) bool {
			red, blue := f.relays[n.Parents[0]] != nil, f.relays[n.Parents[1]] != nil
			return !red && n.Relay != tree.Red || !blue && n.Relay != tree.Blue
		})
	})
	return tree
}

// A large room gets to everybody by two trees, and nobody misses anything
// whichever relay ends, comes or drains.
func TestLargeRoomIsTwoTrees(t *testing.T) {
	f := newForest(t, 8)
	tree := f.settled("at first")
	f.whole("at first")

	f.fell(f.interior(tree))
	tree = f.fed("without a relay in between")
	f.whole("without a relay in between")

	f.fell(tree.Red)
	f.fed("without a root")
	f.whole("without a root")

	f.listen(f.plant().Name())
	f.listen(f.plant().Name())
	tree = f.fed("with two more")
	f.whole("with two more")

	leaves := f.interior(tree)
	delete(f.ears, leaves) // it stays to the end, and is closed
	var d api.Drained
	if status := f.relays[leaves].admin("POST", "/v1/drain", `{"deadline_ms":6000}`, &d); status != 200 {
		t.Fatalf("drain: %d", status)
	}
	f.fell(leaves)
	f.whole("when one has drained")
}
