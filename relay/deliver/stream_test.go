package deliver

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/internal/testnet"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

func text(s string) protocol.Frame { return protocol.Frame{Payload: []byte(s)} }

func TestGroupsOfSeveralFramesGrowAtTheListeners(t *testing.T) {
	for _, transport := range testnet.Transports {
		t.Run(transport, func(t *testing.T) {
			h := newHall(t)
			e, _ := h.enter(sitting{transport: transport}).listen(t, "chat", protocol.Delivery{})
			track := h.ada.track(t, "chat")
			g := room.NewGroup(7, time.Now())
			track.Write(g)
			for i, word := range []string{"one", "two", "three"} {
				g.Append(text(word))
				e.until(word, func() bool { return len(e.frames[7]) == i+1 && e.frames[7][i] == word })
			}
			other := room.NewGroup(8, time.Now()) // while the first is open
			other.Append(text("aside"))
			track.Write(other)
			other.End(nil)
			e.until("the other one", func() bool { return slices.Equal(e.frames[8], []string{"aside"}) })
			g.End(nil)
			g = room.NewGroup(9, time.Now())
			g.Append(text("cut"))
			track.Write(g)
			e.until("the third", func() bool { return len(e.frames[9]) == 1 })
			g.End(session.Refuse(protocol.CodeTooOld, "cut off"))
			e.until("its reset", func() bool { return e.failed[9] != nil })
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.failed[7] != nil || e.failed[8] != nil || len(e.datagrams) != 0 {
				t.Errorf("failed %v, datagrams %v", e.failed, e.datagrams)
			}
		})
	}
}

func TestUnsubscribeInTheMiddleOfAGroup(t *testing.T) {
	h := newHall(t)
	s := h.enter(sitting{})
	e, sub := s.listen(t, "chat", protocol.Delivery{})
	track := h.ada.track(t, "chat")
	g := room.NewGroup(0, time.Now())
	g.Append(text("one"))
	track.Write(g)
	e.until("a frame", func() bool { return len(e.frames[0]) == 1 })
	sub.Close()
	eventually(t, "it has left", func() bool { return track.Members() == 0 })
	s.deliver.Wait() // although the group never ends
	e.until("the stream is reset", func() bool { return e.failed[0] != nil })
}

func TestGrowingGroupsAreBounded(t *testing.T) {
	h := newHall(t)
	s := h.enter(sitting{})
	e, _ := s.listen(t, "chat", protocol.Delivery{})
	track := h.ada.track(t, "chat")
	grow := func(n uint64) {
		g := room.NewGroup(n, time.Now())
		g.Append(text(fmt.Sprint(n)))
		track.Write(g)
	}
	for n := range uint64(maxStreaming) {
		grow(n)
		e.until("its frame", func() bool { return len(e.frames) == int(n)+1 })
	}
	grow(maxStreaming)
	eventually(t, "one too many is dropped", func() bool { return s.deliver.Counters.Dropped[DropQueue].Load() == 1 })
}

// TestWithoutStreamCredit: audio that cannot go now is late, a catalog waits.
func TestWithoutStreamCredit(t *testing.T) {
	h := newHall(t)
	var open atomic.Bool
	open.Store(true)
	s := h.enter(sitting{streams: true, wrap: func(c session.Conn) session.Conn { return &miser{c, open.Load} }})
	audio, _ := s.listen(t, protocol.TrackAudio, protocol.Delivery{})
	catalog, _ := s.listen(t, protocol.TrackCatalog, protocol.Delivery{})
	tracks := []*room.Track{h.ada.track(t, protocol.TrackAudio), h.ada.track(t, protocol.TrackCatalog)}
	eventually(t, "both are in", func() bool { return tracks[0].Members() == 1 && tracks[1].Members() == 1 })

	open.Store(false)
	h.say(0, 3)
	tracks[1].Write(room.NewWhole(0, text("{}"), time.Now()))
	eventually(t, "the audio is given up", func() bool { return s.deliver.Counters.Dropped[DropCredit].Load() >= 3 })
	open.Store(true)
	catalog.until("the catalog", func() bool { return slices.Equal(catalog.frames[0], []string{"{}"}) })
	h.say(3, 4)
	audio.until("what is new", func() bool { return len(audio.frames) == 1 })
	audio.mu.Lock()
	defer audio.mu.Unlock()
	if !slices.Equal(audio.streams, []uint64{3}) {
		t.Errorf("audio %v", audio.streams)
	}
}

func TestFetch(t *testing.T) {
	h := newHall(t)
	s := h.enter(sitting{})
	e, _ := s.listen(t, "chat", protocol.Delivery{})
	track := h.ada.track(t, "chat")
	g := room.NewGroup(3, time.Now())
	g.Append(text("one"))
	track.Write(g)
	e.until("it is there", func() bool { return len(e.frames[3]) == 1 })

	fetched := make(chan []string, 1)
	first := make(chan struct{}, 8)
	go func() {
		var got []string
		err := s.Fetch(within(t), protocol.Fetch{Broadcast: "town/ada", Track: "chat", Group: 3}, func(f protocol.Frame) error {
			got = append(got, string(f.Payload))
			first <- struct{}{}
			return nil
		})
		if err != nil {
			got = append(got, err.Error())
		}
		fetched <- got
	}()
	<-first
	g.Append(text("two")) // it grows while it is fetched
	g.End(nil)
	if got := <-fetched; !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("fetched %q", got)
	}
	err := s.Fetch(within(t), protocol.Fetch{Broadcast: "town/ada", Track: "chat", Group: 1}, func(protocol.Frame) error { return nil })
	if session.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("a group that never was: %v", err)
	}
}
