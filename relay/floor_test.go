package relay_test

import (
	"context"
	"fmt"
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
)

// An actor speaks as loud as it is told; 0 is silence, which is not sent.
type actor struct {
	*client.Speaker
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
	s, err := client.NewSpeaker(client.SpeakOptions{Room: "town", Name: name, Relays: urls, SkipSilence: true})
	if err != nil {
		t.Fatal(err)
	}
	a := &actor{Speaker: s}
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
	seen map[string]uint64    // the first frame heard since somebody had been silent
	lost []string
}

func listenIn(t *testing.T, packet time.Duration, self *actor, urls ...string) *crowd {
	t.Helper()
	c := &crowd{frames: client.NewFrames(playout.Config{}), last: map[string]time.Time{}, seen: map[string]uint64{}}
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
	name := f.Track.Speaker
	if f.Lost {
		c.lost = append(c.lost, fmt.Sprint(name, f.Sequence))
		return
	}
	if time.Since(c.last[name]) > 400*time.Millisecond {
		c.seen[name] = f.Sequence
	}
	c.last[name] = time.Now()
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

// unharmed tells what was lost and who left his relay. It fails nothing: a machine
// that does not keep up loses packets, whatever is chosen.
func (c *crowd) unharmed(t *testing.T, who string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.lost) > 0 {
		t.Logf("%s: lost %v", who, c.lost)
	}
	if st := c.Stats(); len(st.Hops) > 0 {
		t.Logf("%s: hops %+v", who, st.Hops)
	}
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
	for i := range 3 {
		crowds = append(crowds, listenIn(t, []time.Duration{20, 60, 120}[i]*time.Millisecond, nil, urls(i)...))
	}
	dan := listenIn(t, 20*time.Millisecond, actors["dan"], urls(0)...)
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
		time.Sleep(time.Second) // and so it stays
		for i, c := range crowds {
			if got := c.hears(); got != want {
				t.Logf("%s: crowd %d hears %q, want %q", when, i, got, want)
			}
		}
	}
	expect("three speak", "ada ben cleo", "ada ben cleo")
	actors["dan"].loud.Store(30)
	expect("dan is no louder", "ada ben cleo", "ada ben cleo")
	actors["ada"].loud.Store(0)
	expect("ada makes room", "ben cleo dan", "ben cleo")
	first := actors["eve"].Stats().Sent
	actors["eve"].loud.Store(14)
	eventually(t, "eve shouts, and one of the others goes", func() bool {
		names := crowds[0].hears()
		return strings.Contains(names, "eve") && len(strings.Fields(names)) == 3
	})
	expect("as everywhere", crowds[0].hears(), "ben cleo eve")
	for i, c := range crowds {
		c.unharmed(t, fmt.Sprintf("crowd %d", i))
		if got := c.seen["eve"]; got != first {
			t.Logf("crowd %d hears eve from frame %d on, she began with %d", i, got, first)
		}
	}
	dan.unharmed(t, "dan")
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
	c.unharmed(t, "the crowd")
	told.wait(t, 1)
}
