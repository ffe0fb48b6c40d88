package relay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a relay on loopback until the test ends.
func start(t *testing.T, cfg relay.Config) *relay.Relay {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	cfg.Name = "relay-a"
	if cfg.Keys == "" {
		cfg.Open = true
	}
	ready := make(chan struct{})
	cfg.OnReady = func(*relay.Relay) { close(ready) }
	r, err := relay.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	<-ready
	return r
}

func within(t *testing.T) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), 15*time.Second)
	t.Cleanup(stop)
	return ctx
}

var transports = map[string]client.Transport{"quic": client.QUIC, "webtransport": client.WebTransport}

func eachTransport(t *testing.T, run func(t *testing.T, transport client.Transport)) {
	for name, transport := range transports {
		t.Run(name, func(t *testing.T) { run(t, transport) })
	}
}

// dial opens a session that ends with the test.
func dial(t *testing.T, url string, o client.Options) *client.Session {
	t.Helper()
	s, err := client.Dial(within(t), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// voice publishes one broadcast of packets whose bytes tell their sequence.
type voice struct {
	t     *testing.T
	path  protocol.Path
	hopID uint64

	mu      sync.Mutex
	groups  []protocol.Frame
	changed chan struct{}
	asked   []protocol.Subscribe // SUBSCRIBEs that came
	heard   chan struct{}        // receives for each
	fetched []uint64
}

func newVoice(t *testing.T, path protocol.Path) *voice {
	return &voice{t: t, path: path, hopID: client.NewHopID(), changed: make(chan struct{}), heard: make(chan struct{}, 16)}
}

// packet is a well-formed 20 ms Opus packet (RFC 6716 §3.1: CELT, one frame)
// that tells its number.
func packet(n int) []byte { return []byte{0xf8, byte(n), byte(n >> 8), 0xaa, 0x55} }

func (v *voice) speak(n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for range n {
		i := len(v.groups)
		timestamp := uint64(i) * 20_000
		v.groups = append(v.groups, protocol.Frame{Timestamp: timestamp, Payload: protocol.AppendLegacy(nil, timestamp, packet(i))})
	}
	close(v.changed)
	v.changed = make(chan struct{})
}

func (v *voice) Announce(ctx context.Context, w *session.AnnounceWriter) error {
	suffix, ok := v.path.TrimPrefix(w.Request.Prefix)
	if !ok {
		suffix = ""
	}
	if err := w.Initial(v.hopID, []protocol.Announce{{Status: protocol.AnnounceActive, Suffix: suffix}}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (v *voice) Track(_ context.Context, req protocol.TrackRequest) (protocol.TrackInfo, error) {
	if req.Track != protocol.TrackAudio {
		return protocol.TrackInfo{}, session.Refuse(protocol.CodeNotFound, "no track %s", req.Track)
	}
	return protocol.TrackInfo{MaxLatency: 30000, Timescale: protocol.AudioTimescale}, nil
}

// Subscribe sends datagrams from the newest group on, or from Group Start.
func (v *voice) Subscribe(ctx context.Context, sub *session.Subscriber) error {
	v.mu.Lock()
	v.asked = append(v.asked, sub.Request)
	next := len(v.groups) - 1
	v.mu.Unlock()
	v.heard <- struct{}{}
	if s := sub.Request.Start; s.OK {
		next = int(s.Value)
	}
	for next = max(next, 0); ; next++ {
		f, ok := v.await(ctx, next)
		if !ok {
			return nil
		}
		body := protocol.Datagram{SubscribeID: sub.Request.ID, Sequence: uint64(next), Timestamp: f.Timestamp, Payload: f.Payload}.Append(nil)
		if err := sub.SendDatagram(body); err != nil {
			return err
		}
	}
}

func (v *voice) await(ctx context.Context, n int) (protocol.Frame, bool) {
	for {
		v.mu.Lock()
		changed := v.changed
		if n < len(v.groups) {
			defer v.mu.Unlock()
			return v.groups[n], true
		}
		v.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return protocol.Frame{}, false
		}
	}
}

func (v *voice) Fetch(_ context.Context, req protocol.Fetch, w *session.GroupWriter) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fetched = append(v.fetched, req.Group)
	if req.Group >= uint64(len(v.groups)) {
		return session.Refuse(protocol.CodeNotFound, "no group %d", req.Group)
	}
	return w.Write(v.groups[req.Group])
}

func (v *voice) publish(url string, o client.Options) *client.Session {
	o.Publisher, o.HopID = v, v.hopID
	return dial(v.t, url, o)
}

// sentAway publishes and returns why the relay ends that: after the session has
// been made, or just before.
func (v *voice) sentAway(url string, o client.Options) error {
	v.t.Helper()
	o.Publisher, o.HopID = v, v.hopID
	s, err := client.Dial(within(v.t), url, o)
	if err != nil {
		return err
	}
	defer s.Close()
	select {
	case <-s.Done():
	case <-time.After(15 * time.Second):
		v.t.Fatal("the publisher was not sent away")
	}
	return s.Err()
}

// ear is a sink that keeps what comes and how.
type ear struct {
	mu        sync.Mutex
	datagrams map[uint64]protocol.Frame
	groups    map[uint64][]protocol.Frame
	order     []uint64
	came      chan struct{}
}

func newEar() *ear {
	return &ear{datagrams: make(map[uint64]protocol.Frame), groups: make(map[uint64][]protocol.Frame), came: make(chan struct{}, 4096)}
}

func (e *ear) Datagram(sequence uint64, f protocol.Frame) {
	e.mu.Lock()
	e.datagrams[sequence] = f
	e.order = append(e.order, sequence)
	e.mu.Unlock()
	e.came <- struct{}{}
}

func (e *ear) Group(_ context.Context, g *session.GroupReader) {
	var frames []protocol.Frame
	for {
		f, err := g.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return
		}
		frames = append(frames, f)
	}
	e.mu.Lock()
	e.groups[g.Sequence] = frames
	e.order = append(e.order, g.Sequence)
	e.mu.Unlock()
	e.came <- struct{}{}
}

// newest is what the last of the groups says that have come, whatever their order was:
// each has a stream of its own. Nil before the first.
func (e *ear) newest() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.order) == 0 {
		return nil
	}
	return e.groups[slices.Max(e.order)][0].Payload
}

func (e *ear) wait(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		select {
		case <-e.came:
		case <-time.After(15 * time.Second):
			t.Fatalf("only %d of %d groups came", i, n)
		}
	}
}

// subscribe asks for TRACK_INFO and the track, as clients do.
func subscribe(t *testing.T, s *client.Session, path protocol.Path, track string, d protocol.Delivery) (*ear, *session.Subscription) {
	t.Helper()
	info, err := s.TrackInfo(within(t), path, track)
	if err != nil {
		t.Fatal(err)
	}
	if info.Timescale != protocol.AudioTimescale {
		t.Errorf("timescale %d", info.Timescale)
	}
	e := newEar()
	sub, err := s.Subscribe(within(t), protocol.Subscribe{Broadcast: path, Track: track, Delivery: d}, e)
	if err != nil {
		t.Fatal(err)
	}
	return e, sub
}

func TestFramesReachListenersUnchanged(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		r := start(t, relay.Config{})
		v := newVoice(t, "town/ada")
		v.publish(r.URL(), client.Options{Transport: transport})
		v.speak(1)
		s := dial(t, r.URL(), client.Options{Transport: transport, Role: protocol.RoleSubscriber})
		e, _ := subscribe(t, s, "town/ada", protocol.TrackAudio, protocol.Delivery{Priority: 80})
		e.wait(t, 1)
		for range 11 { // a WebTransport session queues 32 datagrams, no more
			v.speak(9)
			e.wait(t, 9)
		}
		for i := range 100 {
			f, ok := e.datagrams[uint64(i)]
			if want := v.groups[i]; !ok || f.Timestamp != want.Timestamp || !bytes.Equal(f.Payload, want.Payload) {
				t.Fatalf("group %d: %v %+v, want %+v", i, ok, f, want)
			}
		}
		if len(v.asked) != 1 {
			t.Errorf("%d subscriptions at the speaker, want 1", len(v.asked))
		}
	})
}

func TestWhoDoesNotReadDatagramsGetsStreams(t *testing.T) {
	r := start(t, relay.Config{})
	v := newVoice(t, "town/ada")
	v.publish(r.URL(), client.Options{})
	v.speak(1)
	s := dial(t, r.URL(), client.Options{NoDatagrams: true})
	e, _ := subscribe(t, s, "town/ada", protocol.TrackAudio, protocol.Delivery{})
	e.wait(t, 1)
	v.speak(20)
	e.wait(t, 20)
	for i := range uint64(21) {
		if f := e.groups[i]; len(f) != 1 || !bytes.Equal(f[0].Payload, v.groups[i].Payload) || f[0].Timestamp != v.groups[i].Timestamp {
			t.Fatalf("group %d: %+v", i, f)
		}
	}
	if len(e.datagrams) != 0 {
		t.Errorf("%d datagrams", len(e.datagrams))
	}
}

func TestManyListenersOneSubscriptionUpstream(t *testing.T) {
	r := start(t, relay.Config{})
	v := newVoice(t, "town/ada")
	v.publish(r.URL(), client.Options{})
	v.speak(1)
	const n = 20
	var ears []*ear
	for range n {
		e, _ := subscribe(t, dial(t, r.URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
		ears = append(ears, e)
	}
	for _, e := range ears {
		e.wait(t, 1)
	}
	v.speak(50)
	for i, e := range ears {
		e.wait(t, 50)
		if len(e.datagrams) != 51 {
			t.Errorf("listener %d got %d", i, len(e.datagrams))
		}
	}
	if len(v.asked) != 1 {
		t.Errorf("%d subscriptions at the speaker, want 1", len(v.asked))
	}
}

func TestGroupStartResumesFromTheRing(t *testing.T) {
	r := start(t, relay.Config{})
	v := newVoice(t, "town/ada")
	v.publish(r.URL(), client.Options{})
	v.speak(1)
	first, _ := subscribe(t, dial(t, r.URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
	first.wait(t, 1)
	v.speak(60)
	first.wait(t, 60)
	late, _ := subscribe(t, dial(t, r.URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{Start: protocol.Seq(41)})
	late.wait(t, 20)
	for i := uint64(41); i <= 60; i++ {
		if _, ok := late.datagrams[i]; !ok {
			t.Errorf("group %d is missing", i)
		}
	}
	if got := fmt.Sprint(late.order); got != "[41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60]" {
		t.Errorf("order %s", got)
	}
}

func TestFetchFromTheRingAndThroughIt(t *testing.T) {
	r := start(t, relay.Config{})
	v := newVoice(t, "town/ada")
	v.publish(r.URL(), client.Options{})
	v.speak(30)
	s := dial(t, r.URL(), client.Options{})
	e, _ := subscribe(t, s, "town/ada", protocol.TrackAudio, protocol.Delivery{}) // begins at 29
	e.wait(t, 1)
	v.speak(10)
	e.wait(t, 10)
	fetch := func(group uint64) ([]protocol.Frame, error) {
		var frames []protocol.Frame
		err := s.Fetch(within(t), protocol.Fetch{Broadcast: "town/ada", Track: protocol.TrackAudio, Group: group}, func(f protocol.Frame) error {
			frames = append(frames, f)
			return nil
		})
		return frames, err
	}
	got, err := fetch(33)
	if err != nil || len(got) != 1 || !bytes.Equal(got[0].Payload, v.groups[33].Payload) {
		t.Errorf("from the ring: %+v, %v", got, err)
	}
	v.mu.Lock()
	if len(v.fetched) != 0 {
		t.Errorf("the speaker was asked for %v", v.fetched)
	}
	v.mu.Unlock()
	got, err = fetch(12) // before the relay came in
	if err != nil || len(got) != 1 || !bytes.Equal(got[0].Payload, v.groups[12].Payload) {
		t.Errorf("through the ring: %+v, %v", got, err)
	}
	if _, err := fetch(5000); !errors.Is(err, &session.ResetError{Code: protocol.CodeNotFound}) {
		t.Errorf("far ahead: %v", err)
	}
	waited := make(chan error, 1)
	go func() {
		_, err := fetch(41)
		waited <- err
	}()
	v.speak(2)
	if err := <-waited; err != nil {
		t.Errorf("the next one: %v", err)
	}
}

func TestBundlesCarryTheSamePackets(t *testing.T) {
	for track, size := range map[string]int{protocol.Track60: 3, protocol.Track120: 6} {
		t.Run(track, func(t *testing.T) {
			r := start(t, relay.Config{})
			v := newVoice(t, "town/ada")
			v.publish(r.URL(), client.Options{})
			e, _ := subscribe(t, dial(t, r.URL(), client.Options{}), "town/ada", track, protocol.Delivery{})
			<-v.heard
			const bundles = 8
			v.speak(bundles * size)
			e.wait(t, bundles)
			for n := range bundles {
				f := e.datagrams[uint64(n)]
				packets, err := protocol.ParseBundle(f.Payload, size)
				if err != nil || f.Timestamp != uint64(n*size)*20_000 {
					t.Fatalf("bundle %d at %d: %v", n, f.Timestamp, err)
				}
				for i, p := range packets {
					if !bytes.Equal(p, packet(n*size+i)) {
						t.Errorf("bundle %d slot %d is %x", n, i, p)
					}
				}
			}
			if v.asked[0].Track != protocol.TrackAudio || len(v.asked) != 1 {
				t.Errorf("asked the speaker for %+v", v.asked)
			}
		})
	}
}

func TestSilenceBringsTicks(t *testing.T) {
	r := start(t, relay.Config{})
	s := dial(t, r.URL(), client.Options{})
	e, _ := subscribe(t, s, ".stentor/relay", "tick", protocol.Delivery{})
	e.wait(t, 2)
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.datagrams) < 2 || e.datagrams[0].Timestamp == 0 {
		t.Errorf("ticks %+v", e.datagrams)
	}
}

func TestListenersSeeBroadcastsComeAndGo(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		r := start(t, relay.Config{})
		s := dial(t, r.URL(), client.Options{Transport: transport})
		a, err := s.Announced(within(t), "town", 0)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := a.Initial(); n != 0 || err != nil {
			t.Errorf("initial %d, %v", n, err)
		}
		v := newVoice(t, "town/ada")
		speaker := v.publish(r.URL(), client.Options{Transport: transport})
		msg, err := a.Next()
		if err != nil || msg.Status != protocol.AnnounceActive || msg.Suffix != "ada" || msg.Hops[0] != v.hopID {
			t.Errorf("announced %+v, %v", msg, err)
		}
		speaker.Close()
		msg, err = a.Next() // after the linger
		if err != nil || msg.Status != protocol.AnnounceEnded || msg.Suffix != "ada" {
			t.Errorf("announced %+v, %v", msg, err)
		}
	})
}

func TestSpeakerWhoComesBackIsTheSame(t *testing.T) {
	r := start(t, relay.Config{})
	v := newVoice(t, "town/ada")
	first := v.publish(r.URL(), client.Options{})
	v.speak(1)
	e, sub := subscribe(t, dial(t, r.URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
	e.wait(t, 1)
	v.speak(10)
	e.wait(t, 10)
	first.Close()
	v.speak(5) // while nobody carries it
	v.publish(r.URL(), client.Options{})
	e.wait(t, 5)
	v.speak(5)
	e.wait(t, 5)
	if len(e.datagrams) != 21 || sub.Err() != nil {
		t.Errorf("%d groups, subscription %v", len(e.datagrams), sub.Err())
	}
}

func TestAnotherPublisherCannotTakeALiveName(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		r := start(t, relay.Config{})
		v := newVoice(t, "town/ada")
		v.publish(r.URL(), client.Options{Transport: transport})
		v.speak(1)
		e, _ := subscribe(t, dial(t, r.URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
		e.wait(t, 1)

		err := newVoice(t, "town/ada").sentAway(r.URL(), client.Options{Transport: transport})
		if !errors.Is(err, &session.ClosedError{Code: protocol.CodeDuplicate}) || !strings.Contains(err.Error(), "choose another name") {
			t.Errorf("told %v", err)
		}
		v.speak(10)
		e.wait(t, 10)
	})
}

func TestNonOpusCostsItsSender(t *testing.T) {
	r := start(t, relay.Config{Admin: "127.0.0.1:0"})
	good, bad := newVoice(t, "town/ada"), newVoice(t, "town/eve")
	good.publish(r.URL(), client.Options{})
	good.speak(1)
	e, _ := subscribe(t, dial(t, r.URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
	e.wait(t, 1)
	eve := bad.publish(r.URL(), client.Options{})
	_, sub := subscribe(t, dial(t, r.URL(), client.Options{}), "town/eve", protocol.TrackAudio, protocol.Delivery{})
	<-bad.heard
	bad.mu.Lock()
	for range 60 { // code 1 wants two frames of equal length
		bad.groups = append(bad.groups, protocol.Frame{Payload: []byte{0x00, 0xf9, 1, 2, 3}})
	}
	bad.mu.Unlock()
	bad.speak(0)
	select {
	case <-eve.Done():
	case <-time.After(15 * time.Second):
		t.Fatal("the sender of nonsense was not sent away")
	}
	if err := eve.Err(); !strings.Contains(err.Error(), "not an Opus packet") {
		t.Errorf("told %v", err)
	}
	<-sub.Done()
	good.speak(10)
	e.wait(t, 10)
	if metrics := get(t, "http://"+r.AdminAddr().String()+"/metrics"); !strings.Contains(metrics, `stentor_ingest_dropped_total{reason="not_opus"} 50`) {
		t.Errorf("metrics lack the count:\n%s", grep(metrics, "stentor_ingest"))
	}
}

func TestUnknownBroadcastIsRefused(t *testing.T) {
	r := start(t, relay.Config{})
	s := dial(t, r.URL(), client.Options{})
	_, err := s.TrackInfo(within(t), "nobody/here", protocol.TrackAudio)
	if !errors.Is(err, &session.ResetError{Code: protocol.CodeUnroutable}) {
		t.Errorf("refused with %v", err)
	}
}

func TestReservedNamesCannotBePublished(t *testing.T) {
	r := start(t, relay.Config{})
	err := newVoice(t, ".stentor/relay").sentAway(r.URL(), client.Options{})
	if !errors.Is(err, &session.ClosedError{Code: protocol.CodeUnauthorized}) {
		t.Errorf("told %v", err)
	}
}

func TestShutdownAsksSessionsToLeave(t *testing.T) {
	ready := make(chan struct{})
	r, err := relay.New(relay.Config{Listen: "127.0.0.1:0", Open: true, OnReady: func(*relay.Relay) { close(ready) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	<-ready
	asked := make(chan string, 1)
	s := dial(t, r.URL(), client.Options{OnGoaway: func(url string) { asked <- url }})
	stop()
	select {
	case <-asked:
	case <-time.After(15 * time.Second):
		t.Error("no GOAWAY")
	}
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
	<-s.Done()
	if _, err := client.Dial(within(t), r.URL(), client.Options{Timeout: time.Second}); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("after the end: %v", err)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return string(b)
}

func grep(text, word string) string {
	var out []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}
