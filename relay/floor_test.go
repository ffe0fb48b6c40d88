package relay_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/client/playout"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/api"
)

// An actor speaks as loud as it is told; 0 is silence, which is not sent.
type actor struct {
	*client.Speaker
	name  string
	hopID uint64
	loud  atomic.Uint32 // dB below full scale
	ended atomic.Bool
	sent  int
}

// Next implements [client.PacketSource].
func (a *actor) Next() ([]byte, float32, error) {
	dB := a.loud.Load()
	switch {
	case a.ended.Load():
		return nil, 0, io.EOF
	case dB == 0:
		return nil, 0, nil
	}
	a.sent++
	level := float32(1)
	for range dB {
		level *= 0.8912509
	}
	return append(packet(a.sent), make([]byte, 60)...), level, nil
}

// act lets somebody onto the stage of the room town.
func act(t *testing.T, name string, urls ...string) *actor {
	t.Helper()
	hopID := client.NewHopID()
	s, err := client.NewSpeaker(client.SpeakOptions{Room: "town", Name: name, Relays: urls, SkipSilence: true, HopID: hopID})
	if err != nil {
		t.Fatal(err)
	}
	a := &actor{Speaker: s, name: name, hopID: hopID}
	var parts sync.WaitGroup
	parts.Go(func() { _ = s.Run(context.Background()) })
	if err := s.WaitReady(within(t)); err != nil {
		t.Fatal(err)
	}
	parts.Go(func() { _ = s.Play(context.Background(), a) })
	t.Cleanup(func() {
		a.ended.Store(true)
		s.Close()
		parts.Wait()
	})
	return a
}

// A crowd listens to the room town and notes whom it hears.
type crowd struct {
	*client.Listener
	frames *client.Frames

	mu   sync.Mutex
	last map[string]time.Time // when somebody was heard last
}

func listenIn(t *testing.T, packet time.Duration, self *actor, urls ...string) *crowd {
	t.Helper()
	c := &crowd{frames: client.NewFrames(playout.Config{}), last: map[string]time.Time{}}
	o := client.ListenOptions{Room: "town", Relays: urls, Packet: packet, Output: c.frames}
	var err error
	if self != nil {
		c.Listener, err = self.Listener(o)
	} else {
		c.Listener, err = client.NewListener(o)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { _ = c.Run(ctx) })
	parts.Go(func() {
		for {
			select {
			case f := <-c.frames.C():
				c.note(f)
			case <-ctx.Done():
				return
			}
		}
	})
	t.Cleanup(func() { stop(); parts.Wait() })
	return c
}

func (c *crowd) note(f client.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !f.Lost {
		c.last[f.Track.Speaker] = time.Now()
	}
}

// hears is whom it has heard lately.
func (c *crowd) hears() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for name, at := range c.last {
		if time.Since(at) < 400*time.Millisecond {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// Of five on stage listeners hear the three loudest, the same ones wherever they
// are; those on stage hear everybody but themselves.
func TestListenersHearTheLoudest(t *testing.T) {
	relays := network(t, 3)
	urls := func(i int) []string { return []string{relays[i%3].URL()} }
	actors := map[string]*actor{}
	for i, name := range []string{"ada", "ben", "cleo", "dan", "eve"} {
		actors[name] = act(t, name, urls(i)...)
	}
	for _, name := range []string{"ada", "ben", "cleo"} {
		actors[name].loud.Store(30)
	}
	var crowds []*crowd
	var seats []*seat
	for i := range 3 {
		seats = append(seats, sit(t, relays[i], 0, actors))
		crowds = append(crowds, listenIn(t, []time.Duration{20, 60, 120}[i]*time.Millisecond, nil, urls(i)...))
	}
	dan := listenIn(t, 20*time.Millisecond, actors["dan"], urls(0)...)
	backstage := sit(t, relays[0], actors["ada"].hopID, actors)
	expect := func(when, want, inside string) {
		t.Helper()
		eventually(t, when+": "+want, func() bool {
			for _, c := range crowds {
				if c.hears() != want {
					return false
				}
			}
			return dan.hears() == inside
		})
	}
	expect("three speak", "ada ben cleo", "ada ben cleo")
	actors["dan"].loud.Store(30)
	expect("dan is no louder", "ada ben cleo", "ada ben cleo")
	actors["ada"].loud.Store(0)
	expect("ada makes room", "ben cleo dan", "ben cleo")
	actors["eve"].loud.Store(14)
	eventually(t, "eve shouts, and one of the others goes", func() bool {
		names := crowds[0].hears()
		return strings.Contains(names, "eve") && len(strings.Fields(names)) == 3
	})
	expect("as everywhere", crowds[0].hears(), "ben cleo eve")
	for _, a := range actors {
		a.loud.Store(0) // the last word has been said
	}
	backstage.hasEverything(actors)
	for _, seat := range seats {
		seat.hasWhatIsSaid(actors)
		seat.agrees(seats[0])
	}
}

// With no more than three nothing is said and nothing asked for.
func TestSmallRoomsAreLeftAlone(t *testing.T) {
	r := start(t, relay.Config{Open: true})
	for _, name := range []string{"ada", "ben", "cleo"} {
		act(t, name, r.URL()).loud.Store(30)
	}
	c := listenIn(t, 20*time.Millisecond, nil, r.URL())
	eventually(t, "all are heard", func() bool { return c.hears() == "ada ben cleo" })
	told := newEar()
	if _, err := dial(t, r.URL(), client.Options{}).Subscribe(within(t), protocol.Subscribe{
		Broadcast: ".stentor/rooms/town", Track: protocol.TrackLoudest,
	}, told); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if n := len(told.came); n != 0 {
		t.Errorf("something is said %d times", n)
	}
	// One more, on a relay that stands alone.
	act(t, "dan", r.URL()).loud.Store(12)
	eventually(t, "dan is heard instead of somebody", func() bool {
		names := strings.Fields(c.hears())
		return len(names) == 3 && slices.Contains(names, "dan")
	})
	told.wait(t, 1)
}

// When the root that chooses goes, the other one goes on choosing: from where that
// was, and with the same answer everywhere.
func TestTheOtherRootGoesOnChoosing(t *testing.T) {
	relays := network(t, 4)
	actors := map[string]*actor{"ada": act(t, "ada", relays[0].URL())}
	var tree api.Tree
	eventually(t, "the room has two roots", func() bool {
		return relays[0].get("/v1/tree?room=town", &tree) == 200 && tree.Red != "" && tree.Blue != ""
	})
	var red *member
	var left []*member
	for _, m := range relays {
		if m.Name() == tree.Red {
			red = m
		} else {
			left = append(left, m)
		}
	}
	for i, name := range []string{"ben", "cleo", "dan", "eve"} {
		actors[name] = act(t, name, left[i%3].URL(), left[(i+1)%3].URL())
	}
	for _, name := range []string{"ada", "ben", "cleo"} {
		actors[name].loud.Store(30)
	}
	var crowds []*crowd
	var seats []*seat
	for _, m := range left {
		crowds = append(crowds, listenIn(t, 60*time.Millisecond, nil, m.URL()))
		seats = append(seats, sit(t, m, 0, actors))
	}
	hear := func(when string, is func(names []string) bool) {
		t.Helper()
		eventually(t, when, func() bool {
			return !slices.ContainsFunc(crowds, func(c *crowd) bool {
				names := strings.Fields(c.hears())
				return len(names) != 3 || !is(names)
			})
		})
	}
	hear("three are heard", func(names []string) bool { return !slices.Contains(names, "dan") && !slices.Contains(names, "eve") })
	red.leave()
	actors["dan"].loud.Store(14)
	hear("dan shouts, and is heard", func(names []string) bool { return slices.Contains(names, "dan") })
	actors["dan"].loud.Store(0)
	actors["eve"].loud.Store(14)
	hear("eve does", func(names []string) bool { return slices.Contains(names, "eve") && !slices.Contains(names, "dan") })
	for _, a := range actors {
		a.loud.Store(0)
	}
	for _, seat := range seats {
		seat.hasWhatIsSaid(actors)
		seat.agrees(seats[0])
	}
}
