package client

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/testutils/simnet"

	"github.com/stentor-audio/stentor/client/playout"
	"github.com/stentor-audio/stentor/protocol"
)

// A world is relays and one client on a simulated network, under a clock that
// passes as fast as the machine can: real QUIC sessions, and every packet takes
// 20 ms each way.
type world struct {
	*testing.T
	net    *weather
	client *quic.Transport
	relays []*station
	ring   *broadcast
	pause  atomic.Bool // ada is silent
	route  func(netip.Addr) (netip.Addr, bool)
	gone   atomic.Pointer[station] // the others have noticed that it is
}

// A station is one relay of a world.
type station struct {
	*host
	*scene
	name string
	addr *net.UDPAddr
}

func (s *station) url() string { return "https://" + s.addr.String() }

// A weather routes packets, or does not.
type weather struct {
	simnet.PerfectRouter
	mu     sync.Mutex
	random *rand.Rand
	dead   map[string]bool // no packet to or from these
	loss   float64         // of all
	jitter time.Duration   // at most this later
}

func (w *weather) SendPacket(p simnet.Packet) error {
	w.mu.Lock()
	drop := w.dead[p.From.String()] || w.dead[p.To.String()] || w.random.Float64() < w.loss
	w.mu.Unlock()
	if drop {
		return nil
	}
	return w.PerfectRouter.SendPacket(p)
}

func (w *weather) latency(simnet.Packet) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := 20 * time.Millisecond
	if w.jitter > 0 {
		d += time.Duration(w.random.Int64N(int64(w.jitter)))
	}
	return d
}

// shake delays packets by up to d, in order.
func (w *weather) shake(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jitter = d
}

// cut separates stations from everybody, without a word; mend ends that.
func (w *weather) cut(stations ...*station) { w.set(true, stations) }

func (w *weather) mend(stations ...*station) { w.set(false, stations) }

func (w *weather) set(dead bool, stations []*station) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range stations {
		w.dead[s.addr.String()] = dead
	}
}

// inWorld runs a test in a world of n relays, at which ada speaks from the
// beginning on.
func inWorld(t *testing.T, n int, test func(*world)) {
	synctest.Test(t, func(t *testing.T) {
		outside := epoch
		epoch = time.Now()
		t.Cleanup(func() { epoch = outside })
		w := &world{
			T:    t,
			net:  &weather{random: rand.New(rand.NewPCG(1, 2)), dead: make(map[string]bool)},
			ring: newBroadcast(5, protocol.Catalog{}),
		}
		sim := &simnet.Simnet{Router: w.net}
		endpoint := func(i byte) (*net.UDPAddr, net.PacketConn) {
			addr := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, i}), 4443))
			return addr, sim.NewEndpoint(addr, simnet.NodeBiDiLinkSettings{LatencyFunc: w.net.latency})
		}
		_, conn := endpoint(100)
		w.client = &quic.Transport{Conn: conn}
		for i := range n {
			s := &station{name: "relay-" + string(rune('a'+i)), scene: newScene()}
			addr, packets := endpoint(byte(1 + i))
			s.addr, s.host = addr, &host{packets: packets, publisher: s.scene}
			s.own.relays = func() []byte { return w.list(s) }
			s.enter(&voice{name: "ada", origin: 5, ring: w.ring})
			w.relays = append(w.relays, s)
		}
		if err := sim.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = w.client.Close()
			_ = conn.Close()
			_ = sim.Close()
		})
		for _, s := range w.relays {
			s.start(t)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var voice sync.WaitGroup
		voice.Go(func() { w.speak(ctx) })
		defer voice.Wait()
		defer cancel()
		test(w)
	})
}

// speak lets ada say something every 20 ms.
func (w *world) speak(ctx context.Context) {
	tick := time.NewTicker(FrameDuration)
	defer tick.Stop()
	for i := 0; ; {
		select {
		case <-tick.C:
			if !w.pause.Load() || i%bundle != 0 {
				w.ring.add(uint64(now().Microseconds()), packet(i))
				i++
			}
		case <-ctx.Done():
			return
		}
	}
}

// list is what a station says about relays: itself, and then the others.
func (w *world) list(self *station) []byte {
	list := relayList{}
	for i := range w.relays {
		s := w.relays[(slices.Index(w.relays, self)+i)%len(w.relays)]
		if s == w.gone.Load() {
			list.Gone = append(list.Gone, s.name)
			continue
		}
		list.Relays = append(list.Relays, listedRelay{
			Name: s.name, Zone: "zone of " + s.name, URL: s.url() + "/town", Hashes: []string{s.hash.String()},
		})
	}
	b, _ := json.Marshal(list)
	return b
}

// options dial over the simulated network, and know the first relay only.
func (w *world) options() Options {
	return Options{
		Transport:         QUIC,
		CertificateHashes: []Hash{w.relays[0].hash},
		DialQUIC: func(ctx context.Context, address string, cfg *tls.Config, qc *quic.Config) (*quic.Conn, error) {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return nil, err
			}
			return w.client.Dial(ctx, net.UDPAddrFromAddrPort(to), cfg, qc)
		},
		DialTCP: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("there is no TCP in this world")
		},
	}
}

// A playback is an output that plays, as a loudspeaker does: 20 ms every 20 ms.
type playback struct {
	sync.Mutex
	buffers map[Track]*playout.Buffer
	cfg     playout.Config
}

func (p *playback) Begin(t Track) (Buffer, error) {
	cfg := p.cfg
	cfg.Packet = t.Packet
	b := playout.NewBuffer(cfg)
	p.buffers[t] = b
	return b, nil
}

func (p *playback) End(t Track)        { delete(p.buffers, t) }
func (p *playback) Flow(time.Duration) {}

func (p *playback) play(ctx context.Context) {
	tick := time.NewTicker(playout.Frame)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.Lock()
			for _, b := range p.buffers {
				b.Pop(now())
			}
			p.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

// listen lets a Listener that knows the first relay play until the test ends.
func (w *world) listen(o ListenOptions) (*Listener, *playback) {
	w.Helper()
	return w.listenAt(o, w.relays[0])
}

func (w *world) listenAt(o ListenOptions, known ...*station) (*Listener, *playback) {
	w.Helper()
	o.Room, o.Logger = "town", testLog(w)
	for _, s := range known {
		o.Relays = append(o.Relays, s.url())
	}
	if o.Dial.DialQUIC == nil {
		o.Dial = w.options()
	}
	p := &playback{buffers: make(map[Track]*playout.Buffer)}
	o.Output = p
	l, err := NewListener(o)
	if err != nil {
		w.Fatal(err)
	}
	l.roam.route = w.route
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = l.Run(ctx) })
	running.Go(func() { p.play(ctx) })
	w.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return l, p
}

// gaps is how many blocks had to be invented because speech had not come.
func (p *playback) gaps() (n uint64) {
	p.Lock()
	defer p.Unlock()
	for _, b := range p.buffers {
		n += b.Stats().Stalled
	}
	return n
}

// goaway lets a station ask its newest session to leave.
func (w *world) goaway(s *station, uri string) {
	w.Helper()
	if err := s.newest(w).Goaway(w.Context(), uri); err != nil {
		w.Error(err)
	}
}

// newest is the session that a client opened last.
func (s *station) newest(t testing.TB) *hosted {
	t.Helper()
	var last *hosted
	for {
		select {
		case last = <-s.sessions:
		default:
			if last == nil {
				t.Fatalf("nobody has come to %s", s.name)
			}
			return last
		}
	}
}
