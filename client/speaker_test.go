package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// packet makes a well-formed Opus packet of 20 ms (CELT, fullband, one frame)
// that says which one it is.
func packet(n int) []byte { return []byte{0xfc, byte(n >> 16), byte(n >> 8), byte(n), 0x55} }

// packets is a source of n packets.
type packets struct {
	n, next int
}

func (p *packets) Next() ([]byte, float32, error) {
	if p.next == p.n {
		return nil, 0, io.EOF
	}
	p.next++
	return packet(p.next - 1), 0.5, nil
}

// An inbox is the sink of a subscription in a test.
type inbox struct {
	mu        sync.Mutex
	datagrams int
	groups    int
	frames    map[uint64]protocol.Frame
	doubles   int
}

func newInbox() *inbox { return &inbox{frames: make(map[uint64]protocol.Frame)} }

func (b *inbox) Datagram(seq uint64, f protocol.Frame) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.datagrams++
	b.put(seq, f)
}

func (b *inbox) Group(_ context.Context, g *session.GroupReader) {
	f, err := g.Next()
	if err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.groups++
	b.put(g.Sequence, f)
	// Returns before the end of the stream, which stops it: the speaker must not
	// mind.
}

func (b *inbox) put(seq uint64, f protocol.Frame) {
	if _, twice := b.frames[seq]; twice {
		b.doubles++
	}
	b.frames[seq] = f
}

func (b *inbox) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.frames)
}

// speak runs a Speaker in the background until the test ends.
func speak(t *testing.T, o SpeakOptions) (*Speaker, <-chan error) {
	t.Helper()
	o.Logger = testLog(t)
	s, err := NewSpeaker(o)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-s.over
	})
	return s, ended
}

func TestSpeakerIsFoundAndDescribed(t *testing.T) {
	each(t, func(t *testing.T, transport Transport) {
		h := (&host{}).start(t)
		s, _ := speak(t, SpeakOptions{
			Room: "town", Name: "ada", Relays: []string{h.url()}, HopID: 99,
			SampleRate: 48000, Channels: 2, Bitrate: 64000, Dial: Options{Transport: transport},
		})
		relay := h.next(t)
		if setup, _ := relay.Peer(); setup.Role != protocol.RolePublisher || setup.HopID != 99 {
			t.Errorf("SETUP %+v, want a publisher with hop id 99", setup)
		}
		announced := func(prefix protocol.Path, exclude uint64) (uint64, protocol.Announce) {
			a, err := relay.Announced(within(t), prefix, exclude)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			n, err := a.Initial()
			if err != nil {
				t.Fatal(err)
			}
			var msg protocol.Announce
			if n > 0 {
				if msg, err = a.Next(); err != nil {
					t.Fatal(err)
				}
			}
			return n, msg
		}
		for _, tt := range []struct {
			name    string
			prefix  protocol.Path
			exclude uint64
			suffix  protocol.Path
			n       uint64
		}{
			{"everything", "", 0, "town/ada", 1},
			{"the room", "town", 7777, "ada", 1},
			{"itself", "town/ada", 0, "", 1},
			{"half a segment", "tow", 0, "", 0},
			{"another room", "hall", 0, "", 0},
			{"not through itself", "", 99, "", 0},
		} {
			t.Run(tt.name, func(t *testing.T) {
				n, msg := announced(tt.prefix, tt.exclude)
				if n != tt.n || n > 0 && (msg.Suffix != tt.suffix || len(msg.Hops) != 1 || msg.Hops[0] != 99) {
					t.Errorf("%d announcements, first %+v", n, msg)
				}
			})
		}

		var document []byte
		err := relay.Fetch(within(t), protocol.Fetch{Broadcast: "town/ada", Track: "catalog.json"}, func(f protocol.Frame) error {
			document = f.Payload
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		catalog, err := protocol.ParseCatalog(document)
		if err != nil {
			t.Fatal(err)
		}
		if got := catalog.Audio[0]; got.Track != "audio/data" || got.Container != protocol.ContainerLegacy || got.Channels != 2 || got.Bitrate != 64000 || got.Jitter != 20*time.Millisecond {
			t.Errorf("first rendition %+v", got)
		}
		if got, _ := catalog.Rendition("audio/120ms"); got.Container != protocol.ContainerBundle || got.Jitter != 120*time.Millisecond {
			t.Errorf("long rendition %+v", got)
		}

		for _, req := range []protocol.TrackRequest{
			{Broadcast: "town/ada", Track: "audio/60ms"}, {Broadcast: "town/ada", Track: "video"}, {Broadcast: "town/bob", Track: "audio/data"},
		} {
			if _, err := relay.TrackInfo(within(t), req.Broadcast, req.Track); !errors.Is(err, &session.ResetError{Code: protocol.CodeNotFound}) {
				t.Errorf("TRACK %v: %v, want not found", req, err)
			}
		}
		s.Close()
	})
}

// TestSpeakerDelivers checks that every packet arrives once, byte for byte, as
// datagrams where the relay reads them and as group streams otherwise.
func TestSpeakerDelivers(t *testing.T) {
	each(t, func(t *testing.T, transport Transport) {
		for _, streams := range []bool{false, true} {
			t.Run(map[bool]string{false: "datagrams", true: "streams"}[streams], func(t *testing.T) {
				testDelivery(t, transport, streams)
			})
		}
	})
}

func testDelivery(t *testing.T, transport Transport, streams bool) {
	h := (&host{streams: streams}).start(t)
	s, ended := speak(t, SpeakOptions{Room: "town", Name: "ada", Relays: []string{h.url()}, Dial: Options{Transport: transport}})
	relay := h.next(t)
	info, err := relay.TrackInfo(within(t), "town/ada", "audio/data")
	if err != nil || info.Timescale != 1000000 || info.MaxLatency != 5000 {
		t.Fatalf("TRACK_INFO %+v, %v", info, err)
	}
	in, catalogs := newInbox(), newInbox()
	if _, err := relay.Subscribe(within(t), protocol.Subscribe{Broadcast: "town/ada", Track: "audio/data"}, in); err != nil {
		t.Fatal(err)
	}
	if _, err := relay.Subscribe(within(t), protocol.Subscribe{Broadcast: "town/ada", Track: "catalog.json"}, catalogs); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the subscriptions", func() bool { return s.broadcast.view().serving == 2 })
	begun := time.Now()
	const n = 25
	if err := s.Play(within(t), &packets{n: n}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < (n-1)*FrameDuration {
		t.Errorf("%d packets took %v, less than they last", n, took)
	}
	eventually(t, "all packets", func() bool { return in.len() == n })
	eventually(t, "the catalog", func() bool { return catalogs.len() == 1 })
	s.Close()
	if err := <-ended; !errors.Is(err, ErrEnded) {
		t.Errorf("Run = %v, want ErrEnded", err)
	}
	if in.doubles != 0 || in.groups != map[bool]int{true: n}[streams] {
		t.Errorf("streams %v: %d datagrams, %d groups, %d twice", streams, in.datagrams, in.groups, in.doubles)
	}
	for i := range uint64(n) {
		f := in.frames[i]
		micros, opus, err := protocol.ParseLegacy(f.Payload)
		if err != nil || !bytes.Equal(opus, packet(int(i))) {
			t.Fatalf("frame %d is %x, %v", i, f.Payload, err)
		}
		if micros != f.Timestamp || micros != in.frames[0].Timestamp+i*20000 {
			t.Fatalf("frame %d stands at %d (container %d), the first at %d", i, f.Timestamp, micros, in.frames[0].Timestamp)
		}
	}
	if age := time.Since(time.UnixMicro(int64(in.frames[0].Timestamp))); age < 0 || age > time.Minute {
		t.Errorf("the first frame is %v old: not the wall clock", age)
	}
}

// TestSpeakerCatchesARelayUp lets a relay subscribe late, with and without Group
// Start, and fetch.
func TestSpeakerCatchesARelayUp(t *testing.T) {
	h := (&host{}).start(t)
	s, _ := speak(t, SpeakOptions{Room: "town", Name: "ada", Relays: []string{h.url()}})
	relay := h.next(t)
	const n = 300 // more than the ring holds
	for i := range n {
		if err := s.Send(packet(i)); err != nil {
			t.Fatal(err)
		}
	}
	subscribe := func(d protocol.Delivery) *inbox {
		in := newInbox()
		if _, err := relay.Subscribe(within(t), protocol.Subscribe{Broadcast: "town/ada", Track: "audio/data", Delivery: d}, in); err != nil {
			t.Fatal(err)
		}
		return in
	}
	t.Run("newest", func(t *testing.T) {
		in := subscribe(protocol.Delivery{})
		eventually(t, "the newest group", func() bool { return in.len() == 1 })
		if _, ok := in.frames[n-1]; !ok {
			t.Errorf("got %v, want group %d", in.frames, n-1)
		}
	})
	t.Run("from a group on", func(t *testing.T) {
		in := subscribe(protocol.Delivery{Start: protocol.Seq(n - 10)})
		eventually(t, "ten groups", func() bool { return in.len() == 10 })
	})
	t.Run("from before the ring", func(t *testing.T) {
		in := subscribe(protocol.Delivery{Start: protocol.Seq(0)})
		eventually(t, "what the ring holds", func() bool { return in.len() == ringFrames })
	})
	t.Run("capped", func(t *testing.T) {
		in := newInbox()
		sub, err := relay.Subscribe(within(t), protocol.Subscribe{Broadcast: "town/ada", Track: "audio/data",
			Delivery: protocol.Delivery{Start: protocol.Seq(n - 10), End: protocol.Seq(n - 6)}}, in)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "up to the cap", func() bool { return in.len() == 5 })
		if err := sub.Update(protocol.Delivery{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the rest", func() bool { return in.len() == 10 })
	})
	fetch := func(group uint64) ([]byte, error) {
		var payload []byte
		err := relay.Fetch(within(t), protocol.Fetch{Broadcast: "town/ada", Track: "audio/data", Group: group}, func(f protocol.Frame) error {
			payload = f.Payload
			return nil
		})
		return payload, err
	}
	t.Run("fetch", func(t *testing.T) {
		payload, err := fetch(n - 5)
		if _, opus, _ := protocol.ParseLegacy(payload); err != nil || !bytes.Equal(opus, packet(n-5)) {
			t.Errorf("%x, %v", payload, err)
		}
	})
	t.Run("fetch what is gone", func(t *testing.T) {
		if _, err := fetch(3); !errors.Is(err, &session.ResetError{Code: protocol.CodeTooOld}) {
			t.Errorf("%v, want too old", err)
		}
	})
	t.Run("fetch what is far ahead", func(t *testing.T) {
		if _, err := fetch(n + 1000); !errors.Is(err, &session.ResetError{Code: protocol.CodeNotFound}) {
			t.Errorf("%v, want not found", err)
		}
	})
	t.Run("fetch what comes next", func(t *testing.T) {
		time.AfterFunc(50*time.Millisecond, func() { _ = s.Send(packet(n)) })
		payload, err := fetch(n)
		if _, opus, _ := protocol.ParseLegacy(payload); err != nil || !bytes.Equal(opus, packet(n)) {
			t.Errorf("%x, %v", payload, err)
		}
	})
}

// TestSpeakerKeepsItsPlace drops a session in the middle and checks that the
// numbering goes on and that the relay can take what it missed.
func TestSpeakerKeepsItsPlace(t *testing.T) {
	h := (&host{}).start(t)
	s, _ := speak(t, SpeakOptions{Room: "town", Name: "ada", Relays: []string{h.url()}, HopID: 5})
	first := h.next(t)
	if err := s.WaitReady(within(t)); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		_ = s.Send(packet(i))
	}
	first.Close(protocol.CodeCancel, "restarting")
	for i := range 10 {
		_ = s.Send(packet(10 + i))
	}
	second := h.next(t)
	if setup, _ := second.Peer(); setup.HopID != 5 {
		t.Errorf("hop id %d after the reconnect, want 5", setup.HopID)
	}
	in := newInbox()
	if _, err := second.Subscribe(within(t), protocol.Subscribe{Broadcast: "town/ada", Track: "audio/data",
		Delivery: protocol.Delivery{Start: protocol.Seq(10)}}, in); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what was missed", func() bool { return in.len() == 10 })
	if _, opus, _ := protocol.ParseLegacy(in.frames[19].Payload); !bytes.Equal(opus, packet(19)) {
		t.Errorf("group 19 holds %x", opus)
	}
	eventually(t, "the second session in the stats", func() bool {
		st := s.Stats()
		return st.Sent == 20 && st.Relays[0].Sessions == 2 && st.Relays[0].Up
	})
}

func TestSpeakerIsLiveOnAllItsRelays(t *testing.T) {
	a, b := (&host{}).start(t), (&host{}).start(t)
	s, _ := speak(t, SpeakOptions{Room: "town", Name: "ada", Relays: []string{a.url(), b.url()}})
	relays := []*hosted{a.next(t), b.next(t)}
	var inboxes []*inbox
	for _, relay := range relays {
		in := newInbox()
		if _, err := relay.Subscribe(within(t), protocol.Subscribe{Broadcast: "town/ada", Track: "audio/data"}, in); err != nil {
			t.Fatal(err)
		}
		inboxes = append(inboxes, in)
	}
	one, _ := relays[0].Peer()
	two, _ := relays[1].Peer()
	if one.HopID != two.HopID || one.HopID == 0 {
		t.Errorf("hop ids %d and %d, want one", one.HopID, two.HopID)
	}
	eventually(t, "both to subscribe", func() bool { return s.broadcast.view().serving == 2 })
	if err := s.Play(within(t), &packets{n: 10}); err != nil {
		t.Fatal(err)
	}
	for i, in := range inboxes {
		eventually(t, "every packet", func() bool { return in.len() == 10 })
		if !bytes.Equal(in.frames[7].Payload, inboxes[0].frames[7].Payload) {
			t.Errorf("relay %d got other bytes", i)
		}
	}
}

// TestSpeakerEnds is what stops a Speaker, and what it says then.
func TestSpeakerEnds(t *testing.T) {
	each(t, func(t *testing.T, transport Transport) {
		tests := []struct {
			name string
			do   func(*hosted)
			kind error
		}{
			{"name taken", func(s *hosted) { s.Close(protocol.CodeDuplicate, "town/ada is live") }, ErrNameTaken},
			{"not allowed", func(s *hosted) { s.Close(protocol.CodeUnauthorized, "no") }, ErrNotAllowed},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				h := (&host{}).start(t)
				err := make(chan error, 1)
				go func() {
					err <- Speak(t.Context(), SpeakOptions{Room: "town", Name: "ada", Relays: []string{h.url()},
						Dial: Options{Transport: transport}}, &packets{n: 1 << 20})
				}()
				tt.do(h.next(t))
				select {
				case err := <-err:
					if !errors.Is(err, tt.kind) {
						t.Errorf("Speak = %v, want %v", err, tt.kind)
					}
				case <-within(t).Done():
					t.Fatal("Speak goes on")
				}
			})
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		err := Speak(t.Context(), SpeakOptions{Room: "town", Name: "ada", Relays: []string{"https://no-such-host.invalid"},
			ConnectTimeout: 100 * time.Millisecond}, &packets{n: 5})
		if !isKind(err, ErrUnreachable) {
			t.Errorf("Speak = %v, want ErrUnreachable", err)
		}
	})
	t.Run("not to be trusted", func(t *testing.T) {
		h := (&host{}).start(t)
		err := Speak(t.Context(), SpeakOptions{Room: "town", Name: "ada", Relays: []string{h.url()},
			Dial: Options{CertificateHashes: []Hash{{}}}}, &packets{n: 5})
		if !isKind(err, ErrCertificate) {
			t.Errorf("Speak = %v, want ErrCertificate", err)
		}
	})
	t.Run("source ended", func(t *testing.T) {
		h := (&host{}).start(t)
		err := Speak(t.Context(), SpeakOptions{Room: "town", Name: "ada", Relays: []string{h.url()}}, &packets{n: 3})
		if err != nil {
			t.Errorf("Speak = %v", err)
		}
	})
	t.Run("source broke", func(t *testing.T) {
		h := (&host{}).start(t)
		broken := errors.New("disk on fire")
		err := Speak(t.Context(), SpeakOptions{Room: "town", Name: "ada", Relays: []string{h.url()}}, failing{broken})
		if !errors.Is(err, broken) {
			t.Errorf("Speak = %v, want the source's error", err)
		}
	})
	t.Run("context ended", func(t *testing.T) {
		h := (&host{}).start(t)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		err := Speak(ctx, SpeakOptions{Room: "town", Name: "ada", Relays: []string{h.url()}}, &packets{n: 1 << 20})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Speak = %v, want canceled", err)
		}
	})
}

type failing struct{ err error }

func (f failing) Next() ([]byte, float32, error) { return nil, 0, f.err }

// TestSpeakerAnnouncesItsEnd follows a broadcast to its end.
func TestSpeakerAnnouncesItsEnd(t *testing.T) {
	h := (&host{}).start(t)
	s, _ := speak(t, SpeakOptions{Room: "town", Name: "ada", Relays: []string{h.url()}})
	relay := h.next(t)
	a, err := relay.Announced(within(t), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if msg, err := a.Next(); err != nil || msg.Status != protocol.AnnounceActive {
		t.Fatalf("%+v, %v", msg, err)
	}
	in := newInbox()
	sub, err := relay.Subscribe(within(t), protocol.Subscribe{Broadcast: "town/ada", Track: "audio/data"}, in)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the subscription", func() bool { return s.broadcast.view().serving == 1 })
	for i := range 100 { // the last ones are on their way when the end is said
		_ = s.Send(packet(i))
	}
	ended := make(chan protocol.Announce, 1)
	go func() {
		msg, _ := a.Next()
		ended <- msg
	}()
	s.Close()
	if msg := <-ended; msg.Status != protocol.AnnounceEnded || msg.Suffix != "town/ada" {
		t.Errorf("%+v, want ended", msg)
	}
	if n := in.len(); n != 100 {
		t.Errorf("%d frames came before the end, want 100", n)
	}
	select {
	case <-sub.Done():
	case <-within(t).Done():
		t.Error("the subscription goes on")
	}
}

// TestSlowRelay does not read at all: the speaker goes on at its own pace, and
// counts what that relay loses.
func TestSlowRelay(t *testing.T) {
	h := (&host{}).start(t)
	s, _ := speak(t, SpeakOptions{Room: "town", Name: "ada", Relays: []string{h.url()}, Dial: Options{Transport: QUIC}})
	relay := h.next(t)
	stuck := &stuckSink{release: make(chan struct{})}
	defer close(stuck.release)
	if _, err := relay.Subscribe(within(t), protocol.Subscribe{Broadcast: "town/ada", Track: "audio/data"}, stuck); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the subscription", func() bool { return s.broadcast.view().serving == 1 })
	for i := range 2000 {
		if err := s.Send(packet(i)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Stats().Sent; got != 2000 {
		t.Errorf("%d frames published, want 2000", got)
	}
}

type stuckSink struct{ release chan struct{} }

func (s *stuckSink) Datagram(uint64, protocol.Frame) { <-s.release }
func (s *stuckSink) Group(context.Context, *session.GroupReader) {
	<-s.release
}

func TestSpeakerRefusesWhatIsNoAudio(t *testing.T) {
	s, err := NewSpeaker(SpeakOptions{Room: "town", Name: "ada", Relays: []string{"https://127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		opus []byte
		good bool
	}{
		{"20 ms", packet(1), true},
		{"nothing", nil, true},
		{"a page", []byte("<html>"), false},
		{"10 ms", []byte{0xf4, 1, 2}, false},
		{"60 ms", []byte{0x18, 1, 2}, false},
		{"cut short", []byte{0xff}, false},
		{"too large for a datagram", append([]byte{0xfc}, make([]byte, 1200)...), false},
	} {
		if err := s.Send(tt.opus); (err == nil) != tt.good || err != nil && !errors.Is(err, ErrPacket) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestSpeakerOptions(t *testing.T) {
	good := SpeakOptions{Room: "Sala de reuniões", Name: "Ада Лавлейс", Relays: []string{"https://127.0.0.1:1"}}
	if _, err := NewSpeaker(good); err != nil {
		t.Errorf("names in other scripts with spaces: %v", err)
	}
	for _, tt := range []struct {
		name   string
		change func(*SpeakOptions)
		text   string
	}{
		{"no room", func(o *SpeakOptions) { o.Room = "" }, "room: bad address: the name is empty"},
		{"slash", func(o *SpeakOptions) { o.Name = "a/b" }, "slash"},
		{"300 characters", func(o *SpeakOptions) { o.Name = strings.Repeat("ß", 300) }, "300 characters"},
		{"control character", func(o *SpeakOptions) { o.Name = "a\x07" }, "control"},
		{"reserved", func(o *SpeakOptions) { o.Room = ".stentor" }, "reserved"},
		{"not UTF-8", func(o *SpeakOptions) { o.Room = "\xff" }, "UTF-8"},
		{"no relay", func(o *SpeakOptions) { o.Relays = nil }, "no relay"},
		{"no URL", func(o *SpeakOptions) { o.Relays = []string{"relay"} }, "no scheme"},
	} {
		o := good
		tt.change(&o)
		if _, err := NewSpeaker(o); !errors.Is(err, ErrAddress) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, want an ErrAddress that says %q", tt.name, err, tt.text)
		}
	}
}
