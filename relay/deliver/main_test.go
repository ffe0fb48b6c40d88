package deliver

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stentor-audio/stentor/internal/testnet"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// longEnough bounds every wait for something that must come.
const longEnough = 30 * time.Second

func within(t *testing.T) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), longEnough)
	t.Cleanup(stop)
	return ctx
}

// eventually waits for what announces itself to nobody.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.After(longEnough); !so(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("still not so: %s", what)
		}
	}
}

// A desk is a source in memory: what is written goes to whoever has subscribed.
type desk struct {
	mu     sync.Mutex
	tracks map[string]*room.Track
}

func (s *desk) TrackInfo(context.Context, string) (protocol.TrackInfo, error) {
	return protocol.TrackInfo{MaxLatency: 5000, Timescale: protocol.AudioTimescale}, nil
}

func (s *desk) Subscribe(_ context.Context, t *room.Track, _ protocol.Delivery) (room.Feed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracks[t.Name] = t
	return &line{done: make(chan struct{})}, nil
}

func (s *desk) Fetch(context.Context, string, uint64, func(protocol.Frame) error) error {
	return session.Refuse(protocol.CodeNotFound, "not here")
}

func (s *desk) Alive() bool     { return true }
func (s *desk) FirstHand() bool { return true }
func (s *desk) Restarts() bool  { return false }

// track is a track somebody has subscribed to.
func (s *desk) track(t *testing.T, name string) *room.Track {
	t.Helper()
	var track *room.Track
	eventually(t, "somebody wants "+name, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		track = s.tracks[name]
		return track != nil
	})
	return track
}

type line struct {
	once sync.Once
	done chan struct{}
}

func (f *line) Update(protocol.Delivery) error { return nil }
func (f *line) Close()                         { f.once.Do(func() { close(f.done) }) }
func (f *line) Done() <-chan struct{}          { return f.done }
func (f *line) Err() error                     { return io.EOF }

// packet is the group of that number: 20 ms of Opus that tell it.
func packet(n uint64) *room.Group {
	payload := protocol.AppendLegacy(nil, n*20_000, []byte{0xf8, byte(n), byte(n >> 8), 0x55})
	return room.NewWhole(n, protocol.Frame{Timestamp: n * 20_000, Payload: payload}, time.Now())
}

// A hall is a relay's inside with one voice, town/ada.
type hall struct {
	t      *testing.T
	origin *room.Origin
	ada    *desk
	voice  *room.Publication
}

func newHall(t *testing.T) *hall {
	h := &hall{t: t, origin: room.NewOrigin(room.Config{HopID: 1}), ada: &desk{tracks: make(map[string]*room.Track)}}
	t.Cleanup(h.origin.Close)
	h.voice = h.publish("town/ada", 2, h.ada)
	return h
}

func (h *hall) publish(path protocol.Path, hop uint64, src room.Source) *room.Publication {
	h.t.Helper()
	p, err := h.origin.Publish(path, []uint64{hop}, src)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// say writes audio packets from..to-1.
func (h *hall) say(from, to uint64) {
	track := h.ada.track(h.t, protocol.TrackAudio)
	for n := from; n < to; n++ {
		track.Write(packet(n))
	}
}

// A seat is a session with the hall: of the two ends, the listener's and ours.
type seat struct {
	*session.Session // the listener's
	deliver          *Deliver
	served           chan *session.Subscriber // each SUBSCRIBE as it comes
}

// sitting says how somebody listens.
type sitting struct {
	transport string // empty: native QUIC
	streams   bool   // reads no datagrams
	cfg       Config
	held      bool // Start is not called
	wrap      func(session.Conn) session.Conn
}

// enter opens a session that ends with the test.
func (h *hall) enter(o sitting) *seat {
	h.t.Helper()
	if o.transport == "" {
		o.transport = "quic"
	}
	near, far := testnet.Pair(h.t, o.transport)
	if o.wrap != nil {
		far = o.wrap(far)
	}
	d := New(h.origin)
	s := &seat{
		Session: session.New(near, session.Config{Setup: protocol.Setup{Datagrams: !o.streams}}),
		deliver: d,
		served:  make(chan *session.Subscriber, 16),
	}
	ours := session.New(far, session.Config{Publisher: observed{d, s.served}})
	var tasks sync.WaitGroup
	for _, end := range []*session.Session{s.Session, ours} {
		tasks.Go(func() { _ = end.Run(context.Background()) })
	}
	h.t.Cleanup(func() {
		s.Close(protocol.CodeCancel, "")
		tasks.Wait()
		d.Wait()
	})
	if o.cfg.Prefixes == nil {
		o.cfg.Prefixes = []protocol.Path{""}
	}
	if !o.held {
		d.Start(o.cfg)
	}
	if _, err := ours.PeerSetup(within(h.t)); err != nil {
		h.t.Fatal(err)
	}
	return s
}

// observed shows the test each subscription.
type observed struct {
	*Deliver
	served chan *session.Subscriber
}

func (o observed) Subscribe(ctx context.Context, sub *session.Subscriber) error {
	o.served <- sub
	return o.Deliver.Subscribe(ctx, sub)
}

// listen subscribes to town/ada.
func (s *seat) listen(t *testing.T, track string, d protocol.Delivery) (*ear, *session.Subscription) {
	t.Helper()
	e := &ear{t: t, came: make(chan struct{}, 1)}
	sub, err := s.Subscribe(within(t), protocol.Subscribe{Broadcast: "town/ada", Track: track, Delivery: d}, e)
	if err != nil {
		t.Fatal(err)
	}
	return e, sub
}

// An ear keeps what a subscription brings.
type ear struct {
	t    *testing.T
	came chan struct{} // receives after a frame, and after the end of a group stream

	mu        sync.Mutex
	datagrams []uint64
	streams   []uint64
	frames    map[uint64][]string // of group streams
	failed    map[uint64]error    // how a group stream ended, unless well
}

func (e *ear) signal() {
	select {
	case e.came <- struct{}{}:
	default: // not yet seen to be more
	}
}

func (e *ear) Datagram(sequence uint64, _ protocol.Frame) {
	e.mu.Lock()
	e.datagrams = append(e.datagrams, sequence)
	e.mu.Unlock()
	e.signal()
}

func (e *ear) Group(_ context.Context, g *session.GroupReader) {
	e.mu.Lock()
	e.streams = append(e.streams, g.Sequence)
	e.mu.Unlock()
	for {
		f, err := g.Next()
		e.mu.Lock()
		switch {
		case err == nil:
			if e.frames == nil {
				e.frames = make(map[uint64][]string)
			}
			e.frames[g.Sequence] = append(e.frames[g.Sequence], string(f.Payload))
		case !errors.Is(err, io.EOF):
			if e.failed == nil {
				e.failed = make(map[uint64]error)
			}
			e.failed[g.Sequence] = err
		}
		e.mu.Unlock()
		e.signal()
		if err != nil {
			return
		}
	}
}

// until waits for what comes until so says that it suffices. so runs under the
// ear's lock.
func (e *ear) until(what string, so func() bool) {
	e.t.Helper()
	late := time.After(longEnough)
	for {
		e.mu.Lock()
		done := so()
		e.mu.Unlock()
		if done {
			return
		}
		select {
		case <-e.came:
		case <-late:
			e.mu.Lock()
			defer e.mu.Unlock()
			e.t.Fatalf("still not so: %s; datagrams %v, streams %v", what, e.datagrams, e.streams)
		}
	}
}

// has returns a condition for until: that many datagrams.
func (e *ear) has(datagrams int) func() bool {
	return func() bool { return len(e.datagrams) >= datagrams }
}

// A valve is a connection whose datagrams the test holds up.
type valve struct {
	session.Conn
	send func(body []byte, pass func([]byte) error) error
}

func (v *valve) SendDatagram(b []byte) error { return v.send(b, v.Conn.SendDatagram) }

// A miser is a connection that allows streams only while open is set.
type miser struct {
	session.Conn
	allow func() bool
}

func (m *miser) OpenUniStream() (session.SendStream, error) {
	if !m.allow() {
		return nil, session.ErrNoCredit
	}
	return m.Conn.OpenUniStream()
}
