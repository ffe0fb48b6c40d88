package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/client/playout"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// listen runs a Listener in the background until the test ends.
func listen(t *testing.T, o ListenOptions) (*Listener, <-chan error) {
	t.Helper()
	o.Logger = testLog(t)
	if o.Room == "" {
		o.Room = "town"
	}
	l, err := NewListener(o)
	if err != nil {
		t.Fatal(err)
	}
	ended, over := make(chan error, 1), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(over)
		ended <- l.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-over
	})
	return l, ended
}

// collect reads n frames of one track in order and checks that they are what was
// said.
func collect(t *testing.T, f *Frames, first, n int) []Frame {
	t.Helper()
	var frames []Frame
	for len(frames) < n {
		select {
		case frame := <-f.C():
			want := uint64(first + len(frames))
			if frame.Sequence != want {
				t.Fatalf("frame %d comes where %d should", frame.Sequence, want)
			}
			if !frame.Lost && !bytes.Equal(frame.Opus, packet(int(want))) {
				t.Fatalf("frame %d is %x", want, frame.Opus)
			}
			if !frame.Lost && frame.Timestamp != want*20000+1_000_000 {
				t.Fatalf("frame %d stands at %d", want, frame.Timestamp)
			}
			frames = append(frames, frame)
		case <-within(t).Done():
			t.Fatalf("%d frames came, want %d", len(frames), n)
		}
	}
	return frames
}

func countLost(frames []Frame) (lost, repaired int) {
	for _, f := range frames {
		if f.Lost {
			lost++
		}
		if f.Repaired {
			repaired++
		}
	}
	return lost, repaired
}

// subscribed waits until somebody listens to a track of the scene.
func subscribed(t *testing.T, s *scene, track string) {
	t.Helper()
	eventually(t, "a subscription to "+track, func() bool { return s.count("subscribe "+track) > 0 })
}

func TestListenerHears(t *testing.T) {
	each(t, func(t *testing.T, transport Transport) {
		for _, tt := range []struct {
			packet  time.Duration
			track   string
			streams bool
		}{
			{20 * time.Millisecond, protocol.TrackAudio, false},
			{20 * time.Millisecond, protocol.TrackAudio, true},
			{60 * time.Millisecond, protocol.Track60, false},
			{120 * time.Millisecond, protocol.Track120, false},
			{0, protocol.Track60, false},
		} {
			t.Run(fmt.Sprintf("%v, streams %v", tt.packet, tt.streams), func(t *testing.T) {
				s := newScene()
				ada := s.enter(&voice{name: "ada", streams: tt.streams})
				h := (&host{publisher: s}).start(t)
				frames := NewFrames(playout.Config{})
				l, _ := listen(t, ListenOptions{Relays: []string{h.url()}, Packet: tt.packet, Output: frames, Dial: Options{Transport: transport}})
				subscribed(t, s, tt.track)
				// Streams may overtake each other, and what comes first is the start.
				ada.say(0, protocol.BundleSize(tt.track))
				collect(t, frames, 0, protocol.BundleSize(tt.track))
				ada.say(protocol.BundleSize(tt.track), 60)
				collect(t, frames, protocol.BundleSize(tt.track), 60-protocol.BundleSize(tt.track))
				st := l.Stats()
				if len(st.Tracks) != 1 || st.Relay != h.address() {
					t.Fatalf("stats %+v", st)
				}
				want := TrackStats{Speaker: "ada", First: 0, Last: 59, Expected: 60, Played: 60, Live: true,
					PacketMS: int64(20 * protocol.BundleSize(tt.track))}
				// Where the machine is busy a stream is overtaken for so long that its
				// group is fetched as well.
				want.Duplicate, want.Repaired = st.Tracks[0].Duplicate, st.Tracks[0].Repaired
				if st.Tracks[0] != want {
					t.Errorf("stats %+v, want %+v", st.Tracks[0], want)
				}
				if st.Latency != nil {
					t.Errorf("latency %+v of a clock that starts at zero", st.Latency)
				}
			})
		}
	})
}

// TestListenerRepairs loses groups on their way, or from the bundles, and checks
// what is fetched.
func TestListenerRepairs(t *testing.T) {
	at := func(groups ...uint64) func(string, uint64) bool {
		return func(_ string, n uint64) bool {
			for _, g := range groups {
				if g == n {
					return true
				}
			}
			return false
		}
	}
	hollow := func(seqs ...uint64) func(uint64) bool {
		lost := at(seqs...)
		return func(n uint64) bool { return lost("", n) }
	}
	tests := []struct {
		name     string
		packet   time.Duration
		voice    voice
		repaired int
		lost     int
		fetched  map[string]int
	}{
		{"single packets", 20 * time.Millisecond, voice{lose: at(10, 11, 30)}, 3, 0, map[string]int{"audio/data": 3}},
		{"a bundle", 60 * time.Millisecond, voice{lose: at(5)}, 3, 0, map[string]int{"audio/60ms": 1, "audio/data": 0}},
		{"a long bundle", 120 * time.Millisecond, voice{lose: at(2)}, 6, 0, map[string]int{"audio/120ms": 1, "audio/data": 0}},
		{"a packet that the bundle never had", 60 * time.Millisecond, voice{hollow: hollow(13)}, 1, 0, map[string]int{"audio/60ms": 0, "audio/data": 1}},
		{"a lost bundle that lacks one", 60 * time.Millisecond, voice{lose: at(5), hollow: hollow(16)}, 3, 0, map[string]int{"audio/60ms": 1, "audio/data": 1}},
		{"gone for good", 20 * time.Millisecond, voice{lose: at(10), gone: at(10)}, 0, 1, nil},
		{"a bundle gone, its packets not", 60 * time.Millisecond,
			voice{lose: at(5), gone: func(track string, n uint64) bool { return track == protocol.Track60 }}, 3, 0,
			map[string]int{"audio/data": 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			v := tt.voice
			v.name = "ada"
			ada := s.enter(&v)
			h := (&host{publisher: s}).start(t)
			frames := NewFrames(playout.Config{MinDelay: 500 * time.Millisecond})
			l, _ := listen(t, ListenOptions{Relays: []string{h.url()}, Packet: tt.packet, Output: frames})
			track := map[time.Duration]string{20 * time.Millisecond: protocol.TrackAudio, 60 * time.Millisecond: protocol.Track60, 120 * time.Millisecond: protocol.Track120}[tt.packet]
			subscribed(t, s, track)
			ada.say(0, 60)
			lost, repaired := countLost(collect(t, frames, 0, 60))
			if lost != tt.lost || repaired != tt.repaired {
				t.Errorf("%d lost, %d repaired; want %d and %d", lost, repaired, tt.lost, tt.repaired)
			}
			for track, n := range tt.fetched {
				// What does not come at once is asked for again, on a busy machine too.
				if got := s.count("fetch " + track); got < n || got > 3*n {
					t.Errorf("%d fetches of %s, want %d", got, track, n)
				}
			}
			if got := l.Stats().Tracks[0]; got.Repaired != uint64(tt.repaired) || got.Lost != uint64(tt.lost) {
				t.Errorf("stats %+v", got)
			}
		})
	}
}

// TestListenerReconnects drops the session and checks that the track goes on
// where it was, from the ring, without a hole.
func TestListenerReconnects(t *testing.T) {
	for _, packet := range []time.Duration{20 * time.Millisecond, 60 * time.Millisecond} {
		t.Run(packet.String(), func(t *testing.T) {
			s := newScene()
			ada := s.enter(&voice{name: "ada"})
			first, second := (&host{publisher: s}).start(t), (&host{publisher: s}).start(t)
			frames := NewFrames(playout.Config{})
			l, _ := listen(t, ListenOptions{Relays: []string{first.url(), second.url()}, Packet: packet, Output: frames})
			session := first.next(t)
			track := map[bool]string{true: protocol.TrackAudio, false: protocol.Track60}[packet == FrameDuration]
			subscribed(t, s, track)
			ada.say(0, 30)
			collect(t, frames, 0, 30)
			session.Close(protocol.CodeCancel, "restarting")
			ada.say(30, 90)
			second.next(t)
			ada.say(90, 120)
			if lost, _ := countLost(collect(t, frames, 30, 90)); lost != 0 {
				t.Errorf("%d frames lost over the reconnect", lost)
			}
			st := l.Stats()
			if len(st.Tracks) != 1 || st.Relay != second.address() {
				t.Errorf("stats %+v", st)
			}
			if len(st.Hops) != 1 || st.Hops[0].From != first.address() || st.Hops[0].To != second.address() || st.Hops[0].Cause != "closed" || st.Hops[0].Lost != 0 {
				t.Errorf("hops %+v", st.Hops)
			}
		})
	}
}

// TestSpeakersComeAndGo: a broadcast that ends and returns is the same voice if
// its publisher is; another publisher's is a new one.
func TestSpeakersComeAndGo(t *testing.T) {
	s := newScene()
	h := (&host{publisher: s}).start(t)
	frames := NewFrames(playout.Config{})
	l, _ := listen(t, ListenOptions{Relays: []string{h.url()}, Packet: 20 * time.Millisecond, Output: frames})
	live := func() string {
		var names []string
		for _, track := range l.Stats().Tracks {
			if track.Live {
				names = append(names, track.Speaker)
			}
		}
		return strings.Join(names, " ")
	}
	h.next(t)
	if live() != "" {
		t.Errorf("%q speak before anybody came", live())
	}
	ada := s.enter(&voice{name: "ada", origin: 5})
	subscribed(t, s, "audio/data")
	ada.say(0, 10)
	collect(t, frames, 0, 10)

	s.leave("ada")
	eventually(t, "the end", func() bool { return live() == "" })
	s.enter(ada)
	eventually(t, "ada's return", func() bool { return live() == "ada" && s.count("subscribe audio/data") == 2 })
	ada.say(10, 20)
	collect(t, frames, 10, 10)
	if n := len(l.Stats().Tracks); n != 1 {
		t.Errorf("%d tracks, want ada's alone", n)
	}

	another := &voice{name: "ada", origin: 6}
	s.enter(another)
	eventually(t, "the other ada", func() bool { return s.count("subscribe audio/data") == 3 })
	another.say(0, 10)
	got := collect(t, frames, 0, 10)
	if got[0].Track.Origin != 6 {
		t.Errorf("origin %d, want 6", got[0].Track.Origin)
	}
	if n := len(l.Stats().Tracks); n != 2 {
		t.Errorf("%d tracks, want one of each publisher", n)
	}
}

func TestListenerTakesOnlyWhoItWants(t *testing.T) {
	s := newScene()
	s.enter(&voice{name: "bob"})
	ada := s.enter(&voice{name: "ada"})
	s.enter(&voice{name: "adam"})
	h := (&host{publisher: s}).start(t)
	frames := NewFrames(playout.Config{})
	l, _ := listen(t, ListenOptions{Relays: []string{h.url()}, Speaker: "ada", Packet: 20 * time.Millisecond, Output: frames})
	subscribed(t, s, "audio/data")
	ada.say(0, 5)
	collect(t, frames, 0, 5)
	if got := l.Stats().Tracks; len(got) != 1 || got[0].Speaker != "ada" || s.count("subscribe audio/data") != 1 {
		t.Errorf("tracks %+v, %d subscriptions", got, s.count("subscribe audio/data"))
	}
}

func TestListenerLimitsSpeakers(t *testing.T) {
	s := newScene()
	for i := range 20 {
		s.enter(&voice{name: fmt.Sprint("voice ", i)})
	}
	h := (&host{publisher: s}).start(t)
	l, _ := listen(t, ListenOptions{Relays: []string{h.url()}, MaxSpeakers: 3})
	eventually(t, "three subscriptions", func() bool { return s.count("subscribe audio/60ms") == 3 })
	if n := len(l.Stats().Tracks); n != 3 {
		t.Errorf("%d tracks, want 3", n)
	}
}

// TestStrangeSpeakers holds what a publisher can do wrong: it costs only itself.
func TestStrangeSpeakers(t *testing.T) {
	garbled := SpeakOptions{}.withDefaults().catalog()
	garbled.Audio = garbled.Audio[:1]
	garbled.Audio[0].Codec = "vorbis"
	third := protocol.Catalog{Audio: []protocol.Rendition{rendition("audio/data", "opus", protocol.ContainerLegacy)}}
	tests := []struct {
		name  string
		voice voice
		heard bool
	}{
		{"catalog is a page", voice{catalog: []byte("<!doctype html><script>alert(1)</script>")}, false},
		{"catalog is cut short", voice{catalog: []byte(`{"audio":{"renditions":{"audio/data":{"codec":"op`)}, false},
		{"catalog has wrong types", voice{catalog: []byte(`{"audio":{"renditions":{"audio/data":{"codec":"opus","sampleRate":"48000","numberOfChannels":1}}}}`)}, false},
		{"catalog is empty", voice{catalog: []byte{}}, false},
		{"catalog is endless", voice{catalog: bytes.Repeat([]byte(" "), 1<<20)}, false},
		{"another codec", voice{catalog: garbled.JSON()}, false},
		{"a third party's", voice{catalog: third.JSON()}, true},
		{"no bundles behind the catalog", voice{noBundles: true}, true},
		{"packets that are no Opus", voice{catalog: third.JSON(), raw: func(uint64, []byte) []byte {
			return protocol.AppendLegacy(nil, 0, []byte{0xff})
		}}, false},
		{"payloads without container", voice{catalog: third.JSON(), raw: func(uint64, []byte) []byte { return nil }}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			v := tt.voice
			v.name = "mallory"
			mallory := s.enter(&v)
			ada := s.enter(&voice{name: "ada"})
			h := (&host{publisher: s}).start(t)
			heard := make(map[string]int)
			frames := NewFrames(playout.Config{})
			l, ended := listen(t, ListenOptions{Relays: []string{h.url()}, Output: frames})
			subscribed(t, s, "audio/60ms")
			if tt.heard || tt.voice.raw != nil {
				subscribed(t, s, "audio/data")
			}
			mallory.say(0, 30)
			ada.say(0, 30)
			for heard["ada"] < 30 || tt.heard && heard["mallory"] < 30 {
				select {
				case f := <-frames.C():
					heard[f.Track.Speaker]++
				case err := <-ended:
					t.Fatalf("the listener ended: %v", err)
				case <-within(t).Done():
					t.Fatalf("heard %v", heard)
				}
			}
			if !tt.heard && heard["mallory"] > 0 {
				t.Errorf("heard %v", heard)
			}
			if tt.voice.raw != nil {
				eventually(t, "the count", func() bool {
					for _, track := range l.Stats().Tracks {
						if track.Speaker == "mallory" {
							return track.Malformed == 30
						}
					}
					return false
				})
			}
		})
	}
}

// TestStrangeTime lets a speaker's clock step back and its numbering jump: the
// packets come out in order of their numbers all the same.
func TestStrangeTime(t *testing.T) {
	s := newScene()
	ada := s.enter(&voice{name: "ada", raw: func(seq uint64, payload []byte) []byte {
		_, opus, _ := protocol.ParseLegacy(payload)
		switch {
		case seq >= 20:
			return protocol.AppendLegacy(nil, 0, opus) // the clock stands still at zero
		case seq >= 10:
			return protocol.AppendLegacy(nil, 500, opus) // an hour back
		}
		return protocol.AppendLegacy(nil, 3_600_000_000+seq*20_000, opus)
	}})
	h := (&host{publisher: s}).start(t)
	frames := NewFrames(playout.Config{})
	listen(t, ListenOptions{Relays: []string{h.url()}, Packet: 20 * time.Millisecond, Output: frames})
	subscribed(t, s, "audio/data")
	ada.say(0, 30)
	for i := range uint64(30) {
		select {
		case f := <-frames.C():
			if f.Sequence != i || !bytes.Equal(f.Opus, packet(int(i))) {
				t.Fatalf("frame %d is %d: %x", i, f.Sequence, f.Opus)
			}
		case <-within(t).Done():
			t.Fatalf("frame %d did not come", i)
		}
	}
}

// TestListenerMerges subscribes to the standby beside the primary, as a hop does:
// copies are dropped by sequence, and either may bring what the other lost.
func TestListenerMerges(t *testing.T) {
	odd, even := newScene(), newScene()
	ring := newBroadcast(5, protocol.Catalog{})
	one := odd.enter(&voice{name: "ada", origin: 5, ring: ring, lose: func(_ string, n uint64) bool { return n%4 == 1 }})
	even.enter(&voice{name: "ada", origin: 5, ring: ring, lose: func(_ string, n uint64) bool { return n%4 == 2 }})
	a, b := (&host{publisher: odd}).start(t), (&host{publisher: even}).start(t)
	frames := NewFrames(playout.Config{Reorder: time.Second, MinDelay: 2 * time.Second})
	l, _ := listen(t, ListenOptions{Relays: []string{a.url(), b.url()}, Packet: 20 * time.Millisecond, Output: frames})
	a.next(t)
	subscribed(t, odd, "audio/data")
	b.next(t)
	eventually(t, "the standby to be prepared", func() bool { return even.count("track audio/data") == 1 })
	if n := even.count("subscribe audio/data"); n != 0 {
		t.Errorf("the standby has subscribed %d times", n)
	}
	l.mu.Lock()
	_, standby, _ := l.machine.Standby()
	l.roam.do(hop.Effect{Kind: hop.Subscribe, Session: standby, Track: 1})
	l.mu.Unlock()
	subscribed(t, even, "audio/data")
	one.say(0, 40)
	if lost, repaired := countLost(collect(t, frames, 0, 40)); lost != 0 || repaired != 0 {
		t.Errorf("%d lost, %d fetched; two sessions had everything", lost, repaired)
	}
	eventually(t, "twenty duplicates, and all played", func() bool {
		got := l.Stats().Tracks[0]
		return got.Duplicate == 20 && got.Played == 40
	})
}

func TestListenerEnds(t *testing.T) {
	each(t, func(t *testing.T, transport Transport) {
		t.Run("not allowed later", func(t *testing.T) {
			h := (&host{publisher: newScene()}).start(t)
			_, ended := listen(t, ListenOptions{Relays: []string{h.url()}, Dial: Options{Transport: transport}})
			h.next(t).Close(protocol.CodeUnauthorized, "token expired")
			select {
			case err := <-ended:
				if !isKind(err, ErrNotAllowed) {
					t.Errorf("Run = %v, want ErrNotAllowed", err)
				}
			case <-within(t).Done():
				t.Fatal("Run goes on")
			}
		})
	})
	t.Run("refused", func(t *testing.T) {
		h := (&host{refuse: &session.ClosedError{Code: protocol.CodeUnauthorized}}).start(t)
		if err := Listen(within(t), ListenOptions{Room: "town", Relays: []string{h.url()}}); !isKind(err, ErrNotAllowed) {
			t.Errorf("Listen = %v, want ErrNotAllowed", err)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		err := Listen(within(t), ListenOptions{Room: "town", Relays: []string{"https://no-such-host.invalid"}, ConnectTimeout: 100 * time.Millisecond})
		if !isKind(err, ErrUnreachable) {
			t.Errorf("Listen = %v, want ErrUnreachable", err)
		}
	})
	t.Run("second relay takes it", func(t *testing.T) {
		h := (&host{publisher: newScene()}).start(t)
		bad := (&host{alpn: []string{"imap"}}).start(t)
		listen(t, ListenOptions{Room: "town", Relays: []string{bad.url(), h.url()}})
		h.next(t)
	})
	t.Run("announcements end", func(t *testing.T) {
		// Not what a relay does; the listener takes another session.
		h := (&host{publisher: quitter{newScene()}}).start(t)
		listen(t, ListenOptions{Room: "town", Relays: []string{h.url()}})
		h.next(t)
		h.next(t)
	})
	for _, o := range []ListenOptions{
		{}, {Room: "a/b", Relays: []string{"https://h"}}, {Room: "r"}, {Room: "r", Relays: []string{"h"}},
		{Room: "r", Relays: []string{"https://h"}, Packet: 40 * time.Millisecond}, {Room: "r", Speaker: "/", Relays: []string{"https://h"}},
	} {
		if _, err := NewListener(o); !errors.Is(err, ErrAddress) {
			t.Errorf("%+v: %v, want ErrAddress", o, err)
		}
	}
}

type quitter struct{ *scene }

func (quitter) Announce(_ context.Context, w *session.AnnounceWriter) error { return w.Initial(1, nil) }

// TestRelayWishesPackets: a listener that has no wish of its own takes the
// relay's.
func TestRelayWishesPackets(t *testing.T) {
	s := newScene()
	s.enter(&voice{name: "ada"})
	h := (&host{publisher: s, setup: protocol.Setup{Packet: 120 * time.Millisecond}}).start(t)
	listen(t, ListenOptions{Relays: []string{h.url()}})
	subscribed(t, s, "audio/120ms")
}

// TestSpeakerToListener joins the two: what one says the other hears, with the
// time it took.
func TestSpeakerToListener(t *testing.T) {
	each(t, func(t *testing.T, transport Transport) {
		speaker, err := NewSpeaker(SpeakOptions{Room: "town", Name: "ada", Relays: []string{"https://127.0.0.1:1"}})
		if err != nil {
			t.Fatal(err)
		}
		h := (&host{publisher: publication{speaker.broadcast, "town/ada"}}).start(t)
		frames := NewFrames(playout.Config{})
		l, _ := listen(t, ListenOptions{Relays: []string{h.url()}, Output: frames, Dial: Options{Transport: transport}})
		eventually(t, "the listener", func() bool { return speaker.broadcast.view().serving == 2 })
		if err := speaker.Play(within(t), &packets{n: 20}); err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			if f := <-frames.C(); !bytes.Equal(f.Opus, packet(i)) || f.Track.Speaker != "ada" || f.Track.Packet != FrameDuration {
				t.Fatalf("frame %d is %+v", i, f)
			}
		}
		st := l.Stats()
		if st.Latency == nil || st.Latency.Max > 10_000 || st.Latency.P50 > st.Latency.Max {
			t.Errorf("latency %+v", st.Latency)
		}
	})
}
