package deliver

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

// announced reads n announcements, as "+path" and "-path", in order of path.
func announced(t *testing.T, a *session.Announcements, n int) (got []string) {
	t.Helper()
	for range n {
		msg, err := a.Next()
		if err != nil {
			t.Fatal(err)
		}
		sign := "+"
		if msg.Status == protocol.AnnounceEnded {
			sign = "-"
		}
		got = append(got, sign+string(msg.Suffix))
	}
	slices.Sort(got)
	return got
}

func TestAnnouncementsOfWhatMayBeSeen(t *testing.T) {
	h := newHall(t)
	h.publish("town/bob", 3, h.ada)
	h.publish("village/eve", 4, h.ada)
	tests := []struct {
		name     string
		root     protocol.Path
		prefixes []protocol.Path
		prefix   protocol.Path
		want     []string // nil: the empty set
	}{
		{"everything", "", []protocol.Path{""}, "", []string{"+town/ada", "+town/bob", "+village/eve"}},
		{"below a room", "", []protocol.Path{""}, "town", []string{"+ada", "+bob"}},
		{"in a room", "town", []protocol.Path{""}, "", []string{"+ada", "+bob"}},
		{"one room of all", "", []protocol.Path{"town"}, "", []string{"+town/ada", "+town/bob"}},
		{"two places", "", []protocol.Path{"town/bob", "village"}, "", []string{"+town/bob", "+village/eve"}},
		{"a place within another", "", []protocol.Path{"town", "town/ada"}, "", []string{"+town/ada", "+town/bob"}},
		{"the same place twice", "", []protocol.Path{"town/ada", "town", "town"}, "", []string{"+town/ada", "+town/bob"}},
		{"one voice", "town", []protocol.Path{"ada"}, "", []string{"+ada"}},
		{"another room", "", []protocol.Path{"town"}, "village", nil},
		{"nothing", "", []protocol.Path{}, "", nil},
		{"no name's beginning", "", []protocol.Path{""}, "tow", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := h.enter(sitting{cfg: Config{Root: tt.root, Prefixes: tt.prefixes, HopID: 1}})
			a, err := s.Announced(within(t), tt.prefix, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			n, err := a.Initial()
			if err != nil || int(n) != len(tt.want) {
				t.Errorf("%d in the initial set, %v; want %d", n, err, len(tt.want))
			}
			if got := announced(t, a, int(n)); !slices.Equal(got, tt.want) {
				t.Errorf("announced %q, want %q", got, tt.want)
			}
		})
	}

	s := h.enter(sitting{cfg: Config{Prefixes: []protocol.Path{"town", "town/bob", "hall"}, HopID: 1}})
	a, err := s.Announced(within(t), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	announced(t, a, 2)
	h.publish("hall/zoe", 5, h.ada)
	if got := announced(t, a, 1); got[0] != "+hall/zoe" {
		t.Errorf("then %q", got)
	}
	h.publish("hall/tom", 6, h.ada)
	if got := announced(t, a, 1); got[0] != "+hall/tom" {
		t.Errorf("then %q", got)
	}
}

func TestRequestsWaitForTheirRights(t *testing.T) {
	h := newHall(t)
	s := h.enter(sitting{held: true})
	answer := make(chan error, 1)
	go func() {
		_, err := s.TrackInfo(within(t), "town/ada", protocol.TrackAudio)
		answer <- err
	}()
	e, _ := s.listen(t, protocol.TrackAudio, protocol.Delivery{})
	<-s.served
	select {
	case err := <-answer:
		t.Fatalf("answered before it was known what the session may: %v", err)
	default:
	}
	s.deliver.Start(Config{Prefixes: []protocol.Path{"town"}})
	if err := <-answer; err != nil {
		t.Error(err)
	}
	h.say(0, 1)
	e.until("a packet", e.has(1))
	_, err := s.TrackInfo(within(t), "village/eve", protocol.TrackAudio)
	if session.CodeOf(err) != protocol.CodeUnauthorized {
		t.Errorf("a room it may not see: %v", err)
	}
}

func TestUnknownBroadcastIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		origin := room.NewOrigin(room.Config{HopID: 1})
		defer origin.Close()
		d := New(origin)
		d.Start(Config{Prefixes: []protocol.Path{""}})
		begun := time.Now()
		_, err := d.broadcast(t.Context(), "town/ada")
		if session.CodeOf(err) != protocol.CodeUnroutable || time.Since(begun) != unknownFor {
			t.Errorf("%v after %v, want %v after %v", err, time.Since(begun), protocol.CodeUnroutable, unknownFor)
		}
		time.AfterFunc(time.Second, func() {
			if _, err := origin.Publish("town/ada", []uint64{2}, &desk{}); err != nil {
				t.Error(err)
			}
		})
		begun = time.Now()
		if _, err := d.broadcast(t.Context(), "town/ada"); err != nil || time.Since(begun) != time.Second {
			t.Errorf("%v after %v, want nil after 1 s", err, time.Since(begun))
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if _, err := New(origin).broadcast(ctx, "town/ada"); err == nil {
			t.Error("a session without rights that has ended")
		}
	})
}

// wishes counts who takes part in a room.
type wishes struct {
	mu  sync.Mutex
	now map[string]int
	all int
}

func (w *wishes) want(room string) func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now[room]++
	w.all++
	return sync.OnceFunc(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.now[room]--
	})
}

func (w *wishes) count(room string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now[room]
}

func TestRoomIsWantedAsLongAsAnythingOfItIs(t *testing.T) {
	h := newHall(t)
	w := &wishes{now: make(map[string]int)}
	s := h.enter(sitting{cfg: Config{Want: w.want}})
	a, err := s.Announced(within(t), "town", 0)
	if err != nil {
		t.Fatal(err)
	}
	announced(t, a, 1)
	if n := w.count("town"); n != 1 {
		t.Errorf("wanted %d times by who follows it", n)
	}
	e, sub := s.listen(t, protocol.TrackAudio, protocol.Delivery{})
	h.say(0, 1)
	e.until("a packet", e.has(1))
	if n := w.count("town"); n != 2 {
		t.Errorf("wanted %d times by who follows it and listens", n)
	}
	a.Close()
	eventually(t, "it is wanted for the sound", func() bool { return w.count("town") == 1 })
	if _, err := s.TrackInfo(within(t), "town/ada", protocol.TrackAudio); err != nil {
		t.Fatal(err)
	}
	sub.Close()
	eventually(t, "it is not wanted", func() bool { return w.count("town") == 0 })

	whole, err := s.Announced(within(t), "", 0) // no room
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	announced(t, whole, 1)
	for room, n := range w.now {
		if n != 0 {
			t.Errorf("%q is wanted %d times", room, n)
		}
	}
}

func TestTicksComeWhileNothingElseDoes(t *testing.T) {
	for name, streams := range map[string]bool{"datagrams": false, "streams": true} {
		t.Run(name, func(t *testing.T) {
			h := newHall(t)
			s := h.enter(sitting{streams: streams, cfg: Config{Root: "town", Prefixes: []protocol.Path{"ada"}}})
			s.deliver.Tick(time.Now()) // nobody has asked
			if info, err := s.TrackInfo(within(t), TickBroadcast, TickTrack); err != nil || info != tickInfo {
				t.Fatalf("%+v, %v", info, err)
			}
			e := &ear{t: t, came: make(chan struct{}, 1)}
			sub, err := s.Subscribe(within(t), protocol.Subscribe{Broadcast: TickBroadcast, Track: TickTrack}, e)
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "it is served", func() bool { return s.deliver.tick.queue.Load() != nil })
			ticks := func() []uint64 {
				e.mu.Lock()
				defer e.mu.Unlock()
				return sorted(e.datagrams, e.streams)
			}
			tick := func(n int) {
				for range n {
					s.deliver.Tick(time.Now())
				}
			}
			tick(quietChecks)
			e.until("the first", func() bool { return len(e.datagrams)+len(e.streams) == 1 })
			eventually(t, "it is counted", func() bool {
				c := &s.deliver.Counters
				return c.Datagrams.Load()+c.Streams.Load() == 1
			})
			// Four without anything sent, and what was sent last is seen by the first.
			tick(quietChecks)
			if got := ticks(); len(got) != 1 {
				t.Errorf("ticks %v too early", got)
			}
			tick(1)
			e.until("the second", func() bool { return len(e.datagrams)+len(e.streams) == 2 })
			if got := ticks(); !slices.Equal(got, span(0, 2)) {
				t.Errorf("ticks %v", got)
			}
			sub.Close()
			eventually(t, "it is not served", func() bool { return s.deliver.tick.queue.Load() == nil })
			tick(2 * quietChecks)
		})
	}
}
