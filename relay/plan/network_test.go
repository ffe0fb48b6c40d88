package plan

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// A network is relays that follow a room's plans, each in its own time, with a
// Mover each.
type network struct {
	t      *testing.T
	rng    *rand.Rand
	plan   *Plan // the newest
	now    time.Duration
	relays map[string]*participant
	order  []string // of relays, for a run that can be repeated
	next   int

	// stale has all relays of a tick act on how their parents did before it, a
	// quarter of a second ago. Otherwise they know.
	stale bool
	// calm lets no root change within 5 s of the last one.
	calm   bool
	rooted time.Duration // when a root last changed
	// patience is for how many ticks one who had the room may be without it.
	patience int
}

type participant struct {
	mover Mover
	held  [2]Held
	first [2]bool // takes in what is spoken first hand, as a root does
	ready bool    // has had the room, and must not lose it any more
	lost  int     // for how many ticks it has
}

func newNetwork(t *testing.T, seed uint64, degree int) *network {
	n := &network{t: t, rng: rand.New(rand.NewPCG(seed, 0)), relays: make(map[string]*participant)}
	p, err := New("r", n.newcomer(), n.newcomer(), Options{Degree: degree})
	if err != nil {
		t.Fatal(err)
	}
	n.plan = p
	for _, r := range p.Relays() {
		n.enter(r.Name)
	}
	return n
}

func (n *network) newcomer() Relay {
	n.next++
	return Relay{fmt.Sprint("relay-", n.next), fmt.Sprint("zone-", n.rng.IntN(3))}
}

func (n *network) enter(name string) {
	p := &participant{mover: Mover{Room: "r", Self: name}}
	checkErr(n.t, name, p.mover.Adopt(at(n.now), n.plan), nil)
	p.lead()
	n.relays[name] = p
	n.order = append(n.order, name)
}

func (n *network) join() {
	r := n.newcomer()
	p, _, err := n.plan.Join(r)
	if err != nil {
		n.t.Fatal(err)
	}
	n.plan = p
	n.enter(r.Name)
}

func (n *network) anyone() string {
	relays := n.plan.Relays()
	return relays[n.rng.IntN(len(relays))].Name
}

// lead has a relay take in what is spoken first hand as soon as it finds itself
// root, and go on with that until another feeds it.
func (p *participant) lead() {
	for _, c := range Colours {
		if p.mover.Plan().Root(c) == p.mover.Self {
			p.first[c] = true
		} else if p.held[c].Old.Health == Working {
			p.first[c] = false
		}
	}
}

// reached are the relays that have the room, if one of them passes nothing on.
func (n *network) reached(without string) map[string]bool {
	fed := make(map[string][]string)
	var queue []string
	for _, name := range n.order {
		for _, h := range n.relays[name].held {
			for _, w := range []Way{h.Old, h.New} {
				if w.Parent != "" && w.Health != Trying {
					fed[w.Parent] = append(fed[w.Parent], name)
				}
			}
		}
		if first := n.relays[name].first; first[Red] || first[Blue] {
			queue = append(queue, name)
		}
	}
	have := make(map[string]bool)
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		if n.relays[name] == nil || have[name] || name == without {
			continue
		}
		have[name] = true
		queue = append(queue, fed[name]...)
	}
	return have
}

// look tells a relay how its parents do: whether they would have the room
// without it. A real one knows by the hops of what they announce.
func (n *network) look(name string) {
	have := n.reached(name)
	for c := range n.relays[name].held {
		h := &n.relays[name].held[c]
		for _, w := range []*Way{&h.Old, &h.New} {
			switch {
			case w.Parent == "":
			case w.Health == Trying && n.rng.IntN(8) > 0: // it takes its time
			case have[w.Parent]:
				w.Health = Working
			case w.Health == Working || n.relays[w.Parent] == nil:
				w.Health = Dead
			}
		}
	}
}

// tick lets a quarter of a second pass, in which each relay may hear of the
// newest plan and take one step. It reports whether any did.
func (n *network) tick() (busy bool) {
	n.t.Helper()
	n.now += 250 * time.Millisecond
	for _, name := range n.order {
		n.look(name)
	}
	n.rng.Shuffle(len(n.order), func(i, j int) { n.order[i], n.order[j] = n.order[j], n.order[i] })
	for _, name := range n.order {
		p := n.relays[name]
		if !n.stale {
			n.look(name)
		}
		if p.mover.Plan() != n.plan {
			busy = true
			if n.rng.IntN(8) == 0 {
				checkErr(n.t, name, p.mover.Adopt(at(n.now), n.plan), nil)
			}
		}
		move := p.mover.Next(at(n.now), p.held, func(relay string) bool { return n.relays[relay] != nil })
		busy = n.apply(p, move) || !move.At.IsZero() || p.trying() || busy
		p.lead()
	}
	have := n.reached("")
	for _, name := range n.order {
		p := n.relays[name]
		p.ready = p.ready || have[name]
		switch {
		case have[name]:
			p.lost = 0
		case p.ready && p.lost == n.patience:
			n.t.Fatalf("%v: %s has lost the room; it holds %+v", n.now, name, p.held)
		case p.ready:
			p.lost++
		}
	}
	return busy
}

func (p *participant) trying() bool {
	for _, h := range p.held {
		if h.Old.Parent != "" && h.Old.Health == Trying || h.New.Parent != "" && h.New.Health == Trying {
			return true
		}
	}
	return false
}

func (n *network) apply(p *participant, m Move) bool {
	h := &p.held[m.Colour]
	switch {
	case m.Step == Stay:
		return false
	case m.Step == Take && h.Old.Parent == "":
		h.Old.Parent = m.Parent
	case m.Step == Take && h.New.Parent == "":
		h.New.Parent = m.Parent
	case m.Step == Drop && h.New.Parent == m.Parent:
		h.New = Way{}
	case m.Step == Drop && h.Old.Parent == m.Parent:
		*h = Held{Old: h.New}
	default:
		n.t.Fatalf("%v: %s cannot do %+v with %+v", n.now, p.mover.Self, m, h)
	}
	return true
}

// settle waits until all have the parents of the newest plan.
func (n *network) settle() {
	n.t.Helper()
	for n.tick() {
		if n.now > time.Hour {
			n.t.Fatal("it never settles")
		}
	}
	for _, r := range n.plan.Relays() {
		red, blue, _ := n.plan.Parents(r.Name)
		p := n.relays[r.Name]
		if p.held[Red].Old.Parent != red || p.held[Blue].Old.Parent != blue || p.held[Red].New.Parent+p.held[Blue].New.Parent != "" {
			n.t.Fatalf("%s settles with %+v, want %s, %s", r.Name, p.held, red, blue)
		}
	}
	// Who has left goes when nobody takes from it any more.
	for i := 0; i < len(n.order); {
		if name := n.order[i]; !n.plan.Has(name) {
			delete(n.relays, name)
			n.order = append(n.order[:i], n.order[i+1:]...)
		} else {
			i++
		}
	}
}

// kill ends a relay at once. The blue root, or the red one, makes the next plan
// some seconds later.
func (n *network) kill(name string) {
	delete(n.relays, name)
	for i, o := range n.order {
		if o == name {
			n.order = append(n.order[:i], n.order[i+1:]...)
			break
		}
	}
	for range 20 {
		n.tick()
	}
	var err error
	if red, blue := n.plan.Roots(); name == red {
		n.plan, _, err = n.plan.TakeOver(blue, red)
	} else {
		n.plan, _, err = n.plan.Leave(name)
	}
	if err != nil {
		n.t.Fatal(err)
	}
}

// churn has relays come and go, and roots change, faster than the others can
// follow, and waits until all are where the plan wants them.
func (n *network) churn() {
	for range 3 {
		for range 30 {
			switch n.rng.IntN(4) {
			case 0, 1:
				n.join()
			case 2:
				if q, _, err := n.plan.Leave(n.anyone()); err == nil && q.Len() > 1 {
					n.change(q)
				}
			case 3:
				if q, _, err := n.plan.WithRoot(Colours[n.rng.IntN(2)], n.anyone()); err == nil {
					n.change(q)
				}
			}
			n.tick()
		}
		n.settle()
	}
}

func (n *network) change(p *Plan) {
	if p.Root(Red) != n.plan.Root(Red) || p.Root(Blue) != n.plan.Root(Blue) {
		if n.calm && n.now < n.rooted+5*time.Second {
			return
		}
		n.rooted = n.now
	}
	n.plan = p
}

// Nobody loses the room for a moment, whatever changes, as long as relays know
// how their parents do.
func TestNobodyLosesTheRoomInAnyChange(t *testing.T) {
	for seed := range uint64(2) {
		newNetwork(t, seed, 6).churn()
	}
}

// If they only know how their parents did a while ago, two that let go at once
// may be left with each other. They notice, and it is over in a second, as long
// as there is always a root that knows it is one.
func TestStaleNewsCostAMoment(t *testing.T) {
	for seed := range uint64(2) {
		n := newNetwork(t, seed, 6)
		n.stale, n.calm, n.patience = true, true, 4
		n.churn()
	}
}

// Any one relay dies: every other one still has the room, at each moment until
// all have new parents.
func TestNobodyLosesTheRoomWhenOneDies(t *testing.T) {
	for seed := range uint64(2) {
		n := newNetwork(t, seed, 6)
		n.stale = true
		for range 40 {
			n.join()
		}
		n.settle()
		for range 8 {
			name := n.anyone()
			if n.rng.IntN(3) == 0 {
				name = n.plan.Root(Colours[n.rng.IntN(2)])
			}
			n.kill(name)
			n.settle()
		}
	}
}
