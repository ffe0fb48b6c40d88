package uplink

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-audio/stentor/relay/plan"
)

// What is no plan of the room, or not newer than the one that is held, changes
// nothing.
func TestBadPlansAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		names, _ := w.crowd(4)
		p := w.settled("at first", names...)
		n := w.nodes[names[3]]
		n.mu.Lock()
		a := n.rooms["town"].attended
		n.mu.Unlock()

		older, err := plan.New("town", plan.Relay{Name: names[3]}, plan.Relay{Name: names[2]}, plan.Options{Epoch: p.Version().Epoch - 1})
		other, err2 := plan.New("hall", plan.Relay{Name: names[3]}, plan.Relay{}, plan.Options{Epoch: p.Version().Epoch + 9})
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		twice := p.Encode()
		twice = append(twice[:len(twice)-1], '0') // relay-02 or relay-03 becomes another's name
		for name, b := range map[string][]byte{
			"nothing":             nil,
			"noise":               []byte("relays of the world"),
			"cut short":           p.Encode()[:20],
			"followed by more":    append(p.Encode(), 0),
			"a relay twice":       twice,
			"another room's":      other.Encode(),
			"the one it has":      p.Encode(),
			"one that was before": older.Encode(),
		} {
			a.offer(b)
			synctest.Wait()
			if got := n.Plan("town"); got.Version() != p.Version() {
				t.Errorf("%s was taken: %v", name, got.Version())
			}
		}
	})
}

// A newer plan of relays that nobody knows is taken, and leads nowhere: the
// parents are the directory's roots until there is a better one.
func TestPlanOfUnknownRelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		names, _ := w.crowd(4)
		p := w.settled("at first", names...)
		nowhere, err := plan.New("town", plan.Relay{Name: "nowhere"}, plan.Relay{Name: "utopia"}, plan.Options{Epoch: p.Version().Epoch + 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			n := w.nodes[name]
			n.mu.Lock()
			a := n.rooms["town"].attended
			n.mu.Unlock()
			a.offer(nowhere.Encode())
		}
		time.Sleep(lookEvery)
		synctest.Wait()
		for _, name := range names {
			n := w.nodes[name]
			works := 0
			n.mu.Lock()
			a := n.rooms["town"].attended
			n.mu.Unlock()
			a.mu.Lock()
			for _, way := range a.ways {
				if way.up {
					works++
				}
			}
			a.mu.Unlock()
			if roots := n.roots("town"); works < len(parents(name, roots)) {
				t.Errorf("%s has %d ways that work", name, works)
			}
		}
		w.settled("after a while", names...)
	})
}
