package relay_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/api"
)

// A member is one relay of a network in this process.
type member struct {
	*relay.Relay
	t     *testing.T
	stop  context.CancelFunc
	ended chan error
}

// join starts a relay of a network; seeds are the gossip addresses of others.
func join(t *testing.T, cfg relay.Config, seeds ...string) *member {
	t.Helper()
	cfg.Listen, cfg.Gossip, cfg.Admin, cfg.Open, cfg.Join = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", cfg.Keys == "", seeds
	if cfg.Drain == 0 {
		cfg.Drain = -1
	}
	ready := make(chan struct{})
	cfg.OnReady = func(*relay.Relay) { close(ready) }
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})).With("at", cfg.Name)
	r, err := relay.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &member{Relay: r, t: t, stop: stop, ended: make(chan error, 1)}
	go func() { m.ended <- r.Run(ctx) }()
	t.Cleanup(m.leave)
	<-ready
	return m
}

// leave ends the relay, once.
func (m *member) leave() {
	m.stop()
	if err, ok := <-m.ended; ok && err != nil {
		m.t.Errorf("%s: Run = %v", m.Name(), err)
	}
	select {
	case <-m.ended:
	default:
		close(m.ended)
	}
}

// network starts n relays in zones of their own and waits until all know all.
func network(t *testing.T, n int) []*member {
	t.Helper()
	var all []*member
	var seed []string
	for i := range n {
		m := join(t, relay.Config{Name: fmt.Sprintf("relay-%d", i), Zone: fmt.Sprintf("z%d", i)}, seed...)
		if seed == nil {
			seed = []string{m.GossipAddr()}
		}
		all = append(all, m)
	}
	for _, m := range all {
		eventually(t, "everybody knows everybody", func() bool { return m.count("ready") == n })
	}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for _, m := range all {
			var tree api.Tree
			select {
			case <-m.ended:
			default:
				t.Logf("at %s: %d %+v", m.Name(), m.get("/v1/tree?room=town", &tree), tree)
			}
		}
	})
	return all
}

// count is how many relays of a state m knows.
func (m *member) count(state string) (n int) {
	var answer struct{ Members []api.Peer }
	m.get("/v1/members", &answer)
	for _, peer := range answer.Members {
		if peer.State == state {
			n++
		}
	}
	return n
}

func (m *member) get(path string, into any) int { return m.admin("GET", path, "", into) }

func (m *member) admin(method, path, body string, into any) int {
	m.t.Helper()
	req, err := http.NewRequestWithContext(within(m.t), method, "http://"+m.AdminAddr().String()+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == 200 {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		m.t.Fatalf("%s: %v", b, err)
	}
	http.DefaultClient.CloseIdleConnections()
	return resp.StatusCode
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// tree asks m for a room's tree until there are so many relays in it.
func (m *member) tree(room string, relays int) (tree api.Tree) {
	m.t.Helper()
	eventually(m.t, fmt.Sprintf("%d relays take part", relays), func() bool {
		tree = api.Tree{}
		return m.get("/v1/tree?room="+room, &tree) == 200 && len(tree.Nodes) == relays &&
			!slices.ContainsFunc(tree.Nodes, func(n api.Node) bool { return n.State == "unknown" })
	})
	return tree
}

func TestAnyRelayHasEveryRoom(t *testing.T) {
	relays := network(t, 4)
	v := newVoice(t, "town/ada")
	v.publish(relays[0].URL(), client.Options{})
	v.speak(1)
	var ears []*ear
	for _, r := range relays {
		e, _ := subscribe(t, dial(t, r.URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
		v.until(e)
		ears = append(ears, e)
	}
	from, to := v.more(30)
	for _, e := range ears {
		e.has(t, v, from, to)
	}
	if len(v.asked) != 1 {
		t.Errorf("%d subscriptions at the speaker, want 1", len(v.asked))
	}
	for _, r := range relays {
		tree := r.tree("town", 4)
		listeners, speakers := 0, 0
		for _, n := range tree.Nodes {
			listeners += n.Listeners
			speakers += len(n.Speakers)
		}
		if listeners != 4 || speakers != 1 || tree.Red == tree.Blue || tree.Blue == "" {
			t.Errorf("at %s: %d listeners, %d speakers: %+v", r.Name(), listeners, speakers, tree)
		}
	}
	if status := relays[0].get("/v1/tree?room=moon", nil); status != 404 {
		t.Errorf("a room that is not live: %d", status)
	}
}

// The ring of a relay where nobody listened has what a listener who hops there
// misses.
func TestStandbyRelayHasTheRing(t *testing.T) {
	relays := network(t, 3)
	v := newVoice(t, "town/ada")
	v.publish(relays[0].URL(), client.Options{})
	v.speak(1)
	first, _ := subscribe(t, dial(t, relays[1].URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
	v.until(first)
	standby := dial(t, relays[2].URL(), client.Options{})
	if _, err := standby.TrackInfo(within(t), "town/ada", protocol.TrackAudio); err != nil {
		t.Fatal(err)
	}
	// The relay itself is there, too, once a first listener at it has heard.
	scout, _ := subscribe(t, dial(t, relays[2].URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
	v.until(scout)
	from, to := v.more(60)
	first.has(t, v, from, to)
	e, _ := subscribe(t, standby, "town/ada", protocol.TrackAudio, protocol.Delivery{Start: protocol.Seq(to - 20)})
	e.has(t, v, to-20, to)
}

// until speaks until somebody has heard something: a datagram may be lost, and
// what is behind it tells.
func (v *voice) until(e *ear) {
	v.t.Helper()
	eventually(v.t, "something is heard", func() bool {
		v.speak(1)
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.order) > 0
	})
}

// more speaks n packets, and returns the first and the one behind the last.
func (v *voice) more(n int) (from, to uint64) {
	from = uint64(len(v.groups))
	for range n {
		v.speak(1)
		time.Sleep(time.Millisecond)
	}
	return from, from + uint64(n)
}

// has waits until these groups have come, as they were spoken.
func (e *ear) has(t *testing.T, v *voice, from, to uint64) {
	t.Helper()
	eventually(t, fmt.Sprintf("groups %d to %d", from, to-1), func() bool {
		for n := from; n < to; n++ {
			if e.frame(n) == nil {
				return false
			}
		}
		return true
	})
	for n := from; n < to; n++ {
		if !bytes.Equal(e.frame(n), v.groups[n].Payload) {
			t.Errorf("group %d: %x", n, e.frame(n))
		}
	}
}

// frame is the payload of a group, however it came.
func (e *ear) frame(n uint64) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	if f, ok := e.datagrams[n]; ok {
		return f.Payload
	}
	if frames := e.groups[n]; len(frames) == 1 {
		return frames[0].Payload
	}
	return nil
}

// Each root may go and the room goes on.
func TestRoomOutlivesEachRoot(t *testing.T) {
	relays := network(t, 4)
	byName := make(map[string]*member)
	for _, r := range relays {
		byName[r.Name()] = r
	}
	probe := newVoice(t, "town/probe") // to learn who the roots are
	session := probe.publish(relays[0].URL(), client.Options{})
	tree := relays[0].tree("town", 4-countOthers(relays, relays[0], "town"))
	session.Close()
	var speaks, listens *member
	for _, r := range relays {
		if r.Name() != tree.Red && r.Name() != tree.Blue {
			speaks, listens = listens, r
		}
	}
	v := newVoice(t, "town/ada")
	v.publish(speaks.URL(), client.Options{})
	v.speak(1)
	e, _ := subscribe(t, dial(t, listens.URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
	v.until(e)
	listens.tree("town", 4)
	from, to := v.more(20)
	e.has(t, v, from, to)
	byName[tree.Red].leave()
	from, to = v.more(40)
	e.has(t, v, from, to)
	eventually(t, "a new root", func() bool {
		var now api.Tree
		return listens.get("/v1/tree?room=town", &now) == 200 && now.Red != tree.Red && now.Blue != tree.Red && now.Blue != "" && len(now.Nodes) == 3
	})
	byName[tree.Blue].leave()
	from, to = v.more(40)
	e.has(t, v, from, to)
}

// countOthers is how many relays take no part in a room that is spoken in at one.
func countOthers(relays []*member, at *member, room string) int {
	var tree api.Tree
	eventually(at.t, "the room is live", func() bool {
		tree = api.Tree{}
		return at.get("/v1/tree?room="+room, &tree) == 200 && tree.Blue != ""
	})
	part := map[string]bool{tree.Red: true, tree.Blue: true, at.Name(): true}
	return len(relays) - len(part)
}

func TestLobbyNamesOtherRelays(t *testing.T) {
	relays := network(t, 3)
	s := dial(t, relays[0].URL()+"/town", client.Options{})
	e := newEar()
	if _, err := s.TrackInfo(within(t), ".stentor/relay", "relays"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Subscribe(within(t), protocol.Subscribe{Broadcast: ".stentor/relay", Track: "relays"}, e); err != nil {
		t.Fatal(err)
	}
	list := func() (l api.Lobby) {
		if document := e.newest(); document != nil {
			if err := json.Unmarshal(document, &l); err != nil {
				t.Error(err)
			}
		}
		return l
	}
	eventually(t, "the list", func() bool { return len(list().Relays) == 3 })
	first := list().Relays
	if first[0].Name != "relay-0" || first[0].URL != relays[0].URL()+"/town" || first[1].CertificateSHA256 == "" {
		t.Errorf("%+v", first)
	}
	relays[2].leave()
	eventually(t, "a relay is off the list", func() bool { return len(list().Relays) == 2 })
	if status := relays[1].admin("POST", "/v1/undrain", "", nil); status != 409 {
		t.Errorf("undrain of a relay that does not drain: %d", status)
	}
}

// follower is a client that goes where it is sent.
func follower(t *testing.T, url string) (left chan string) {
	left = make(chan string, 1)
	var s *client.Session
	begun := make(chan struct{})
	s = dial(t, url+"/town", client.Options{OnGoaway: func(url string) {
		left <- url
		go func() { <-begun; s.Close() }()
	}})
	close(begun)
	return left
}

func TestDrainMovesEverySession(t *testing.T) {
	relays := network(t, 2)
	var left []chan string
	for range 5 {
		left = append(left, follower(t, relays[0].URL()))
	}
	var d api.Drained
	if status := relays[0].admin("POST", "/v1/drain", `{"deadline_ms":15000}`, &d); status != 200 {
		t.Fatalf("status %d", status)
	}
	if d.Moved != 5 || d.Closed != 0 || d.FramesLost != 0 {
		t.Errorf("%+v", d)
	}
	for _, l := range left {
		if url := <-l; url != relays[1].URL()+"/town" {
			t.Errorf("sent to %q, want %s/town", url, relays[1].URL())
		}
	}
	if _, err := client.Dial(within(t), relays[0].URL(), client.Options{}); err == nil {
		t.Error("a draining relay took a newcomer")
	}
	eventually(t, "the other relay knows", func() bool { return relays[1].count("ready") == 1 })
	if status := relays[0].admin("POST", "/v1/drain", "", nil); status != 409 {
		t.Errorf("drained twice: %d", status)
	}
	if status := relays[1].admin("POST", "/v1/drain", "", nil); status != 409 {
		t.Errorf("drained the last relay: %d", status)
	}
	var state struct{ State string }
	if status := relays[0].admin("POST", "/v1/undrain", "", &state); status != 200 || state.State != "ready" {
		t.Errorf("undrain: %d %q", status, state.State)
	}
	dial(t, relays[0].URL(), client.Options{})
}

// Who does not go is closed at the deadline, and a drain can be called off.
func TestDrainEnds(t *testing.T) {
	relays := network(t, 2)
	stays := dial(t, relays[0].URL()+"/town", client.Options{})
	var d api.Drained
	if status := relays[0].admin("POST", "/v1/drain", `{"deadline_ms":300}`, &d); status != 200 || d.Closed != 1 || d.Moved != 0 {
		t.Errorf("%d %+v", status, d)
	}
	<-stays.Done()
	if status := relays[0].admin("POST", "/v1/undrain", "", &struct{}{}); status != 200 {
		t.Errorf("undrain: %d", status)
	}
	again := dial(t, relays[0].URL()+"/town", client.Options{})
	drained := make(chan int)
	go func() { drained <- relays[0].admin("POST", "/v1/drain", `{"deadline_ms":14000}`, &struct{}{}) }()
	eventually(t, "it drains", func() bool { return relays[0].count("draining") == 1 }) // it knows first
	if status := relays[0].admin("POST", "/v1/undrain", "", &struct{}{}); status != 200 {
		t.Errorf("undrain: %d", status)
	}
	if status := <-drained; status != 409 {
		t.Errorf("a drain that was called off answers %d", status)
	}
	select {
	case <-again.Done():
		t.Errorf("the session was closed although the drain was called off: %v", again.Err())
	case <-time.After(100 * time.Millisecond):
	}
}

// A relay that the network does not know, or none at all, gets no session as one.
func TestStrangersAreNoRelays(t *testing.T) {
	relays := network(t, 2)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	forged := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	for name, certificates := range map[string][]tls.Certificate{"without a certificate": nil, "with one of its own": {forged}} {
		t.Run(name, func(t *testing.T) {
			u := strings.TrimPrefix(relays[0].URL(), "https://")
			conn, err := quic.DialAddr(within(t), u, &tls.Config{
				InsecureSkipVerify: true, NextProtos: []string{"stentor-relay-05"}, Certificates: certificates,
			}, &quic.Config{EnableDatagrams: true})
			if err == nil {
				// TLS 1.3: the client is done before the server has looked.
				<-conn.Context().Done()
				err = context.Cause(conn.Context())
			}
			if err == nil || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("ended with %v", err)
			}
		})
	}
	// Clients are never asked for one.
	dial(t, relays[0].URL(), client.Options{})
}

func TestGossipConfiguration(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct {
		cfg  relay.Config
		want string
	}{
		"no port":          {relay.Config{Gossip: "127.0.0.1"}, "--gossip"},
		"port in use":      {relay.Config{Gossip: taken.Addr().String()}, "in use"},
		"no key":           {relay.Config{Gossip: "0.0.0.0:0"}, "key"},
		"no such key file": {relay.Config{Gossip: "127.0.0.1:0", GossipKey: "/nonexistent"}, "--gossip-key"},
		"bad name":         {relay.Config{Gossip: "127.0.0.1:0", Name: "zwei Wörter"}, "name"},
	} {
		t.Run(name, func(t *testing.T) {
			c.cfg.Listen, c.cfg.Open = "127.0.0.1:0", true
			if c.cfg.Name == "" {
				c.cfg.Name = "relay-a"
			}
			_, err := relay.New(c.cfg)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("New = %v, want something of %q", err, c.want)
			}
		})
	}
}

// Of two relays with one name the second has to take another.
func TestNameIsTaken(t *testing.T) {
	first := join(t, relay.Config{Name: "twin"})
	other := join(t, relay.Config{Name: "other"}, first.GossipAddr())
	eventually(t, "they know each other", func() bool { return other.count("ready") == 2 })
	r, err := relay.New(relay.Config{Name: "twin", Listen: "127.0.0.1:0", Gossip: "127.0.0.1:0", Open: true, Join: []string{first.GossipAddr()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(within(t)); err == nil || !strings.Contains(err.Error(), "name") {
		t.Errorf("Run = %v", err)
	}
	eventually(t, "the first is still there", func() bool { return other.count("ready") == 2 })
}
