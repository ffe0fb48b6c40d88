package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stentor-audio/stentor/internal/testnet"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// eachTransport runs a test over native QUIC and over WebTransport.
func eachTransport(t *testing.T, run func(t *testing.T, transport string)) {
	for _, transport := range testnet.Transports {
		t.Run(transport, func(t *testing.T) { run(t, transport) })
	}
}

// run drives a session until the test ends.
func run(t *testing.T, conn session.Conn, cfg session.Config) *session.Session {
	t.Helper()
	s := session.New(conn, cfg)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return s
}

// pair is a client that requests and a server that publishes.
func pair(t *testing.T, transport string, publisher session.Publisher) (client, server *session.Session) {
	t.Helper()
	c, s := testnet.Pair(t, transport)
	server = run(t, s, session.Config{Publisher: publisher, Setup: protocol.Setup{HopID: 7777, Probe: protocol.ProbeReport}})
	client = run(t, c, session.Config{Setup: protocol.Setup{HopID: 42, Datagrams: true}})
	return client, server
}

func within(t *testing.T) context.Context {
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(stop)
	return ctx
}

// stage is a publisher made of functions; a nil one refuses.
type stage struct {
	announce  func(context.Context, *session.AnnounceWriter) error
	track     func(context.Context, protocol.TrackRequest) (protocol.TrackInfo, error)
	subscribe func(context.Context, *session.Subscriber) error
	fetch     func(context.Context, protocol.Fetch, *session.GroupWriter) error
}

var errNo = session.Refuse(protocol.CodeNotFound, "no such thing")

func (p stage) Announce(ctx context.Context, w *session.AnnounceWriter) error {
	if p.announce == nil {
		return errNo
	}
	return p.announce(ctx, w)
}

func (p stage) Track(ctx context.Context, req protocol.TrackRequest) (protocol.TrackInfo, error) {
	if p.track == nil {
		return protocol.TrackInfo{}, errNo
	}
	return p.track(ctx, req)
}

func (p stage) Subscribe(ctx context.Context, sub *session.Subscriber) error {
	if p.subscribe == nil {
		return errNo
	}
	return p.subscribe(ctx, sub)
}

func (p stage) Fetch(ctx context.Context, req protocol.Fetch, w *session.GroupWriter) error {
	if p.fetch == nil {
		return errNo
	}
	return p.fetch(ctx, req, w)
}

// inbox is a sink that keeps what it gets.
type inbox struct {
	mu     sync.Mutex
	frames map[uint64][]protocol.Frame
	came   chan struct{}
}

func newInbox() *inbox {
	return &inbox{frames: make(map[uint64][]protocol.Frame), came: make(chan struct{}, 1024)}
}

func (in *inbox) put(sequence uint64, f protocol.Frame) {
	in.mu.Lock()
	in.frames[sequence] = append(in.frames[sequence], f)
	in.mu.Unlock()
	in.came <- struct{}{}
}

func (in *inbox) Datagram(sequence uint64, f protocol.Frame) { in.put(sequence, f) }

func (in *inbox) Group(_ context.Context, g *session.GroupReader) {
	for {
		f, err := g.Next()
		if err != nil {
			return
		}
		in.put(g.Sequence, f)
	}
}

func (in *inbox) wait(t *testing.T, n int) {
	t.Helper()
	for range n {
		select {
		case <-in.came:
		case <-time.After(10 * time.Second):
			t.Fatal("frames did not come")
		}
	}
}

func TestSetupTellsEachEndWhatTheOtherCan(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		client, server := pair(t, transport, stage{})
		got, err := client.PeerSetup(within(t))
		if err != nil || got.HopID != 7777 || got.Probe != protocol.ProbeReport || got.Datagrams {
			t.Errorf("client sees %+v, %v", got, err)
		}
		got, err = server.PeerSetup(within(t))
		if err != nil || got.HopID != 42 || !got.Datagrams {
			t.Errorf("server sees %+v, %v", got, err)
		}
	})
}

func TestWhoAsksMayEndItsSideAfterTheAnswer(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		c, s := testnet.Pair(t, transport)
		run(t, s, session.Config{Publisher: stage{
			track: func(context.Context, protocol.TrackRequest) (protocol.TrackInfo, error) {
				return protocol.TrackInfo{Timescale: 1}, nil
			},
			fetch: func(_ context.Context, _ protocol.Fetch, w *session.GroupWriter) error {
				return w.Write(protocol.Frame{Payload: []byte("a")})
			},
		}})
		ask := func(request []byte) session.Stream {
			t.Helper()
			stream, err := c.OpenStream(within(t))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Write(request); err != nil {
				t.Fatal(err)
			}
			if answer, err := io.ReadAll(stream); err != nil || len(answer) == 0 {
				t.Fatalf("answer %x, %v", answer, err)
			}
			return stream
		}
		track := protocol.TrackRequest{Broadcast: "b", Track: "t"}.Append(protocol.StreamTrack.Append(nil))
		fetch := protocol.Fetch{Broadcast: "b", Track: "t"}.Append(protocol.StreamFetch.Append(nil))
		streams := []session.Stream{ask(track), ask(fetch), ask(track)}
		// The last answer came after whatever was said about the first two streams.
		for i, stream := range streams[:2] {
			if err := stream.Close(); err != nil {
				t.Errorf("stream %d: %v", i, err)
			}
		}
	})
}

func TestAnnounceFollowsChanges(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		client, _ := pair(t, transport, stage{announce: func(ctx context.Context, w *session.AnnounceWriter) error {
			if w.Request.Prefix != "room" || w.Request.ExcludeHop != 42 {
				t.Errorf("request %+v", w.Request)
			}
			active := protocol.Announce{Status: protocol.AnnounceActive, Suffix: "ada", Hops: []uint64{9}}
			if err := w.Initial(0, []protocol.Announce{active}); err != nil {
				return err
			}
			if err := w.Announce(protocol.Announce{Status: protocol.AnnounceEnded, Suffix: "ada"}); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		}})
		a, err := client.Announced(within(t), "room", 42)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := a.Initial(); err != nil || n != 1 {
			t.Errorf("initial set of %d, %v", n, err)
		}
		first, err := a.Next()
		if err != nil || first.Status != protocol.AnnounceActive || first.Suffix != "ada" || fmt.Sprint(first.Hops) != "[9 7777]" {
			t.Errorf("first %+v, %v", first, err)
		}
		second, err := a.Next()
		if err != nil || second.Status != protocol.AnnounceEnded || second.Suffix != "ada" {
			t.Errorf("second %+v, %v", second, err)
		}
		a.Close()
		if _, err := a.Next(); err == nil {
			t.Error("Next went on after Close")
		}
	})
}

func TestSubscribeDeliversDatagramsAndStreams(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		withdrawn := make(chan error, 1)
		client, _ := pair(t, transport, stage{
			track: func(context.Context, protocol.TrackRequest) (protocol.TrackInfo, error) {
				return protocol.TrackInfo{Timescale: 1000000, MaxLatency: 5000}, nil
			},
			subscribe: func(ctx context.Context, sub *session.Subscriber) error {
				if err := sub.Start(3); err != nil {
					return err
				}
				body := protocol.Datagram{SubscribeID: sub.Request.ID, Sequence: 3, Timestamp: 60000, Payload: []byte("a")}.Append(nil)
				err := sub.SendDatagram(body)
				if transport == "websocket" && errors.Is(err, session.ErrNoDatagrams) && !sub.Datagrams() {
					_, err = sub.WriteGroup(3, protocol.Frame{Timestamp: 60000, Payload: []byte("a")}, nil)
				}
				if err != nil {
					return err
				}
				if _, err := sub.WriteGroup(4, protocol.Frame{Timestamp: 80000, Payload: []byte("b")}, nil); err != nil {
					return err
				}
				w, err := sub.OpenGroup(5)
				if err != nil {
					return err
				}
				for i := range 3 { // timestamps may step back within a group
					if err := w.Write(protocol.Frame{Timestamp: uint64(100000 - i*1000), Payload: []byte{byte(i)}}); err != nil {
						return err
					}
				}
				w.Close()
				<-ctx.Done()
				withdrawn <- context.Cause(ctx)
				return nil
			},
		})
		info, err := client.TrackInfo(within(t), "room/ada", "audio/data")
		if err != nil || info.Timescale != 1000000 {
			t.Fatalf("track info %+v, %v", info, err)
		}
		in := newInbox()
		sub, err := client.Subscribe(within(t), protocol.Subscribe{Broadcast: "room/ada", Track: "audio/data"}, in)
		if err != nil {
			t.Fatal(err)
		}
		in.wait(t, 5)
		in.mu.Lock()
		defer in.mu.Unlock()
		for sequence, want := range map[uint64]string{3: "[{60000 [97]}]", 4: "[{80000 [98]}]", 5: "[{100000 [0]} {99000 [1]} {98000 [2]}]"} {
			if got := fmt.Sprint(in.frames[sequence]); got != want {
				t.Errorf("group %d = %s, want %s", sequence, got, want)
			}
		}
		sub.Close()
		select {
		case <-withdrawn:
		case <-time.After(10 * time.Second):
			t.Error("the publisher was not told")
		}
	})
}

func TestSubscriptionEndsWithItsTrack(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		client, _ := pair(t, transport, stage{subscribe: func(_ context.Context, sub *session.Subscriber) error {
			return sub.End(0)
		}})
		sub, err := client.Subscribe(within(t), protocol.Subscribe{Broadcast: "b", Track: "t"}, newInbox())
		if err != nil {
			t.Fatal(err)
		}
		<-sub.Done()
		if !errors.Is(sub.Err(), io.EOF) {
			t.Errorf("ended with %v, want EOF", sub.Err())
		}
	})
}

func TestUpdateReplacesTheDelivery(t *testing.T) {
	seen := make(chan protocol.Delivery, 1)
	client, _ := pair(t, "quic", stage{subscribe: func(ctx context.Context, sub *session.Subscriber) error {
		select {
		case <-sub.Updated():
			seen <- sub.Delivery()
		case <-ctx.Done():
		}
		<-ctx.Done()
		return nil
	}})
	sub, err := client.Subscribe(within(t), protocol.Subscribe{
		Broadcast: "b", Track: "t", Delivery: protocol.Delivery{Priority: 80, Start: protocol.Seq(10)},
	}, newInbox())
	if err != nil {
		t.Fatal(err)
	}
	// A Group Start below the first one does not lower the floor.
	if err := sub.Update(protocol.Delivery{Priority: 90, MaxLatency: 200, Start: protocol.Seq(5), End: protocol.Seq(20)}); err != nil {
		t.Fatal(err)
	}
	want := protocol.Delivery{Priority: 90, MaxLatency: 200, Start: protocol.Seq(10), End: protocol.Seq(20)}
	if got := <-seen; got != want {
		t.Errorf("delivery %+v, want %+v", got, want)
	}
}

func TestRefusalsCarryTheirCode(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		client, _ := pair(t, transport, stage{})
		want := &session.ResetError{Code: protocol.CodeNotFound}
		if _, err := client.TrackInfo(within(t), "b", "t"); !errors.Is(err, want) {
			t.Errorf("track: %v", err)
		}
		err := client.Fetch(within(t), protocol.Fetch{Broadcast: "b", Track: "t"}, func(protocol.Frame) error { return nil })
		if !errors.Is(err, want) {
			t.Errorf("fetch: %v", err)
		}
		sub, err := client.Subscribe(within(t), protocol.Subscribe{Broadcast: "b", Track: "t"}, newInbox())
		if err != nil {
			t.Fatal(err)
		}
		<-sub.Done()
		if !errors.Is(sub.Err(), want) {
			t.Errorf("subscribe: %v", sub.Err())
		}
	})
}

func TestFetchReadsAGroup(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		payload := bytes.Repeat([]byte("x"), 100_000) // more than a window: it must stream
		client, _ := pair(t, transport, stage{fetch: func(_ context.Context, req protocol.Fetch, w *session.GroupWriter) error {
			return w.Write(protocol.Frame{Timestamp: req.Group, Payload: payload})
		}})
		var got []protocol.Frame
		err := client.Fetch(within(t), protocol.Fetch{Broadcast: "b", Track: "t", Group: 17}, func(f protocol.Frame) error {
			got = append(got, f)
			return nil
		})
		if err != nil || len(got) != 1 || got[0].Timestamp != 17 || !bytes.Equal(got[0].Payload, payload) {
			t.Errorf("%d frames, %v", len(got), err)
		}
	})
}

func TestProbeReportsTheRoundTrip(t *testing.T) {
	client, _ := pair(t, "quic", stage{})
	ctx, stop := context.WithCancel(within(t))
	err := client.Probe(ctx, func(p protocol.Probe) {
		if p.RTT < 1 || p.Bitrate < 1 {
			t.Errorf("probe %+v: a measured value is never zero", p)
		}
		stop()
	})
	if err != nil || ctx.Err() == nil {
		t.Errorf("probe ended with %v before a report", err)
	}
}

func TestGoawayReachesThePeer(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		c, s := testnet.Pair(t, transport)
		got := make(chan string, 1)
		run(t, c, session.Config{OnGoaway: func(uri string) { got <- uri }})
		server := run(t, s, session.Config{})
		if err := server.Goaway(within(t), "https://relay-b:4443"); err != nil {
			t.Fatal(err)
		}
		if uri := <-got; uri != "https://relay-b:4443" {
			t.Errorf("uri %q", uri)
		}
	})
}

func TestCloseTellsThePeerWhy(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		c, s := testnet.Pair(t, transport)
		server := run(t, s, session.Config{})
		client := session.New(c, session.Config{})
		ended := make(chan error, 1)
		go func() { ended <- client.Run(t.Context()) }()
		if _, err := server.PeerSetup(within(t)); err != nil {
			t.Fatal(err)
		}
		server.Close(protocol.CodeUnauthorized, "token expired")
		err := <-ended
		var closed *session.ClosedError
		if !errors.As(err, &closed) || closed.Code != protocol.CodeUnauthorized || closed.Reason != "token expired" || !closed.Remote {
			t.Errorf("Run = %v", err)
		}
		if _, err := client.TrackInfo(within(t), "b", "t"); err == nil {
			t.Error("a request went out on a closed session")
		}
	})
}

func TestLite04NeedsNoSetupAndSaysSubscribeOK(t *testing.T) {
	c, s := testnet.PairOf(t, protocol.Lite04)
	run(t, s, session.Config{Setup: protocol.Setup{HopID: 7777}, Publisher: stage{
		announce: func(ctx context.Context, w *session.AnnounceWriter) error {
			return w.Initial(7777, []protocol.Announce{{Status: protocol.AnnounceActive, Suffix: "ada", Hops: []uint64{9}}})
		},
		subscribe: func(ctx context.Context, sub *session.Subscriber) error {
			if err := sub.Accept(); err != nil {
				return err
			}
			if _, err := sub.WriteGroup(0, protocol.Frame{Timestamp: 5, Payload: []byte("a")}, nil); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		},
	}})
	client := run(t, c, session.Config{})
	if setup, err := client.PeerSetup(within(t)); err != nil || setup != (protocol.Setup{}) {
		t.Errorf("setup %+v, %v", setup, err)
	}
	a, err := client.Announced(within(t), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if msg, err := a.Next(); err != nil || fmt.Sprint(msg.Hops) != "[9 7777]" {
		t.Errorf("announcement %+v, %v", msg, err)
	}
	in := newInbox()
	if _, err := client.Subscribe(within(t), protocol.Subscribe{Broadcast: "ada", Track: "audio/data"}, in); err != nil {
		t.Fatal(err)
	}
	in.wait(t, 1)
	if got := fmt.Sprint(in.frames[0]); got != "[{0 [97]}]" { // no timestamp on this wire
		t.Errorf("frame %s", got)
	}
}
