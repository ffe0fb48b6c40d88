package relay

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/api"
	"github.com/stentor-audio/stentor/relay/deliver"
)

const (
	// reportPatience is how long a relay may take to answer for itself: one that
	// does not is shown without figures.
	reportPatience = time.Second
	// reportFor is how long an answer about a room may be given again: a page that
	// thousands look at costs the network one round a second.
	reportFor = time.Second
	// failureFor is how long that nobody has answered is: somebody else may by then.
	failureFor = 250 * time.Millisecond
)

// reports are a room's trees as they were last asked for.
type reports struct {
	mu    sync.Mutex
	rooms map[string]*report
}

type report struct {
	mu   sync.Mutex // held while the tree is made
	at   time.Time
	tree api.Tree
	err  error
}

// get returns the tree of a room, at most reportFor old.
func (r *reports) get(room string, ask func() (api.Tree, error)) (api.Tree, error) {
	r.mu.Lock()
	if r.rooms == nil {
		r.rooms = make(map[string]*report)
	}
	for name, old := range r.rooms {
		if old.mu.TryLock() {
			if name != room && time.Since(old.at) > reportFor {
				delete(r.rooms, name)
			}
			old.mu.Unlock()
		}
	}
	kept := r.rooms[room]
	if kept == nil {
		kept = &report{}
		r.rooms[room] = kept
	}
	r.mu.Unlock()

	kept.mu.Lock()
	defer kept.mu.Unlock()
	lasts := reportFor
	if kept.err != nil && !errors.Is(kept.err, api.ErrUnknownRoom) {
		lasts = failureFor
	}
	if time.Since(kept.at) > lasts {
		kept.tree, kept.err = ask()
		kept.at = time.Now()
	}
	return kept.tree, kept.err
}

// tree is how a room gets to the relays that take part in it, as its plan has it or
// one of its roots knows it.
func (m *mesh) tree(ctx context.Context, room string) (api.Tree, error) {
	ctx = context.WithoutCancel(ctx) // the answer is for others, too
	return m.reports.get(room, func() (api.Tree, error) {
		roots := m.rootsToAsk(room)
		if slices.Contains(roots, m.relay.cfg.Name) || m.rooms.Plan(room) != nil {
			return m.gather(ctx, room)
		}
		tree, err := m.askRoots(ctx, room, roots)
		if err == nil && len(tree.Nodes) == 0 {
			err = api.ErrUnknownRoom
		}
		return tree, err
	})
}

// askRoots asks a room's roots at once, for either may be dead, and takes the first
// answer that there is.
func (m *mesh) askRoots(ctx context.Context, room string, roots []string) (api.Tree, error) {
	type answer struct {
		tree api.Tree
		err  error
	}
	answers := make(chan answer, len(roots))
	var asking sync.WaitGroup
	defer asking.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for _, root := range roots {
		asking.Go(func() {
			var a answer
			a.err = m.ask(ctx, root, room, deliver.ReportTree, &a.tree)
			answers <- a
		})
	}
	err := fmt.Errorf("the roots of room %q cannot be asked", room)
	for range roots {
		a := <-answers
		if a.err == nil {
			return a.tree, nil
		}
		err = a.err
	}
	return api.Tree{}, err
}

// gather asks every relay of which this one knows that it takes part in the room.
// That are all if this one is a root, or has the plan.
func (m *mesh) gather(ctx context.Context, room string) (api.Tree, error) {
	roots := append(m.roots(room), "", "")
	tree := api.Tree{Room: room, Red: roots[0], Blue: roots[1]}
	self, live := m.relay.node(room)
	names := m.rooms.Others(room)
	for _, root := range roots[:2] {
		if root != "" && root != m.relay.cfg.Name && !slices.Contains(names, root) {
			names = append(names, root)
		}
	}
	if !live {
		return tree, api.ErrUnknownRoom
	}
	nodes := make([]api.Node, len(names))
	var asking sync.WaitGroup
	for i, name := range names {
		asking.Go(func() {
			if err := m.ask(ctx, name, room, deliver.ReportNode, &nodes[i]); err != nil {
				nodes[i] = api.Node{State: "unknown"}
			}
			nodes[i].Relay = name
		})
	}
	asking.Wait()
	tree.Nodes = append(nodes, self)
	known := m.directory.Snapshot()
	for i := range tree.Nodes {
		n := &tree.Nodes[i]
		if len(n.Parents) != 2 { // it has not answered: those that it should have
			n.Parents = m.planned(room, n.Relay)
		}
		if r, ok := membership.Find(known, n.Relay); ok {
			n.Zone, n.Load, n.State = r.Zone, int(r.Load), r.State.String()
		}
	}
	rank := func(n api.Node) int {
		switch n.Relay {
		case tree.Red:
			return 0
		case tree.Blue:
			return 1
		}
		return 2
	}
	slices.SortFunc(tree.Nodes, func(a, b api.Node) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.Relay, b.Relay))
	})
	return tree, nil
}

// planned are whom a relay should take a room from, red and blue.
func (m *mesh) planned(room, relay string) []string {
	p := m.rooms.Plan(room)
	if p == nil {
		return []string{"", ""}
	}
	red, blue, _ := p.Parents(relay) // who is not in the plan has none
	return []string{red, blue}
}

// ask has another relay report on a room.
func (m *mesh) ask(ctx context.Context, relay, room, what string, into any) error {
	ctx, stop := context.WithTimeout(ctx, reportPatience)
	defer stop()
	s, err := m.session(ctx, relay)
	if err != nil {
		return err
	}
	var body []byte
	req := protocol.Fetch{Broadcast: deliver.Reports.Join(protocol.Path(room)), Track: what}
	err = s.Fetch(ctx, req, func(f protocol.Frame) error {
		body = append(body, f.Payload...)
		return nil
	})
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// answer is what this relay reports to another one.
func (m *mesh) answer(ctx context.Context, room, what string) ([]byte, error) {
	if body, ok, err := m.relay.stages.aboutStage(ctx, room, what); ok {
		return body, err
	}
	switch what {
	case deliver.ReportNode:
		node, _ := m.relay.node(room)
		return json.Marshal(node)
	case deliver.ReportRooms:
		return m.relay.reportRooms()
	}
	// Not what m.tree keeps: two relays that each take the other for a root would
	// wait for each other.
	tree, err := m.answers.get(room, func() (api.Tree, error) { return m.gather(context.WithoutCancel(ctx), room) })
	if err != nil {
		tree = api.Tree{Room: room} // without nodes: not live
	}
	return json.Marshal(tree)
}

// node is this relay's part in a room, and whether it has any.
func (r *Relay) node(room string) (api.Node, bool) {
	n := api.Node{
		Relay:     r.cfg.Name,
		Zone:      r.cfg.Zone,
		State:     r.State().String(),
		Load:      min(100, int(r.load())),
		Speakers:  []string{},
		Listeners: r.listeners(room),
		Tracks:    r.tracksHere(room),
	}
	if r.mesh != nil {
		parents := r.mesh.rooms.Parents(room)
		n.Parents = parents[:]
	}
	broadcasts := r.origin.Broadcasts(protocol.Path(room))
	for _, b := range broadcasts {
		if b.FirstHand() {
			speaker, _ := b.Path.TrimPrefix(protocol.Path(room))
			n.Speakers = append(n.Speakers, string(speaker))
		}
		for _, t := range b.Tracks() {
			if t.Name == protocol.TrackAudio {
				c := t.Counts()
				n.Groups += c.Groups
				n.Repaired += c.Repaired
			}
		}
	}
	for _, p := range r.clients() {
		if p.deliver.Takes(room) {
			n.Lost += p.deliver.Counters.Lost()
		}
	}
	return n, len(broadcasts) > 0
}

// Members implements [api.Operated].
func (v view) Members() []api.Peer {
	if v.mesh == nil {
		self := v.Self()
		return []api.Peer{{
			Member: self, State: v.State().String(), Capacity: v.cfg.Capacity,
			Started: v.started, Version: v.cfg.Version, Self: true,
		}}
	}
	var out []api.Peer
	for _, r := range v.known() {
		out = append(out, api.Peer{
			Member: memberOf(r, ""), State: r.State.String(), Addr: r.Addr, Capacity: int(r.Capacity),
			Started: r.Started, Version: r.Version, Self: r.Name == v.cfg.Name,
		})
	}
	return out
}

// Tree implements [api.Operated].
func (v view) Tree(ctx context.Context, room string) (api.Tree, error) {
	if v.mesh != nil {
		return v.mesh.tree(ctx, room)
	}
	self, live := v.node(room)
	if !live {
		return api.Tree{}, api.ErrUnknownRoom
	}
	self.Parents = []string{"", ""}
	return api.Tree{Room: room, Red: v.cfg.Name, Nodes: []api.Node{self}}, nil
}
