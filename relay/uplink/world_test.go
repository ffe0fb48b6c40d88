package uplink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/plan"
)

// A world is relays that follow each other's rooms, in memory. Each offers what
// it gets: a speaker's voice, if it is spoken there or a way leads to it.
type world struct {
	t *testing.T

	mu      sync.Mutex
	nodes   map[string]*node
	side    map[string]int             // relays on other sides of a split do not reach each other
	known   map[int][]membership.Relay // by side; made when it is asked for
	changed chan struct{}
	muted   map[string]bool
}

type node struct {
	*Rooms
	world    *world
	relay    membership.Relay
	links    *dialler
	sessions map[*session.Session]string
	takes    map[string]int // whose first hand it takes
}

var errCut = errors.New("cannot be reached")

func newWorld(t *testing.T) *world {
	return &world{t: t, nodes: make(map[string]*node), muted: make(map[string]bool), side: make(map[string]int), known: make(map[int][]membership.Relay), changed: make(chan struct{})}
}

// add starts a relay.
func (w *world) add(name, zone string) *node {
	n := &node{
		world: w, links: newDialler(20 * time.Millisecond), sessions: make(map[*session.Session]string), takes: make(map[string]int),
		relay: membership.Relay{Name: name, Zone: zone, State: membership.Ready},
	}
	n.links.made = func(name string, s *session.Session) {
		w.mu.Lock()
		defer w.mu.Unlock()
		n.sessions[s] = name
	}
	n.Rooms = NewRooms(Config{
		Self: name, Roots: n.roots, Known: n.known, Heed: n.heed, Changed: w.watch, Links: n.links.links, Degree: plan.MinDegree,
		Follow: n.follow, Plans: n.plans, FirstHand: n.firstHand,
	})
	w.t.Cleanup(n.Close)
	w.change(func() { w.nodes[name] = n })
	return n
}

// change does something to the world, and has everybody look.
func (w *world) change(what func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	what()
	clear(w.known)
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *world) kill(name string) {
	n := w.nodes[name]
	w.change(func() { delete(w.nodes, name) })
	n.Close()
}

func (w *world) drain(name string) {
	w.change(func() { w.nodes[name].relay.State = membership.Draining })
}

func (w *world) watch() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// reach returns another relay, if it can be reached.
func (n *node) reach(name string) *node {
	n.world.mu.Lock()
	defer n.world.mu.Unlock()
	other := n.world.nodes[name]
	if other == nil || n.world.nodes[n.relay.Name] != n || n.world.side[name] != n.world.side[n.relay.Name] {
		return nil
	}
	return other
}

func (n *node) known() []membership.Relay {
	n.world.mu.Lock()
	defer n.world.mu.Unlock()
	side := n.world.side[n.relay.Name]
	if known := n.world.known[side]; known != nil {
		return known
	}
	known := make([]membership.Relay, 0, len(n.world.nodes))
	for name, other := range n.world.nodes {
		if n.world.side[name] == side {
			known = append(known, other.relay)
		}
	}
	slices.SortFunc(known, func(a, b membership.Relay) int { return cmp.Compare(a.Name, b.Name) })
	n.world.known[side] = known
	return known
}

// mute keeps a relay in the directory, and nothing comes from it any more.
func (w *world) mute(names ...string) {
	w.change(func() {
		for _, name := range names {
			w.muted[name] = true
		}
	})
}

// heed says which relays have been mute for a while: at once, here.
func (n *node) heed(relays []string) []string {
	n.world.mu.Lock()
	defer n.world.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(relays), func(name string) bool { return !n.world.muted[name] })
}

func (n *node) roots(room string, without ...string) (names []string) {
	known := slices.DeleteFunc(slices.Clone(n.known()), func(r membership.Relay) bool { return slices.Contains(without, r.Name) })
	red, blue := placement.Roots(room, known)
	for _, r := range []membership.Relay{red, blue} {
		if r.Name != "" {
			names = append(names, r.Name)
		}
	}
	return names
}

// peer is the relay at the other end of a session.
func (n *node) peer(s *session.Session) *node {
	n.world.mu.Lock()
	name := n.sessions[s]
	n.world.mu.Unlock()
	return n.reach(name)
}

func (n *node) follow(ctx context.Context, s *session.Session, relay string, room protocol.Path, offers func(int)) error {
	other := n.reach(relay)
	if other == nil {
		return errCut
	}
	defer other.Take(string(room), n.relay.Name)()
	for {
		changed := n.world.watch()
		if n.reach(relay) != other {
			return errCut
		}
		offers(1)
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

func (n *node) plans(ctx context.Context, s *session.Session, room string, wants func() (bool, <-chan struct{}), each func([]byte)) error {
	other := n.peer(s)
	if other == nil {
		return errCut
	}
	asker := other.Ask(room, n.relay.Name, s)
	defer asker.End()
	for {
		changed := n.world.watch()
		if n.reach(other.relay.Name) != other {
			return errCut
		}
		wanted, again := wants()
		asker.Wants(wanted)
		b, replaced := asker.Plan()
		if b != nil {
			each(b)
		}
		select {
		case <-changed:
		case <-again:
		case <-replaced:
		case <-ctx.Done():
			return nil
		}
	}
}

func (n *node) firstHand(ctx context.Context, _ *session.Session, relay, _ string) {
	n.world.mu.Lock()
	n.takes[relay]++
	n.world.mu.Unlock()
	<-ctx.Done()
	n.world.mu.Lock()
	n.takes[relay]--
	n.world.mu.Unlock()
}

// settled waits until everything has, and checks that all of these relays have one
// plan of them all and the parents that it gives them.
func (w *world) settled(when string, names ...string) *plan.Plan {
	w.t.Helper()
	time.Sleep(time.Minute)
	synctest.Wait()
	slices.Sort(names)
	var p *plan.Plan
	for _, name := range names {
		n := w.nodes[name]
		held := n.Plan("town")
		if held == nil {
			w.t.Fatalf("%s: %s has no plan", when, name)
		}
		if p != nil && held.Version() != p.Version() {
			w.t.Fatalf("%s: %s has plan %v, others %v", when, name, held.Version(), p.Version())
		}
		p = held
		red, blue, err := p.Parents(name)
		if err != nil {
			w.t.Fatalf("%s: %v", when, err)
		}
		if got := n.Parents("town"); got != [2]string{red, blue} {
			w.t.Errorf("%s: %s takes from %q, want %q", when, name, got, []string{red, blue})
		}
	}
	var in []string
	for _, r := range p.Relays() {
		in = append(in, r.Name)
	}
	if slices.Sort(in); !slices.Equal(in, names) {
		w.t.Errorf("%s: the plan has %q, want %q", when, in, names)
	}
	w.firstHandReaches(when, p, names)
	return p
}

// firstHandReaches checks that each root has what is spoken anywhere: from there, be
// it first hand or as from a parent, or from the other root.
func (w *world) firstHandReaches(when string, p *plan.Plan, names []string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range plan.Colours {
		root := w.nodes[p.Root(c)]
		red, blue, _ := p.Parents(root.relay.Name)
		for _, name := range names {
			if !slices.Contains([]string{root.relay.Name, red, blue, p.Root(c.Other())}, name) && root.takes[name] != 1 {
				w.t.Errorf("%s: the %s root takes %d times what is spoken at %s", when, c, root.takes[name], name)
			}
		}
	}
}

// crowd is so many relays that want the room, in two zones.
func (w *world) crowd(n int) (names []string, release func()) {
	var all []func()
	for i := range n {
		name := fmt.Sprintf("relay-%02d", i)
		names = append(names, name)
		all = append(all, w.add(name, fmt.Sprintf("zone-%d", i%2)).Want("town"))
	}
	return names, func() {
		for _, f := range all {
			f()
		}
	}
}

func without(names []string, gone ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(gone, name) })
}

func TestRoomBecomesTwoTrees(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		names, release := w.crowd(20)
		p := w.settled("at first", names...)
		if p.Depth() < 2 {
			t.Errorf("20 relays are %d deep, with a degree of %d", p.Depth(), p.Degree())
		}
		w.add("relay-20", "zone-0")
		p = w.settled("somebody comes and wants nothing", names...)
		red, blue := p.Roots()
		release()
		time.Sleep(3*lingerFor + 2*handOver)
		synctest.Wait()
		for name, n := range w.nodes {
			if rooms := n.Wanted(); len(rooms) > 0 {
				t.Errorf("%s keeps %q when nobody wants it (roots %s, %s)", name, rooms, red, blue)
			}
		}
	})
}

// Both roots are silent, and the directory has them still: everybody looks at once
// where the room will be.
func TestNobodyWaitsForTheDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		names, _ := w.crowd(6)
		red, blue := w.settled("at first", names...).Roots()
		w.mute(red)
		time.Sleep(300 * time.Millisecond)
		synctest.Wait()
		rest := without(names, red, blue)
		if got := w.nodes[rest[0]].Parents("town"); !slices.Contains(got[:], red) {
			t.Errorf("one root is quiet, and %s takes from %q already", rest[0], got)
		}
		w.mute(blue)
		time.Sleep(300 * time.Millisecond)
		synctest.Wait()
		roots := w.nodes[rest[0]].roots("town", red, blue)
		for _, name := range rest {
			want := [2]string{}
			for c, root := range roots {
				if root != name {
					want[c] = root
				}
			}
			if got := w.nodes[name].Parents("town"); got != want {
				t.Errorf("%s takes from %q, want %q", name, got, want)
			}
			for _, root := range without(roots, name) {
				w.mu.Lock()
				if w.nodes[root].takes[name] != 1 && !slices.Contains(roots, name) {
					t.Errorf("%s takes %d times what is spoken at %s", root, w.nodes[root].takes[name], name)
				}
				w.mu.Unlock()
			}
		}
		w.kill(red)
		w.kill(blue)
		w.settled("the directory knows", rest...)
	})
}

// The roots stay whoever comes, until they leave; then others take their place.
func TestRootsStayUntilTheyLeave(t *testing.T) {
	for _, tt := range []struct {
		name   string
		leaves func(w *world, p *plan.Plan) []string // who
	}{
		{"red is killed", func(w *world, p *plan.Plan) []string { w.kill(p.Root(plan.Red)); return []string{p.Root(plan.Red)} }},
		{"blue is killed", func(w *world, p *plan.Plan) []string { w.kill(p.Root(plan.Blue)); return []string{p.Root(plan.Blue)} }},
		{"red drains", func(w *world, p *plan.Plan) []string { w.drain(p.Root(plan.Red)); return []string{p.Root(plan.Red)} }},
		{"blue drains", func(w *world, p *plan.Plan) []string { w.drain(p.Root(plan.Blue)); return []string{p.Root(plan.Blue)} }},
		{"both are killed", func(w *world, p *plan.Plan) []string {
			red, blue := p.Roots()
			w.kill(red)
			w.kill(blue)
			return []string{red, blue}
		}},
		{"both drain", func(w *world, p *plan.Plan) []string {
			red, blue := p.Roots()
			w.drain(red)
			w.drain(blue)
			return []string{red, blue}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				names, _ := w.crowd(5)
				before := w.settled("at first", names...)
				for i := range 8 { // some of these rank before the roots
					name := fmt.Sprintf("late-%02d", i)
					w.add(name, fmt.Sprintf("zone-%d", i%2)).Want("town")
					names = append(names, name)
				}
				p := w.settled("others have come", names...)
				if p.Root(plan.Red) != before.Root(plan.Red) || p.Root(plan.Blue) != before.Root(plan.Blue) {
					t.Errorf("the roots changed: %s to %s, %s to %s", before.Root(plan.Red), p.Root(plan.Red), before.Root(plan.Blue), p.Root(plan.Blue))
				}
				if roots := w.nodes[names[7]].roots("town"); slices.Equal(roots, []string{p.Root(plan.Red), p.Root(plan.Blue)}) {
					t.Fatal("nobody that came ranks before the roots: the test tells nothing")
				}
				gone := tt.leaves(w, p)
				w.settled("they have left", without(names, gone...)...)
			})
		})
	}
}

// A split room has two plans, and one when it is whole again.
func TestSplitRoomHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		names, _ := w.crowd(10)
		p := w.settled("at first", names...)
		for round, other := range [][]string{
			names[:5],
			{p.Root(plan.Red)},
			{p.Root(plan.Red), p.Root(plan.Blue)},
			names[3:],
		} {
			w.change(func() {
				for _, name := range other {
					w.side[name] = 1
				}
			})
			w.settled(fmt.Sprintf("split %d, one side", round), slices.Clone(other)...)
			w.settled(fmt.Sprintf("split %d, the other", round), without(names, other...)...)
			w.change(func() { clear(w.side) })
			w.settled(fmt.Sprintf("split %d has healed", round), names...)
		}
	})
}

// Relays come, go and drain at random; in the end all have one plan.
func TestPlansConverge(t *testing.T) {
	for seed := range 3 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			names, _ := w.crowd(9)
			state := uint64(seed)*2654435761 + 1
			random := func(below int) int {
				state = state*6364136223846793005 + 1442695040888963407
				return int(state>>33) % below
			}
			for step := range 40 {
				victim := names[random(len(names))]
				switch random(4) {
				case 0, 1:
					name := fmt.Sprintf("late-%02d", step)
					w.add(name, fmt.Sprintf("zone-%d", random(3))).Want("town")
					names = append(names, name)
				case 2:
					if len(names) > 3 {
						w.kill(victim)
						names = without(names, victim)
					}
				case 3:
					if len(names) > 3 {
						w.drain(victim)
						time.Sleep(time.Duration(random(int(20 * time.Second))))
						w.kill(victim)
						names = without(names, victim)
					}
				}
				time.Sleep(time.Duration(random(int(5 * time.Second))))
			}
			w.settled(fmt.Sprintf("history %d", seed), names...)
		})
	}
}
