package roomstate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is relays that reach each other in memory, but for those that are cut off.
type world struct {
	t *testing.T

	mu     sync.Mutex
	relays map[string]*node
	side   map[string]int // who reaches whom: those of the same side
	order  []string       // the roots are the first two that are there
	cut    chan struct{}  // closed when who reaches whom changes
}

type node struct {
	*Rooms
	name string
	skew time.Duration
}

var errCut = errors.New("not reachable")

func newWorld(t *testing.T, names ...string) *world {
	w := &world{t: t, relays: make(map[string]*node), side: make(map[string]int), order: names, cut: make(chan struct{})}
	for _, name := range names {
		w.add(name, 0)
	}
	t.Cleanup(func() {
		w.shake()
		for _, n := range w.all() {
			n.Close()
		}
	})
	return w
}

func (w *world) all() []*node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Values(w.relays))
}

// shake ends whatever goes between relays; what still can begins anew.
func (w *world) shake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.cut)
	w.cut = make(chan struct{})
}

func (w *world) add(name string, skew time.Duration) *node {
	n := &node{name: name, skew: skew}
	n.Rooms = New(Config{
		Self:    name,
		Roots:   func(string) []string { return w.roots(name) },
		Changed: func() <-chan struct{} { w.mu.Lock(); defer w.mu.Unlock(); return w.cut },
		Follow: func(ctx context.Context, relay, room string, signal func() (Signal, <-chan struct{}), each func([]byte)) error {
			return w.follow(ctx, name, relay, room, signal, each)
		},
		Fetch: func(_ context.Context, relay, room string) ([]byte, error) {
			other, _, err := w.reach(name, relay)
			if err != nil {
				return nil, err
			}
			return other.Document(room)
		},
		Tell: func(ctx context.Context, relay, room string, o Order) (Answer, error) {
			other, _, err := w.reach(name, relay)
			if err != nil {
				return Answer{}, err
			}
			return AnswerOf(other.Do(ctx, room, o))
		},
		Now: func() time.Time { return time.Now().Add(skew) },
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.relays[name] = n
	return n
}

// roots are the first two that a relay sees.
func (w *world) roots(self string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, name := range w.order {
		if w.relays[name] != nil && w.side[name] == w.side[self] && len(out) < 2 {
			out = append(out, name)
		}
	}
	return out
}

func (w *world) reach(from, to string) (*node, chan struct{}, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	other := w.relays[to]
	if other == nil || w.side[from] != w.side[to] {
		return nil, nil, errCut
	}
	return other, w.cut, nil
}

func (w *world) follow(ctx context.Context, from, to, room string, signal func() (Signal, <-chan struct{}), each func([]byte)) error {
	other, cut, err := w.reach(from, to)
	if err != nil {
		return err
	}
	m := other.Mirror(room, from)
	defer m.End()
	var revision uint64
	for {
		s, told := signal()
		m.Signal(uint8(s))
		document, next, changed, _, err := m.Next(revision)
		if err != nil {
			return err
		}
		if len(document) > 0 {
			each(document)
			revision = next
		}
		select {
		case <-changed:
		case <-told:
		case <-cut:
			return errCut
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// kill takes a relay out.
func (w *world) kill(name string) {
	w.mu.Lock()
	n := w.relays[name]
	delete(w.relays, name)
	w.mu.Unlock()
	w.shake()
	n.Close()
}

// split puts relays on a side of their own.
func (w *world) split(side int, names ...string) {
	w.mu.Lock()
	for _, name := range names {
		w.side[name] = side
	}
	w.mu.Unlock()
	w.shake()
}

var host = stage.Actor{Subject: "ada", Name: "Ada", Role: token.RoleHost}

func (w *world) do(at string, c stage.Command, who stage.Actor) stage.View {
	w.t.Helper()
	v, err := w.relays[at].Command(context.Background(), "town", Order{Actor: who, Command: c})
	if err != nil {
		w.t.Fatalf("%s at %s: %v", c.Do, at, err)
	}
	return v
}

// agree waits until all relays that are there hold the same state, and it is right.
func (w *world) agree(what string, right func(stage.State) bool) {
	w.t.Helper()
	var last []stage.State
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		last = last[:0]
		for _, n := range w.all() {
			last = append(last, n.State("town"))
		}
		if !slices.ContainsFunc(last, func(s stage.State) bool { return !stage.Same(s, last[0]) || !right(s) }) {
			return
		}
	}
	for _, s := range last {
		w.t.Logf("clock %d, %d people, %d hands, %s", s.Clock, len(s.People), len(s.Hands), s.Phase.Value)
	}
	w.t.Fatalf("they do not agree: %s", what)
}

func (w *world) wantAll() {
	for _, n := range w.all() {
		w.t.Cleanup(n.Want("town"))
	}
}

func TestAllHearOfCommands(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d")
	w.wantAll()
	w.do("d", stage.Command{Do: stage.Create, Title: "Town"}, host)
	w.do("c", stage.Command{Do: stage.Ban, Who: "mal"}, host)
	w.agree("a ban", func(s stage.State) bool { return s.Banned("mal") && s.Title.Value == "Town" })
	_, err := w.relays["c"].Command(context.Background(), "town", Order{Actor: stage.Actor{Subject: "eve"}, Command: stage.Command{Do: stage.End}})
	if !errors.Is(err, stage.ErrNotAllowed) {
		t.Errorf("a listener ends it: %v", err)
	}
}

// Any relay that takes part has what new roots need.
func TestBothRootsDie(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d", "e")
	t.Cleanup(w.relays["e"].Want("town"))
	w.do("e", stage.Command{Do: stage.Create, Title: "Town"}, host)
	w.do("e", stage.Command{Do: stage.Ban, Who: "mal"}, host)
	for deadline := time.Now().Add(10 * time.Second); !w.relays["e"].State("town").Banned("mal") && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	w.kill("a")
	w.kill("b")
	began := time.Now()
	for deadline := began.Add(10 * time.Second); !w.relays["c"].State("town").Banned("mal"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the new root knows nothing")
		}
	}
	t.Logf("the new root has it after %v", time.Since(began).Round(time.Millisecond))
	w.do("d", stage.Command{Do: stage.Unban, Who: "mal"}, host)
}

func TestSplitHeals(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d")
	w.wantAll()
	w.do("a", stage.Command{Do: stage.Create}, host)
	w.agree("it is there", func(s stage.State) bool { return s.Exists() })
	w.split(1, "c", "d")
	w.do("a", stage.Command{Do: stage.Ban, Who: "left"}, host)
	w.do("d", stage.Command{Do: stage.Ban, Who: "right"}, host)
	w.split(0, "c", "d")
	w.agree("both halves' bans", func(s stage.State) bool { return s.Banned("left") && s.Banned("right") })
}

// The clocks of two roots differ by a minute: order is not told by them.
func TestClockSkew(t *testing.T) {
	w := newWorld(t, "b", "c")
	w.mu.Lock()
	w.order = []string{"a", "b", "c"}
	w.mu.Unlock()
	w.add("a", time.Minute)
	w.wantAll()
	w.do("a", stage.Command{Do: stage.Create}, host)
	w.do("c", stage.Command{Do: stage.Ban, Who: "mal"}, host)
	w.agree("a ban", func(s stage.State) bool { return s.Banned("mal") })
	w.kill("a")
	w.do("c", stage.Command{Do: stage.Unban, Who: "mal"}, host)
	w.agree("the ban is lifted", func(s stage.State) bool { return !s.Banned("mal") })
}

// Ten thousand hands, and a mute among them.
func TestTenThousandHands(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.wantAll()
	w.do("a", stage.Command{Do: stage.Create}, host)
	s := w.relays["a"].State("town")
	s.Hands = make(map[string]stage.Hand)
	for i := range stage.MaxHands {
		s.Clock++
		s.Hands[fmt.Sprintf("hand-%05d", i)] = stage.Hand{Field: stage.Field[bool]{Value: true, Stamp: stage.Stamp{N: s.Clock, By: "a"}}}
	}
	document, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.relays["c"].Offer("town", document); err != nil { // no root has it
		t.Fatal(err)
	}
	w.agree("all hands", func(s stage.State) bool { return len(s.Hands) == stage.MaxHands })
	began := time.Now()
	w.do("b", stage.Command{Do: stage.Ban, Who: "mal"}, host)
	w.agree("a ban", func(s stage.State) bool { return s.Banned("mal") })
	t.Logf("a ban among %d hands is known everywhere after %v (%d bytes)", stage.MaxHands, time.Since(began).Round(time.Millisecond), len(document))
	_, err = w.relays["b"].Command(context.Background(), "town", Order{Actor: stage.Actor{Subject: "eve"}, Command: stage.Command{Do: stage.Raise}})
	if !errors.Is(err, stage.ErrFull) {
		t.Errorf("one more: %v", err)
	}
}

// Bad documents change nothing.
func TestBadDocuments(t *testing.T) {
	w := newWorld(t, "a")
	w.do("a", stage.Command{Do: stage.Create}, host)
	before := w.relays["a"].State("town")
	for _, document := range []string{"", "{}", `{"room":"moon"}`, `{"room":"town","clock":99999999999999999}`, `{"room":"town","x":1}`, string(make([]byte, stage.MaxSize+1))} {
		if err := w.relays["a"].Offer("town", []byte(document)); !errors.Is(err, stage.ErrMalformed) {
			t.Errorf("%.40q: %v", document, err)
		}
	}
	if !stage.Same(before, w.relays["a"].State("town")) {
		t.Error("something has changed")
	}
}

// A room that nobody made and nobody wants is not kept.
func TestUnwantedRoomIsLetGo(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	release := w.relays["c"].Want("town")
	w.relays["c"].Await(context.Background(), "town")
	release()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left := 0
		for _, n := range w.all() {
			n.mu.Lock()
			left += len(n.rooms)
			n.mu.Unlock()
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d relays still hold it", left)
		}
	}
}
