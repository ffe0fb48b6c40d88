package uplink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// A map of who is whose root, that changes.
type atlas struct {
	mu      sync.Mutex
	roots   map[string][]string
	changed chan struct{}
}

func (a *atlas) of(room string, _ ...string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.roots[room]
}

func (a *atlas) watch() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.changed
}

func (a *atlas) set(room string, roots ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roots[room] = roots
	close(a.changed)
	a.changed = make(chan struct{})
}

// A network is relays that can be followed, in memory.
type network struct {
	*Rooms
	atlas   *atlas
	dialler *dialler

	mu     sync.Mutex
	ways   map[string]int // room@relay, how often followed now
	begun  []time.Duration
	since  time.Time
	refuse error           // what following fails with
	silent map[string]bool // relays that never tell what they have
}

// newNetwork is relay here's part in a network; it is closed with the test.
func newNetwork(t *testing.T) *network {
	n := &network{
		atlas:   &atlas{roots: make(map[string][]string), changed: make(chan struct{})},
		dialler: newDialler(0),
		ways:    make(map[string]int),
		silent:  make(map[string]bool),
		since:   time.Now(),
	}
	n.Rooms = NewRooms(Config{Self: "here", Roots: n.atlas.of, Changed: n.atlas.watch, Links: n.dialler.links, Follow: n.follow})
	t.Cleanup(n.Close)
	return n
}

func (n *network) follow(ctx context.Context, s *session.Session, relay string, prefix protocol.Path, offers func(int)) error {
	way := fmt.Sprintf("%s@%s", prefix, relay)
	n.mu.Lock()
	n.begun = append(n.begun, time.Since(n.since))
	if n.refuse != nil {
		defer n.mu.Unlock()
		return n.refuse
	}
	n.ways[way]++
	silent := n.silent[relay]
	n.mu.Unlock()
	if !silent {
		offers(1)
	}
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.ways[way]--
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.Context().Done():
		return errors.New("session ended")
	}
}

// followed is the ways that are followed now, once everything has settled.
func (n *network) followed(t *testing.T) []string {
	t.Helper()
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	var ways []string
	for way, times := range n.ways {
		if times > 1 {
			t.Errorf("%s is followed %d times", way, times)
		}
		if times > 0 {
			ways = append(ways, way)
		}
	}
	slices.Sort(ways)
	return ways
}

func (n *network) want(t *testing.T, when string, want ...string) {
	t.Helper()
	if got := n.followed(t); !slices.Equal(got, want) {
		t.Errorf("%s: follows %q, want %q", when, got, want)
	}
}

func TestRoomComesFromBothRoots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.atlas.set("town", "red", "blue")
		n.atlas.set("hall", "here", "blue")
		n.atlas.set("yard", "here")
		n.want(t, "nobody wants any")
		for _, room := range []string{"town", "hall", "yard", "void"} {
			defer n.Want(room)()
		}
		n.want(t, "all are wanted", "hall@blue", "town@blue", "town@red")
		if got := n.Wanted(); !slices.Equal(got, []string{"hall", "town", "void", "yard"}) {
			t.Errorf("Wanted = %q", got)
		}
		if dials := n.dialler.dials.Load(); dials != 2 {
			t.Errorf("%d sessions for three ways to two relays", dials)
		}
		n.atlas.set("void", "red")
		n.want(t, "a root turns up", "hall@blue", "town@blue", "town@red", "void@red")
		n.Close()
		n.want(t, "closed")
		n.Want("late")() // does nothing any more
		n.want(t, "wanted too late")
	})
}

func TestRoomIsKeptForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.atlas.set("town", "red")
		first, second := n.Want("town"), n.Want("town")
		n.want(t, "wanted twice", "town@red")
		first()
		first() // once is enough
		time.Sleep(2 * lingerFor)
		n.want(t, "wanted once", "town@red")
		second()
		time.Sleep(lingerFor - time.Millisecond)
		n.want(t, "not wanted for a while", "town@red")
		third := n.Want("town")
		time.Sleep(2 * lingerFor)
		n.want(t, "wanted again", "town@red")
		third()
		time.Sleep(lingerFor)
		n.want(t, "not wanted for long")
		if got := n.Wanted(); len(got) != 0 {
			t.Errorf("Wanted = %q", got)
		}
		defer n.Want("town")()
		n.want(t, "wanted anew", "town@red")
	})
}

func TestRootsChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.atlas.set("town", "red", "blue")
		defer n.Want("town")()
		n.want(t, "at first", "town@blue", "town@red")
		n.silent["green"] = true
		n.atlas.set("town", "green", "blue")
		n.want(t, "the old way stays", "town@blue", "town@green", "town@red")
		time.Sleep(leaveAfter - time.Millisecond)
		n.want(t, "still", "town@blue", "town@green", "town@red")
		time.Sleep(lookEvery)
		n.want(t, "and goes, for blue works", "town@blue", "town@green")

		n.silent["green"] = false
		n.atlas.set("town", "red", "yellow")
		time.Sleep(lookEvery)
		n.want(t, "at once if the new ones work", "town@red", "town@yellow")
		n.silent["green"], n.silent["blue"] = true, true
		n.atlas.set("town", "green", "blue")
		time.Sleep(3 * leaveAfter)
		n.want(t, "never while none of the new ones does", "town@blue", "town@green", "town@red", "town@yellow")
		n.atlas.set("town", "red", "blue") // changed its mind
		time.Sleep(2 * leaveAfter)
		n.want(t, "who is wanted back was never left", "town@blue", "town@red")
		n.silent["blue"] = false
		n.atlas.set("town", "red", "blue") // after it had gone
		time.Sleep(2 * leaveAfter)
		n.want(t, "who comes back late is followed anew", "town@blue", "town@red")
		n.atlas.set("town")
		time.Sleep(2 * leaveAfter)
		n.want(t, "without any root")
	})
}

func TestBrokenWayIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.atlas.set("town", "red")
		n.refuse = errRefused
		release := n.Want("town")
		time.Sleep(time.Minute)
		n.mu.Lock()
		tries := n.begun
		n.refuse = nil
		n.mu.Unlock()
		// The pause doubles up to its bound, give or take what spreads the relays.
		bound := retryMin
		for i := 1; i < len(tries); i++ {
			if pause := tries[i] - tries[i-1]; pause < bound/2 || pause > bound {
				t.Errorf("try %d after %v, want %v to %v", i, pause, bound/2, bound)
			}
			bound = min(2*bound, retryMax)
		}
		if len(tries) < 10 {
			t.Errorf("%d tries in a minute", len(tries))
		}
		time.Sleep(retryMax)
		n.want(t, "the root is back", "town@red")
		release()
	})
}

func TestDialThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.dialler.fail = func(try int32) error {
			if try <= 5 {
				return errRefused
			}
			return nil
		}
		n.atlas.set("town", "red")
		defer n.Want("town")()
		time.Sleep(5 * retryMax)
		n.want(t, "after some failures", "town@red")
		if dials := n.dialler.dials.Load(); dials != 6 {
			t.Errorf("%d dials, want 6", dials)
		}
	})
}

// TestRoomLeftWhileItsRootIsDialled: two rooms wait for the same session, and
// the one whose attempt it is goes.
func TestRoomLeftWhileItsRootIsDialled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.dialler.takes = lingerFor + time.Second
		n.atlas.set("town", "red")
		n.atlas.set("hall", "red")
		leave := n.Want("town")
		synctest.Wait()
		defer n.Want("hall")()
		synctest.Wait()
		leave()
		time.Sleep(lingerFor) // and with the room goes the attempt
		begun := time.Now()
		for n.followed(t) == nil {
			time.Sleep(time.Millisecond)
		}
		n.want(t, "who stayed", "hall@red")
		if waited := time.Since(begun); waited > n.dialler.takes {
			t.Errorf("it had to wait for %v, the next attempt takes %v", waited, n.dialler.takes)
		}
	})
}

// TestHistories wants, releases and moves at random, and compares with what a
// room's roots say in the end.
func TestHistories(t *testing.T) {
	for seed := range 20 {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t)
			state := uint64(seed)*2654435761 + 1
			random := func(below int) int {
				state = state*6364136223846793005 + 1442695040888963407
				return int(state>>33) % below
			}
			relays := []string{"here", "red", "blue", "green"}
			rooms := []string{"town", "hall", "yard"}
			wants := make(map[string][]func())
			for range 200 {
				room := rooms[random(len(rooms))]
				switch random(4) {
				case 0:
					wants[room] = append(wants[room], n.Want(room))
				case 1:
					if held := wants[room]; len(held) > 0 {
						held[0]()
						wants[room] = held[1:]
					}
				case 2:
					a, b := random(len(relays)), random(len(relays))
					n.atlas.set(room, slices.Compact([]string{relays[a], relays[b]})...)
				case 3:
					time.Sleep(time.Duration(random(int(2 * lingerFor))))
				}
			}
			time.Sleep(2 * lingerFor)
			var want []string
			for _, room := range rooms {
				for _, root := range n.atlas.of(room) {
					if len(wants[room]) > 0 && root != "here" {
						want = append(want, room+"@"+root)
					}
				}
			}
			slices.Sort(want)
			n.want(t, fmt.Sprintf("history %d", seed), want...)
		})
	}
}
