package room

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// studio is a source in memory: what it plays goes to whoever has subscribed.
type studio struct {
	mu    sync.Mutex
	dead  bool // its session is not heard from
	next  uint64
	feeds []*studioFeed
	asked []protocol.Delivery
	infos int
}

type studioFeed struct {
	track   *Track
	floor   uint64 // groups below were not asked for
	done    chan struct{}
	err     error
	once    sync.Once
	updates chan protocol.Delivery
}

func (s *studio) TrackInfo(_ context.Context, track string) (protocol.TrackInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.infos++
	if track == "missing" {
		return protocol.TrackInfo{}, errAborted
	}
	return protocol.TrackInfo{MaxLatency: 5000, Timescale: protocol.AudioTimescale}, nil
}

func (s *studio) Subscribe(_ context.Context, t *Track, d protocol.Delivery) (Feed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &studioFeed{track: t, done: make(chan struct{}), updates: make(chan protocol.Delivery, 16)}
	if f.floor = d.Start.Value; !d.Start.OK && s.next > 0 {
		f.floor = s.next - 1 // who names no start gets the newest
	}
	for sequence := f.floor; sequence < s.next; sequence++ {
		f.write(sequence)
	}
	s.feeds = append(s.feeds, f)
	s.asked = append(s.asked, d)
	return f, nil
}

func (s *studio) Fetch(_ context.Context, _ string, group uint64, each func(protocol.Frame) error) error {
	return each(protocol.Frame{Payload: protocol.AppendLegacy(nil, group*20_000, opusFor(group))})
}

func (s *studio) Alive() bool    { return !s.dead }
func (s *studio) Restarts() bool { return false }

func (s *studio) FirstHand() bool { return true }

func (f *studioFeed) Update(d protocol.Delivery) error { f.updates <- d; return nil }
func (f *studioFeed) Close()                           { f.end(context.Canceled) }
func (f *studioFeed) Done() <-chan struct{}            { return f.done }
func (f *studioFeed) Err() error                       { return f.err }
func (f *studioFeed) end(err error) {
	f.once.Do(func() {
		f.err = err
		close(f.done)
	})
}

func (f *studioFeed) open() bool {
	select {
	case <-f.done:
		return false
	default:
		return true
	}
}

// write sends a packet.
func (f *studioFeed) write(sequence uint64) {
	payload := protocol.AppendLegacy(nil, sequence*20_000, opusFor(sequence))
	f.track.Write(NewWhole(sequence, protocol.Frame{Timestamp: sequence * 20_000, Payload: payload}, time.Now()))
}

// play sends n further packets to every open feed that wants them.
func (s *studio) play(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		for _, f := range s.feeds {
			if f.open() && s.next >= f.floor {
				f.write(s.next)
			}
		}
		s.next++
	}
}

func (s *studio) open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, f := range s.feeds {
		if f.open() {
			n++
		}
	}
	return n
}

// guest is a member that keeps what it receives.
type guest struct {
	mu    sync.Mutex
	got   []uint64
	ended bool
	end   uint64
}

func (g *guest) Begin(held []*Group) {
	for _, group := range held {
		g.Push(group)
	}
}

func (g *guest) Push(group *Group) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.got = append(g.got, group.Sequence)
}

func (g *guest) End(next uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended, g.end = true, next
}

func (g *guest) heard() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return fmt.Sprint(g.got)
}

func newOrigin(t *testing.T) *Origin {
	o := NewOrigin(Config{HopID: 1000})
	t.Cleanup(o.Close)
	return o
}

func publish(t *testing.T, o *Origin, path protocol.Path, src Source, hops ...uint64) *Publication {
	t.Helper()
	p, err := o.Publish(path, hops, src)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func join(t *testing.T, b *Broadcast, track string, d protocol.Delivery) (*guest, *Member, *Track) {
	t.Helper()
	tr, err := b.Track(t.Context(), track)
	if err != nil {
		t.Fatal(err)
	}
	g := new(guest)
	m, err := tr.Join(g, d)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait() // its feeds have started
	return g, m, tr
}

func TestTwoSourcesOneStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		red, blue := new(studio), new(studio)
		p := publish(t, o, "town/ada", red, 7, 8)
		q := publish(t, o, "town/ada", blue, 7, 9)
		if p.Broadcast != q.Broadcast {
			t.Fatal("two routes to one publisher are two broadcasts")
		}
		g, _, tr := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
		red.play(3)
		blue.play(5) // ahead by two
		red.play(3)
		if got := g.heard(); got != "[0 1 2 3 4 5]" {
			t.Errorf("heard %s", got)
		}
		if n := tr.Counts(); n.Groups != 6 || n.Duplicates != 5 {
			t.Errorf("counts %+v", n)
		}
		p.Close() // red dies; nobody notices
		synctest.Wait()
		blue.play(2)
		if got := g.heard(); got != "[0 1 2 3 4 5 6]" {
			t.Errorf("heard %s", got)
		}
		if red.open() != 0 {
			t.Error("the dead source still has a feed")
		}
	})
}

func TestTwoOfManySourcesAreEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		far, near, third := new(studio), new(studio), new(studio)
		publish(t, o, "town/ada", far, 7, 1, 2, 3)
		p := publish(t, o, "town/ada", third, 7, 4, 5)
		g, _, _ := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
		q := publish(t, o, "town/ada", near, 7, 6)
		synctest.Wait()
		open := func() string { return fmt.Sprint(near.open(), third.open(), far.open()) }
		if open() != "1 1 1" {
			t.Errorf("feeds %s: the far one stays for a moment", open())
		}
		time.Sleep(feedHold)
		synctest.Wait()
		if open() != "1 1 0" {
			t.Errorf("feeds %s", open())
		}
		q.Close()
		synctest.Wait()
		if open() != "0 1 1" {
			t.Errorf("feeds %s after the near one died", open())
		}
		third.feeds[0].end(io.EOF) // over there, but not everywhere
		far.play(1)
		synctest.Wait()
		if open() != "0 0 1" || g.ended || g.heard() != "[0]" {
			t.Errorf("feeds %s, ended %v, heard %s", open(), g.ended, g.heard())
		}
	})
}

func TestBroadcastLingersForItsPublisher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		first := new(studio)
		p := publish(t, o, "town/ada", first, 7)
		g, _, _ := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
		first.play(10)
		w := o.Watch("town", 0)
		defer w.Close()
		if a := w.Poll(); len(a) != 1 {
			t.Errorf("announced %+v", a)
		}
		p.Close()
		time.Sleep(4999 * time.Millisecond)
		if a := w.Poll(); len(a) != 0 {
			t.Errorf("within the linger %+v was announced", a)
		}
		second := &studio{next: 10}
		q := publish(t, o, "town/ada", second, 7)
		synctest.Wait()
		if d := second.asked[0]; d.Start != protocol.Seq(10) {
			t.Errorf("resumed with %+v, want from 10 on", d)
		}
		second.play(2)
		if got := g.heard(); got != "[0 1 2 3 4 5 6 7 8 9 10 11]" || g.ended {
			t.Errorf("heard %s, ended %v", got, g.ended)
		}
		q.Close()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if a := w.Poll(); len(a) != 1 || a[0].Status != protocol.AnnounceEnded || a[0].Suffix != "ada" {
			t.Errorf("after the linger %+v was announced", a)
		}
		if !g.ended || g.end != 12 {
			t.Errorf("the listener was told %v %d", g.ended, g.end)
		}
	})
}

func TestNameOfALivePublisherIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		ada := new(studio)
		p := publish(t, o, "town/ada", ada, 7)
		g, _, _ := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
		if _, err := o.Publish("town/ada", []uint64{8}, new(studio)); !errors.Is(err, ErrTaken) {
			t.Errorf("Publish = %v, want ErrTaken", err)
		}
		ada.play(1)
		if g.heard() != "[0]" {
			t.Error("the attempt disturbed the room")
		}
		ada.dead = true // a session that nobody has heard of for a while
		eve := new(studio)
		q := publish(t, o, "town/ada", eve, 8)
		if !g.ended || q.Broadcast == p.Broadcast {
			t.Error("another publisher is not another broadcast")
		}
		if b, _ := o.Broadcast("town/ada"); b != q.Broadcast {
			t.Error("the old one is still there")
		}
	})
}

func TestRoutesThatAreNone(t *testing.T) {
	o := newOrigin(t)
	for _, hops := range [][]uint64{nil, {7, 1000}, make([]uint64, 33)} {
		if _, err := o.Publish("town/ada", hops, new(studio)); !errors.Is(err, ErrUnknown) {
			t.Errorf("hops %v: %v, want ErrUnknown", hops, err)
		}
	}
}

func TestWatchLeavesOutWhatRunsThroughThePeer(t *testing.T) {
	o := newOrigin(t)
	short := publish(t, o, "town/ada", new(studio), 7, 42)
	publish(t, o, "town/ada", new(studio), 7, 8, 9)
	publish(t, o, "towns/eve", new(studio), 5)
	tests := []struct {
		prefix  protocol.Path
		exclude uint64
		want    string
	}{
		{"", 0, "[{1 town/ada [7 42]} {1 towns/eve [5]}]"},
		{"town", 0, "[{1 ada [7 42]}]"}, // whole segments
		{"town", 42, "[{1 ada [7 8 9]}]"},
		{"town", 7, "[]"},
		{"town/ada", 0, "[{1  [7 42]}]"},
		{"moon", 0, "[]"},
	}
	for _, tt := range tests {
		w := o.Watch(tt.prefix, tt.exclude)
		if got := fmt.Sprint(w.Poll()); got != tt.want {
			t.Errorf("prefix %q without %d: %s, want %s", tt.prefix, tt.exclude, got, tt.want)
		}
		w.Close()
	}
	w := o.Watch("town", 0)
	defer w.Close()
	w.Poll()
	short.Close() // the longer route takes its place, as an active for a path that is active
	if got := fmt.Sprint(w.Poll()); got != "[{1 ada [7 8 9]}]" {
		t.Errorf("after the short route went: %s", got)
	}
}

func TestOneSubscriptionForAllAndOneUpdateForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		s := new(studio)
		p := publish(t, o, "town/ada", s, 7)
		_, m, _ := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{Priority: 10})
		for i := range uint8(5) {
			join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{Priority: 20 + i, MaxLatency: 200})
		}
		time.Sleep(time.Second)
		if s.open() != 1 || s.infos != 1 {
			t.Errorf("%d feeds, asked %d times what the track is", s.open(), s.infos)
		}
		if n := len(s.feeds[0].updates); n != 1 {
			t.Fatalf("%d updates, want 1", n)
		}
		if d := <-s.feeds[0].updates; d.Priority != 24 || d.MaxLatency != 200 || d.Start.OK || d.End.OK {
			t.Errorf("combined to %+v", d)
		}
		m.Leave()
		m.Leave() // twice is once
	})
}

// Who asks for the newest group gets it, although another who has it already
// asks for the next.
func TestOneWhoGoesOnTakesNothingFromOneWhoBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		src := &studio{}
		p := publish(t, o, "room/ada", src, 7)
		src.play(4)
		track, err := p.Broadcast.Track(t.Context(), protocol.TrackAudio)
		if err != nil {
			t.Fatal(err)
		}
		on, begins := &guest{}, &guest{}
		if d := combine([]*Member{{delivery: protocol.Delivery{Start: protocol.Seq(4)}}, {}}); d.Start != protocol.Seq(3) {
			t.Errorf("together they want %+v", d)
		}
		// The feed starts with the first of them.
		for _, m := range []struct {
			*guest
			start protocol.OptSeq
		}{{on, protocol.Seq(4)}, {begins, protocol.OptSeq{}}} {
			if _, err := track.Join(m.guest, protocol.Delivery{Start: m.start}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if got := begins.heard(); got != "[3]" {
			t.Errorf("who begins got %s", got)
		}
		src.play(1)
		synctest.Wait()
		if got := on.heard(); !strings.HasSuffix(got, "4]") { // 3 as well: its session leaves that out
			t.Errorf("who goes on got %s", got)
		}
	})
}

// A start far ahead silences nobody but the one who asks for it.
func TestStartFarAheadCostsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		src := &studio{}
		p := publish(t, o, "room/ada", src, 7)
		src.play(4)
		join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{Start: protocol.Seq(1 << 40)})
		other, _, _ := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
		time.Sleep(2 * startPatience)
		src.play(2)
		synctest.Wait()
		if got := other.heard(); got != "[3 4 5]" {
			t.Errorf("the other got %s", got)
		}
	})
}

// The first to join a derived track of a fresh base takes all that is there by
// then: it came after it asked. Later ones take the newest.
func TestDerivedTrackKnowsThatItsBaseIsFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		src := &studio{}
		p := publish(t, o, "room/ada", src, 7)
		derived, err := p.Broadcast.Track(t.Context(), protocol.Track60)
		if err != nil {
			t.Fatal(err)
		}
		for _, fresh := range []bool{true, false} {
			if derived.bundler.start(protocol.Delivery{}) != fresh {
				t.Errorf("not %v", fresh)
			}
		}
	})
}

func TestTrackGoesAfterItsLastListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		s := new(studio)
		p := publish(t, o, "town/ada", s, 7)
		_, m, tr := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
		s.play(3)
		m.Leave()
		time.Sleep(4 * time.Second)
		g, again, _ := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{Start: protocol.Seq(0)})
		if g.heard() != "[0 1 2]" || s.open() != 1 {
			t.Errorf("who comes back in time finds %s and %d feeds", g.heard(), s.open())
		}
		again.Leave()
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if s.open() != 0 {
			t.Error("the source is still asked for a track that nobody wants")
		}
		if _, err := tr.Join(new(guest), protocol.Delivery{}); !errors.Is(err, ErrUnknown) {
			t.Errorf("Join on the old track: %v", err)
		}
		if fresh, err := p.Broadcast.Track(t.Context(), protocol.TrackAudio); err != nil || fresh == tr {
			t.Errorf("a new one: %v %v", fresh == tr, err)
		}
	})
}

func TestTrackEndsWithItsSourceOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		s := new(studio)
		p := publish(t, o, "town/ada", s, 7)
		g, _, _ := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
		s.play(4)
		s.feeds[0].end(errAborted) // broken, not over
		time.Sleep(time.Second)
		if g.ended || s.open() != 1 || s.asked[1].Start != protocol.Seq(4) {
			t.Errorf("after a break: ended %v, %d feeds, %+v", g.ended, s.open(), s.asked)
		}
		s.play(1)
		s.feeds[1].end(io.EOF)
		synctest.Wait()
		if !g.ended || g.end != 5 || g.heard() != "[0 1 2 3 4]" {
			t.Errorf("after the end: %v %d %s", g.ended, g.end, g.heard())
		}
	})
}

func TestDerivedTrackIsMadeHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		s := new(studio)
		p := publish(t, o, "town/ada", s, 7)
		g, m, _ := join(t, p.Broadcast, protocol.Track60, protocol.Delivery{})
		h, n, _ := join(t, p.Broadcast, protocol.Track120, protocol.Delivery{})
		for range 12 {
			s.play(1)
			time.Sleep(20 * time.Millisecond)
		}
		if g.heard() != "[0 1 2 3]" || h.heard() != "[0 1]" {
			t.Errorf("heard %s and %s", g.heard(), h.heard())
		}
		if s.open() != 1 {
			t.Errorf("%d feeds, want 1 of audio/data", s.open())
		}
		resumed, r, _ := join(t, p.Broadcast, protocol.Track60, protocol.Delivery{Start: protocol.Seq(2)})
		if resumed.heard() != "[2 3]" {
			t.Errorf("resumed with %s", resumed.heard())
		}
		s.play(1) // and then the speaker falls silent in the middle of a bundle
		time.Sleep(161 * time.Millisecond)
		synctest.Wait()
		if g.heard() != "[0 1 2 3 4]" {
			t.Errorf("the rest was held back: %s", g.heard())
		}
		for _, member := range []*Member{m, n, r} {
			member.Leave()
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if s.open() != 0 {
			t.Error("the base is still fed")
		}
	})
}

// Who comes in the middle hears what is said now, however much is held.
func TestDerivedTrackStartsAtItsNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		s := new(studio)
		p := publish(t, o, "town/ada", s, 7)
		_, base, _ := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
		for range 31 {
			s.play(1)
			time.Sleep(20 * time.Millisecond)
		}
		g, m, _ := join(t, p.Broadcast, protocol.Track60, protocol.Delivery{})
		if g.heard() != "[9]" {
			t.Errorf("began with %s, want the newest whole bundle", g.heard())
		}
		h, n, _ := join(t, p.Broadcast, protocol.Track120, protocol.Delivery{Start: protocol.Seq(2)})
		if h.heard() != "[2 3 4]" {
			t.Errorf("resumed with %s", h.heard())
		}
		for _, member := range []*Member{base, m, n} {
			member.Leave()
		}
	})
}

func TestFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		s := new(studio)
		p := publish(t, o, "town/ada", s, 7)
		g, _, tr := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
		s.play(3)
		s.next = 5 // 3 and 4 are lost
		s.play(2)
		got, err := p.Broadcast.Fetch(t.Context(), protocol.TrackAudio, 4)
		want := protocol.AppendLegacy(nil, 4*20_000, opusFor(4))
		if f, whole := got.Whole(); err != nil || !whole || !bytes.Equal(f.Payload, want) {
			t.Errorf("a hole: %q %v", f.Payload, err)
		}
		if g.heard() != "[0 1 2 5 6 4]" { // everybody gains from one's question
			t.Errorf("heard %s", g.heard())
		}
		if n := tr.Counts(); n.Groups != 6 {
			t.Errorf("counts %+v", n)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		time.AfterFunc(20*time.Millisecond, func() { s.play(1) })
		if got, err = p.Broadcast.Fetch(ctx, protocol.TrackAudio, 7); err != nil || got.Sequence != 7 {
			t.Errorf("the next: %v", err)
		}
		if _, err = p.Broadcast.Fetch(ctx, protocol.TrackAudio, 9); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one that does not come: %v", err)
		}
		if _, err = p.Broadcast.Fetch(t.Context(), protocol.TrackAudio, 1<<40); !errors.Is(err, ErrUnknown) {
			t.Errorf("one far ahead: %v", err)
		}
		if _, err = p.Broadcast.Track(t.Context(), "missing"); !errors.Is(err, errAborted) {
			t.Errorf("a track that is not there: %v", err)
		}
	})
}

// TestFetchOfTheGroupThatIsJustComing asks for groups at the very moment at which
// they arrive.
func TestFetchOfTheGroupThatIsJustComing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		s := new(studio)
		p := publish(t, o, "town/ada", s, 7)
		join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
		s.play(1)
		for sequence := uint64(1); sequence <= 3000; sequence++ {
			failed := make(chan error, 1)
			go func() {
				_, err := p.Broadcast.Fetch(t.Context(), protocol.TrackAudio, sequence)
				failed <- err
			}()
			s.play(1)
			if err := <-failed; err != nil {
				t.Fatalf("group %d: %v", sequence, err)
			}
		}
	})
}

func TestHolesAreFetchedBeforeAnybodyAsks(t *testing.T) {
	tests := []struct {
		name   string
		late   bool   // the missing packet comes by itself after all
		jump   uint64 // how many are missing
		heard  string
		mended uint64
	}{
		{"lost", false, 1, "[0 1 3 2]", 1},
		{"overtaken", true, 1, "[0 1 3 2]", 0},
		{"two lost", false, 2, "[0 1 4 2 3]", 2},
		{"a jump is none", false, 50, "[0 1 52]", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin(t)
				s := new(studio)
				p := publish(t, o, "town/ada", s, 7)
				g, _, tr := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
				s.play(2)
				s.next += tt.jump
				s.play(1)
				if tt.late {
					s.next = 2
					s.play(1)
				}
				time.Sleep(reorderFor)
				synctest.Wait()
				slices.Sort(g.got[3:])
				if got := g.heard(); got != tt.heard || tr.Counts().Repaired != tt.mended {
					t.Errorf("heard %s, %d mended; want %s, %d", got, tr.Counts().Repaired, tt.heard, tt.mended)
				}
			})
		})
	}
}

func TestBundleWaitsForItsRepair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		s := new(studio)
		p := publish(t, o, "town/ada", s, 7)
		tr, err := p.Broadcast.Track(t.Context(), protocol.Track60)
		if err != nil {
			t.Fatal(err)
		}
		kept := &keeper{}
		if _, err := tr.Join(kept, protocol.Delivery{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.play(1)
		s.next++ // 1 is lost
		time.Sleep(40 * time.Millisecond)
		s.play(1)
		time.Sleep(reorderFor)
		synctest.Wait()
		if len(kept.groups) != 1 {
			t.Fatalf("%d bundles", len(kept.groups))
		}
		f, _ := kept.groups[0].Whole()
		packets, err := protocol.ParseBundle(f.Payload, 3)
		if err != nil || len(packets[1]) == 0 {
			t.Errorf("the bundle went out with a hole: %q %v", packets, err)
		}
	})
}

// keeper is a member that keeps the groups themselves.
type keeper struct{ groups []*Group }

func (k *keeper) Begin([]*Group) {}
func (k *keeper) Push(g *Group)  { k.groups = append(k.groups, g) }
func (k *keeper) End(uint64)     {}

func TestRequestsWaitForASourceThatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
		defer stop()
		time.AfterFunc(time.Second, func() { publish(t, o, "town/ada", new(studio), 7) })
		b, err := o.Await(ctx, "town/ada")
		if err != nil || b.Path != "town/ada" {
			t.Errorf("Await = %v", err)
		}
		if _, err := o.Await(ctx, "town/eve"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Await = %v", err)
		}
	})
}
