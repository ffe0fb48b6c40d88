package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/bench/process"
	"github.com/stentor-audio/stentor/bench/wire"
	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/client/audio"
	"github.com/stentor-audio/stentor/client/audio/sample"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// BenchmarkMute measures how long somebody is still heard after a host has asked
// for them to be muted, where people and relays are far from each other: a round
// trip of 40 ms with 10 ms of jitter between any two. The request goes over a
// connection that is open already, to the three relays in turns: one that a room's
// state is kept by, the speaker's, the listener's. Packets are of 20 ms.
func BenchmarkMute(b *testing.B) {
	w := newFarWorld(b, 3)
	w.command(0, "create", `{"room":"town","title":"Town hall"}`)
	w.speak(w.urls[1])
	ear := w.listen(w.urls[2])
	var heard, answered []time.Duration
	for i := 0; b.Loop(); i++ {
		at := i % len(w.urls)
		w.settle(ear, true)
		asked := time.Now()
		w.command(at, "mute", `{"who":"ada"}`)
		answered = append(answered, time.Since(asked))
		heard = append(heard, w.settle(ear, false).Sub(asked))
		w.command(at, "unmute", `{"who":"ada"}`)
	}
	b.ReportMetric(0, "ns/op") // most of it is waiting whether somebody is still heard
	for _, of := range []struct {
		name string
		took []time.Duration
	}{{"heard", heard}, {"answer", answered}} {
		var sum, most time.Duration
		for _, d := range of.took {
			sum, most = sum+d, max(most, d)
		}
		b.ReportMetric(float64(sum.Milliseconds())/float64(len(of.took)), "ms-"+of.name)
		b.ReportMetric(float64(most.Milliseconds()), "ms-"+of.name+"-max")
	}
}

// A farWorld is relays that are far from each other, and people far from them.
type farWorld struct {
	b     *testing.B
	away  *wire.Host // where people are
	urls  []string
	token map[string]string // by name
	http  *http.Client
}

func newFarWorld(b *testing.B, relays int) *farWorld {
	b.Helper()
	dir, issue := keys(b)
	w := &farWorld{b: b, token: make(map[string]string)}
	for name, role := range map[string]string{"boss": "host", "ada": "speaker", "eve": "listener"} {
		w.token[name] = issue("--room", "town", "--role", role, "--name", name, "--sub", name)
	}
	network, err := wire.New(wire.Conditions{RTT: 40 * time.Millisecond, Jitter: 10 * time.Millisecond})
	if errors.Is(err, wire.ErrUnsupported) {
		b.Skip(err)
	}
	w.must(err)
	b.Cleanup(network.Close)
	place := func() *wire.Host {
		h, err := network.Host()
		if errors.Is(err, wire.ErrUnsupported) {
			b.Skip(err)
		}
		w.must(err)
		return h
	}
	w.away = place()
	secret := filepath.Join(b.TempDir(), "gossip.key")
	w.must(os.WriteFile(secret, []byte(strings.Repeat("5a", 32)), 0o600))
	var first string
	for i := range relays {
		h := place()
		at := h.Addr().String()
		args := []string{
			"relay", "--name", fmt.Sprintf("relay-%d", i), "--keys", dir, "--listen", at + ":4443", "--gossip", at + ":7946",
			"--gossip-key", secret, "--admin", "127.0.0.1:0", "--log-level", "error",
		}
		if first == "" {
			first = at + ":7946"
		} else {
			args = append(args, "--join", first)
		}
		c, err := process.Start(b.Context(), process.Options{Path: stentor, Args: args, Thread: h.Enter})
		w.must(err)
		b.Cleanup(func() { _ = c.Stop() })
		_, url, _ := strings.Cut(c.Ready(), " ")
		w.urls = append(w.urls, url)
	}
	transport := &http.Transport{DialContext: w.away.DialContext, TLSClientConfig: insecure()}
	b.Cleanup(transport.CloseIdleConnections)
	w.http = &http.Client{Transport: transport, Timeout: patience}
	for _, url := range w.urls {
		w.ask(http.MethodGet, url+"/v1/rooms", "") // which opens the connection
	}
	return w
}

func insecure() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

func (w *farWorld) must(err error) {
	w.b.Helper()
	if err != nil {
		w.b.Fatal(err)
	}
}

// as is how somebody reaches a relay.
func (w *farWorld) as(name string) client.Options {
	return client.Options{
		Token: w.token[name], TLS: insecure(), Transport: client.QUIC, DialTCP: w.away.DialContext,
		DialQUIC: func(ctx context.Context, address string, cfg *tls.Config, qc *quic.Config) (*quic.Conn, error) {
			to, err := net.ResolveUDPAddr("udp4", address)
			if err != nil {
				return nil, err
			}
			socket, err := w.away.ListenUDP(0)
			if err != nil {
				return nil, err
			}
			tr := &quic.Transport{Conn: socket}
			w.b.Cleanup(func() { _, _ = tr.Close(), socket.Close() })
			return tr.Dial(ctx, to, cfg, qc)
		},
	}
}

// command has the host command something at a relay.
func (w *farWorld) command(at int, what, body string) {
	w.b.Helper()
	url := w.urls[at] + "/v1/rooms"
	if what != "create" {
		url += "/town/" + what
	}
	w.ask(http.MethodPost, url, body)
}

func (w *farWorld) ask(method, url, body string) {
	w.b.Helper()
	req, err := http.NewRequestWithContext(w.b.Context(), method, url, strings.NewReader(body))
	w.must(err)
	req.Header.Set("Authorization", "Bearer "+w.token["boss"])
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.http.Do(req)
	w.must(err)
	said, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode >= 300 {
		w.b.Fatalf("%s %s: %s %s", method, url, resp.Status, said)
	}
}

// speak has ada speak until the benchmark ends.
func (w *farWorld) speak(url string) {
	w.b.Helper()
	src, err := audio.New(bytes.NewReader(sample.Voice), audio.Options{Loop: true})
	w.must(err)
	s, err := client.NewSpeaker(client.SpeakOptions{Room: "town", Name: "ada", Relays: []string{url + "/town"}, Dial: w.as("ada")})
	w.must(err)
	var tasks sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	tasks.Go(func() { _ = s.Run(ctx) })
	tasks.Go(func() { _ = s.Play(ctx, src) })
	w.b.Cleanup(func() { stop(); tasks.Wait() })
	w.must(s.WaitReady(w.b.Context()))
}

// listen has eve hear ada.
func (w *farWorld) listen(url string) *lastHeard {
	w.b.Helper()
	s, err := client.Dial(w.b.Context(), url+"/town", w.as("eve"))
	w.must(err)
	w.b.Cleanup(s.Close)
	ear := new(lastHeard)
	ctx, stop := context.WithTimeout(w.b.Context(), patience)
	defer stop()
	for {
		_, err = s.Subscribe(ctx, protocol.Subscribe{Broadcast: "ada", Track: protocol.TrackAudio}, ear)
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	w.must(err)
	return ear
}

// settle waits until ada has been heard, or has not, for so long that it will stay
// so, and says when she was heard last.
func (w *farWorld) settle(ear *lastHeard, heard bool) time.Time {
	w.b.Helper()
	const pause = 700 * time.Millisecond
	until := time.Now().Add(patience)
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		last := ear.when()
		switch silent := time.Since(last); {
		case heard && silent > pause/2:
			began = time.Now()
		case heard && time.Since(began) > pause, !heard && silent > pause:
			return last
		}
		if time.Now().After(until) {
			w.b.Fatalf("heard %v is not what it comes to", heard)
		}
	}
}

// lastHeard is a sink that notes when something came.
type lastHeard struct{ at atomic.Int64 }

func (l *lastHeard) when() time.Time { return time.Unix(0, l.at.Load()) }

func (l *lastHeard) Datagram(uint64, protocol.Frame) { l.at.Store(time.Now().UnixNano()) }

func (l *lastHeard) Group(_ context.Context, g *session.GroupReader) {
	for {
		if _, err := g.Next(); err != nil {
			return
		}
		l.Datagram(0, protocol.Frame{})
	}
}
