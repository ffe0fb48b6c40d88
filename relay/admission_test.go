package relay_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/admission"
	"github.com/stentor-audio/stentor/relay/api"
)

// askHTTPS gets a page of a relay over its TCP port.
func askHTTPS(t *testing.T, r *relay.Relay, path string) (*http.Response, string) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}
	req, err := http.NewRequestWithContext(within(t), http.MethodGet, r.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// refusedAsBusy expects a dial to end in words that a client waits upon.
func refusedAsBusy(t *testing.T, r *relay.Relay, o client.Options) {
	t.Helper()
	s, err := client.Dial(within(t), r.URL()+"/town", o)
	if err == nil { // over native QUIC it hears of it after the handshake
		select {
		case <-s.Done():
		case <-within(t).Done():
			t.Fatal("a session too many stays")
		}
		err = s.Err()
	}
	if !errors.Is(err, client.ErrBusy) || !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("refused with %v", err)
	}
}

// A relay that is full refuses listeners so that they wait, and takes who may
// speak.
func TestFullRelayKeepsPlacesForSpeakers(t *testing.T) {
	for _, transport := range []client.Transport{client.QUIC, client.WebTransport} {
		t.Run(map[client.Transport]string{client.QUIC: "quic", client.WebTransport: "webtransport"}[transport], func(t *testing.T) {
			r, sign := guardedAs(t, relay.Config{Capacity: 1}) // twice of it are taken
			listen, speak := sign(scope("-", "")), sign(scope("ada", ""))
			for range 2 {
				s := dial(t, r.URL()+"/town", client.Options{Transport: transport, Token: listen})
				if err := settled(t, s); err != nil {
					t.Fatal(err)
				}
			}
			refusedAsBusy(t, r, client.Options{Transport: transport, Token: listen})
			refusedAsBusy(t, r, client.Options{Transport: transport, Token: listen, Role: protocol.RoleSubscriber})
			resp, body := askHTTPS(t, r, "/town?jwt="+listen)
			if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
				t.Errorf("a page that asks why: %d %q %v", resp.StatusCode, body, resp.Header)
			}
			s := dial(t, r.URL()+"/town", client.Options{Transport: transport, Token: speak})
			if err := settled(t, s); err != nil {
				t.Errorf("a speaker: %v", err)
			}
			if resp, _ := askHTTPS(t, r, "/town?jwt="+speak); resp.StatusCode != http.StatusOK {
				t.Errorf("a speaker's page that asks: %d", resp.StatusCode)
			}
		})
	}
}

// settled waits until the relay serves a session, or has ended it.
func settled(t *testing.T, s *client.Session) error {
	t.Helper()
	_, err := s.TrackInfo(within(t), s.Path(".stentor/relay"), "tick")
	time.Sleep(50 * time.Millisecond) // what the relay says of it comes after
	select {
	case <-s.Done():
		return s.Err()
	default:
		return err
	}
}

// atOnce is how many handshakes begin at once where next to none may a second: one
// where a porter stands at the socket, else what the bucket holds.
func atOnce() int {
	if runtime.GOOS == "linux" {
		return 1
	}
	return int(admission.Burst(0))
}

// Handshakes above the rate are refused before they begin, and whoever may speak
// goes first. Listeners are told by the lobby how long to wait.
func TestHandshakesAboveTheRate(t *testing.T) {
	r := start(t, relay.Config{JoinRate: 0.001})
	busy := 0
	for range atOnce() + 10 {
		s, err := client.Dial(within(t), r.URL()+"/town", client.Options{Transport: client.QUIC, Role: protocol.RoleSubscriber})
		switch {
		case err == nil:
			defer s.Close()
		case errors.Is(err, client.ErrBusy):
			busy++
		default:
			t.Fatalf("not told to wait: %v", err)
		}
	}
	if busy != 10 {
		t.Errorf("%d were refused, want 10", busy)
	}
	for range 3 {
		s, err := client.Dial(within(t), r.URL()+"/town", client.Options{Transport: client.QUIC, Role: protocol.RolePublisher})
		if err != nil {
			t.Fatalf("a speaker: %v", err)
		}
		defer s.Close()
	}
}

// While handshakes are refused the lobby answers with waiting times that differ.
// An answer from before, used now, only leads to another refusal; and a speaker is
// told where to go as ever.
func TestLobbyWhileDoorsAreBusy(t *testing.T) {
	r := start(t, relay.Config{JoinRate: 0.001, HTTP: "127.0.0.1:0"})
	ask := func(purpose string) (l api.Lobby) {
		t.Helper()
		resp, err := http.Get("http://" + r.HTTPAddr().String() + "/v1/rooms/town/relays?purpose=" + purpose)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if got := resp.Header.Get("Cache-Control"); got != "max-age=1" {
			t.Errorf("Cache-Control %q", got)
		}
		if err := json.NewDecoder(resp.Body).Decode(&l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	before := ask("listen")
	if len(before.Relays) != 1 || before.RetryAfterMS != 0 {
		t.Fatalf("at first: %+v", before)
	}
	waits := make(map[int64]bool)
	eventually(t, "the lobby tells how long to wait", func() bool {
		s, err := client.Dial(within(t), before.Relays[0].URL, client.Options{Transport: client.QUIC, Role: protocol.RoleSubscriber})
		if err == nil {
			s.Close()
		}
		l := ask("listen")
		if len(l.Relays) == 0 && l.RetryAfterMS >= 1000 && l.RetryAfterMS <= 10_000 {
			waits[l.RetryAfterMS] = true
		}
		return len(waits) >= 3
	})
	if l := ask("speak"); len(l.Relays) != 1 {
		t.Errorf("a speaker is told %+v", l)
	}
	refusedAsBusy(t, r, client.Options{Transport: client.QUIC, Role: protocol.RoleSubscriber})
}

// Whoever is refused knocks only if it may speak: a listener's token opens
// nothing.
func TestListenersTokenIsNoPass(t *testing.T) {
	r, sign := guardedAs(t, relay.Config{JoinRate: 0.001})
	listen, speak := sign(scope("-", "")), sign(scope("ada", "-"))
	for range atOnce() {
		dial(t, r.URL()+"/town", client.Options{Transport: client.QUIC, Token: listen})
	}
	if resp, _ := askHTTPS(t, r, "/town?jwt="+listen); resp.StatusCode != http.StatusOK {
		t.Errorf("asked with a listener's token: %d", resp.StatusCode)
	}
	refusedAsBusy(t, r, client.Options{Transport: client.QUIC, Token: listen})
	if resp, _ := askHTTPS(t, r, "/town?jwt=forged.to.ken&role=publisher"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("asked with a forged token: %d", resp.StatusCode)
	}
	refusedAsBusy(t, r, client.Options{Transport: client.QUIC, Token: listen})
	dial(t, r.URL()+"/town", client.Options{Transport: client.QUIC, Token: speak})
}

// A relay that has no time to refuse everybody says nothing. A speaker does not wait
// until it is time to send its packet again, but shows that it may go first.
func TestSpeakerWhoHearsNothingKnocks(t *testing.T) {
	r := start(t, relay.Config{JoinRate: 0.001})
	for range atOnce() {
		dial(t, r.URL()+"/town", client.Options{Transport: client.QUIC, Role: protocol.RoleSubscriber})
	}
	var tries atomic.Int32
	o := client.Options{Transport: client.QUIC, DialQUIC: func(ctx context.Context, address string, cfg *tls.Config, qc *quic.Config) (*quic.Conn, error) {
		if tries.Add(1) == 1 {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}
		return quic.DialAddr(ctx, address, cfg, qc)
	}}
	o.Role, o.Timeout = protocol.RolePublisher, 10*time.Second
	dial(t, r.URL()+"/town", o)
	if n := tries.Load(); n < 2 {
		t.Errorf("came in at try %d", n)
	}
	tries.Store(0)
	o.Role, o.Timeout = protocol.RoleSubscriber, time.Second
	if s, err := client.Dial(within(t), r.URL()+"/town", o); !errors.Is(err, client.ErrUnreachable) {
		if s != nil {
			s.Close()
		}
		t.Errorf("a listener went first: %v", err)
	}
}

// First packets that nobody stands behind do not take the places of those who are
// there: addresses are validated as soon as many come.
func TestFloodOfFirstPackets(t *testing.T) {
	r := start(t, relay.Config{JoinRate: 200}) // a burst of 100
	v := newVoice(t, "town/ada")
	v.publish(r.URL(), client.Options{})
	e, _ := subscribe(t, dial(t, r.URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})

	tr := &quic.Transport{Conn: deafConn{listenUDP(t)}}
	defer func() { _ = tr.Close() }()
	addr, err := net.ResolveUDPAddr("udp", strings.TrimPrefix(r.URL(), "https://"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	var flood sync.WaitGroup
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for range 600 {
		<-pace.C
		flood.Go(func() {
			_, _ = tr.Dial(ctx, addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"moq-lite-05"}}, nil)
		})
	}
	flood.Wait()
	v.speak(10)
	e.wait(t, 10)
	late, _ := subscribe(t, dial(t, r.URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
	v.speak(1)
	late.wait(t, 1)
}

// A deafConn hears nothing: its packets might as well have false senders.
type deafConn struct{ net.PacketConn }

func (c deafConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		if _, _, err := c.PacketConn.ReadFrom(b); err != nil {
			return 0, nil, err
		}
	}
}

func listenUDP(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
