package deliver

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stentor-audio/stentor/internal/testnet"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// span is the numbers from..to-1.
func span(from, to uint64) []uint64 {
	var out []uint64
	for n := from; n < to; n++ {
		out = append(out, n)
	}
	return out
}

// sorted is what came, in order of number: datagrams and streams overtake each
// other.
func sorted(numbers ...[]uint64) []uint64 {
	out := slices.Concat(numbers...)
	slices.Sort(out)
	return out
}

func TestAudioComesByWhatTheListenerReads(t *testing.T) {
	for _, transport := range testnet.Transports {
		for name, streams := range map[string]bool{"datagrams": false, "streams": true} {
			t.Run(transport+" "+name, func(t *testing.T) {
				h := newHall(t)
				s := h.enter(sitting{transport: transport, streams: streams})
				e, sub := s.listen(t, protocol.TrackAudio, protocol.Delivery{})
				h.say(0, 20)
				e.until("20 packets", func() bool { return len(e.datagrams) == 20 || len(e.frames) == 20 })
				e.mu.Lock()
				datagrams, groups := sorted(e.datagrams), sorted(e.streams)
				e.mu.Unlock()
				if streams || transport == "websocket" { // which has no datagrams
					datagrams, groups = groups, datagrams
				}
				if !slices.Equal(datagrams, span(0, 20)) || len(groups) != 0 {
					t.Errorf("the right way %v, the wrong way %v", datagrams, groups)
				}
				eventually(t, "the start was said", func() bool { return sub.Start() == protocol.Seq(0) })
			})
		}
	}
}

func TestGroupStartReachesBack(t *testing.T) {
	h := newHall(t)
	first, _ := h.enter(sitting{}).listen(t, protocol.TrackAudio, protocol.Delivery{})
	h.say(0, 60)
	first.until("the ring is full", first.has(60))

	few, _ := h.enter(sitting{}).listen(t, protocol.TrackAudio, protocol.Delivery{Start: protocol.Seq(50)})
	few.until("a few as datagrams", few.has(10))
	// So many at once would overflow who reads datagrams.
	many, _ := h.enter(sitting{}).listen(t, protocol.TrackAudio, protocol.Delivery{Start: protocol.Seq(10)})
	many.until("many as streams", func() bool { return len(many.frames) == 50 })
	newest, _ := h.enter(sitting{}).listen(t, protocol.TrackAudio, protocol.Delivery{})
	newest.until("the newest", newest.has(1))
	h.say(60, 61)
	for e, want := range map[*ear][2][]uint64{
		few: {span(50, 61), nil}, many: {span(60, 61), span(10, 60)}, newest: {span(59, 61), nil},
	} {
		e.until("what is new", func() bool { return slices.Contains(e.datagrams, 60) })
		e.mu.Lock()
		if !slices.Equal(sorted(e.datagrams), want[0]) || !slices.Equal(sorted(e.streams), want[1]) {
			t.Errorf("datagrams %v, streams %v; want %v", e.datagrams, e.streams, want)
		}
		e.mu.Unlock()
	}
}

// hold makes a valve that stops at a group until it is opened, and tells that it
// has stopped.
func hold(at uint64) (wrap func(session.Conn) session.Conn, stopped, open chan struct{}) {
	stopped, open = make(chan struct{}), make(chan struct{})
	var once sync.Once
	return func(c session.Conn) session.Conn {
		return &valve{c, func(b []byte, pass func([]byte) error) error {
			if d, err := protocol.ParseDatagram(b); err == nil && d.Sequence == at {
				once.Do(func() {
					close(stopped)
					<-open
				})
			}
			return pass(b)
		}}
	}, stopped, open
}

func TestSlowListenerLosesTheOldestAndNobodyElseAny(t *testing.T) {
	h := newHall(t)
	wrap, stopped, open := hold(0)
	slow := h.enter(sitting{wrap: wrap})
	awake := h.enter(sitting{})
	behind, _ := slow.listen(t, protocol.TrackAudio, protocol.Delivery{})
	ahead, _ := awake.listen(t, protocol.TrackAudio, protocol.Delivery{})
	eventually(t, "both are in", func() bool { return h.ada.track(t, protocol.TrackAudio).Members() == 2 })
	h.say(0, 1)
	<-stopped
	const all = 200
	for n := uint64(1); n < all; n++ {
		h.say(n, n+1)
		ahead.until("the next one", ahead.has(int(n)+1))
	}
	if n := slow.deliver.Counters.Dropped[DropQueue].Load(); n != all-1-queueDepth {
		t.Errorf("%d groups dropped, want %d", n, all-1-queueDepth)
	}
	close(open)
	// It goes on with the newest; what waited for too long may be left out.
	behind.until("the newest one", func() bool { return slices.Contains(behind.datagrams, all-1) })
	behind.mu.Lock()
	defer behind.mu.Unlock()
	if last := behind.datagrams[1:]; last[0] < all-queueDepth {
		t.Errorf("after 0 came %v", last)
	}
	if n := awake.deliver.Counters.Dropped[DropQueue].Load(); n != 0 {
		t.Errorf("the other one lost %d", n)
	}
}

// TestUnsubscribeWhileThereIsAlwaysMore has a listener so slow that a packet
// comes for each that is sent: its queue is never empty.
func TestUnsubscribeWhileThereIsAlwaysMore(t *testing.T) {
	h := newHall(t)
	var next atomic.Uint64
	s := h.enter(sitting{wrap: func(c session.Conn) session.Conn {
		return &valve{c, func(b []byte, pass func([]byte) error) error {
			n := next.Add(1)
			h.say(n, n+1)
			return pass(b)
		}}
	}})
	e, sub := s.listen(t, protocol.TrackAudio, protocol.Delivery{})
	track := h.ada.track(t, protocol.TrackAudio)
	eventually(t, "it is in", func() bool { return track.Members() == 1 })
	h.say(0, 1)
	e.until("it is busy", e.has(100))
	sub.Close()
	eventually(t, "it has left", func() bool { return track.Members() == 0 })
}

func TestUpdateLetsOutWhatWasHeldBack(t *testing.T) {
	h := newHall(t)
	wrap, stopped, open := hold(2)
	s := h.enter(sitting{wrap: wrap})
	e, sub := s.listen(t, protocol.TrackAudio, protocol.Delivery{Start: protocol.Seq(0), End: protocol.Seq(3)})
	served := <-s.served
	track := h.ada.track(t, protocol.TrackAudio)
	for _, n := range []uint64{0, 1, 3, 4, 5} {
		track.Write(packet(n))
	}
	e.until("up to the end", e.has(3))
	track.Write(packet(2)) // a repair; behind it the subscription is busy
	<-stopped
	h.say(6, 10)
	if err := sub.Update(protocol.Delivery{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the update has come", func() bool { return !served.Delivery().End.OK })
	close(open)
	e.until("the rest", e.has(10))
	h.say(10, 12)
	e.until("what is new", e.has(12))
	e.mu.Lock()
	defer e.mu.Unlock()
	if got := sorted(e.datagrams, e.streams); !slices.Equal(got, span(0, 12)) {
		t.Errorf("got %v, want each once", got)
	}
}

func TestUpdateRaisesTheFloor(t *testing.T) {
	h := newHall(t)
	s := h.enter(sitting{})
	e, sub := s.listen(t, protocol.TrackAudio, protocol.Delivery{})
	served := <-s.served
	h.say(0, 3)
	e.until("three", e.has(3))
	if err := sub.Update(protocol.Delivery{Start: protocol.Seq(10)}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the update has come", func() bool { return served.Delivery().Start == protocol.Seq(10) })
	// The subscription looks at the update when it is woken for it or for the
	// next group, so from here on 3 to 9 stay out.
	h.say(3, 12)
	e.until("the last", func() bool { return slices.Contains(e.datagrams, 11) })
	e.mu.Lock()
	defer e.mu.Unlock()
	if want := []uint64{0, 1, 2, 10, 11}; !slices.Equal(sorted(e.datagrams), want) {
		t.Errorf("got %v, want %v", e.datagrams, want)
	}
}

func TestTrackThatEndsIsFinished(t *testing.T) {
	h := newHall(t)
	s := h.enter(sitting{})
	e, sub := s.listen(t, protocol.TrackAudio, protocol.Delivery{})
	h.say(0, 5)
	e.until("five", e.has(5))
	h.origin.Close()
	select {
	case <-sub.Done():
	case <-within(t).Done():
		t.Fatal("the subscription goes on")
	}
	if err := sub.Err(); err != nil && !errors.Is(err, session.ErrClosed) && err.Error() != "EOF" {
		t.Errorf("it ended with %v", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Equal(e.datagrams, span(0, 5)) {
		t.Errorf("got %v", e.datagrams)
	}
}
