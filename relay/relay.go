package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/webtransport-go"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/admission"
	"github.com/stentor-audio/stentor/relay/deliver"
	"github.com/stentor-audio/stentor/relay/floor"
	"github.com/stentor-audio/stentor/relay/identity"
	"github.com/stentor-audio/stentor/relay/room"
	"github.com/stentor-audio/stentor/relay/udp"
	"github.com/stentor-audio/stentor/token"
)

// A Relay is one running relay. New makes it and takes its ports, Run serves.
type Relay struct {
	// Set by New, constant afterwards.
	cfg     Config
	log     *slog.Logger
	started time.Time
	now     func() time.Time
	hopID   uint64
	keys    *token.Keyring // nil: everybody may come in
	udp     *udp.Batcher
	tcp     net.Listener
	http    net.Listener // nil: not served
	admin   net.Listener // nil: not served
	origin  *room.Origin
	floor   *floor.Rooms // whom listeners hear
	metrics *metrics
	mesh    *mesh     // nil: stands alone
	others  *presence // nil: stands alone
	lists   lists
	doors   *doors
	stages  *stages

	certificates identity.Certificates
	resetKey     quic.StatelessResetKey
	tokenKey     quic.TokenGeneratorKey

	// Set by Run before anything is served.
	serving      context.Context // ends when the last session has
	transport    *quic.Transport
	listener     *quic.Listener
	webtransport *webtransport.Server

	state    *watched[State]
	audience audience
	attended attended // of a relay that stands alone
	sent     sent
	gauge    gauge
	shedAt   time.Time      // when sessions were last asked to leave for load; measureLoad's
	inside   atomic.Int64   // clients' sessions
	listed   listed         // the rooms of the network
	tasks    sync.WaitGroup // sessions and what they start; waited for by Run

	mu     sync.Mutex
	peers  map[*peer]struct{}
	closed bool // no further session is taken
}

// shutdownGrace is how long sessions that understand GOAWAY are given to leave
// when the relay ends, and the others to get their last packets.
const shutdownGrace = 500 * time.Millisecond

// Run serves until ctx ends, then asks the sessions to leave, closes what is
// left, and waits for everything it started. It returns the first cause, nil
// where that is ctx. It can be called once.
func (r *Relay) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// Sessions outlive ctx by the grace of the shutdown.
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	r.serving = serving

	if err := r.open(serving); err != nil {
		r.closeSockets()
		return err
	}
	var parts sync.WaitGroup
	start := func(name string, run func() error) {
		parts.Go(func() {
			if err := run(); err != nil {
				stop(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	servers := r.servers()
	var accepting sync.WaitGroup // ends before what it starts is waited for
	accepting.Go(func() {
		if err := ignoreClosed(r.accept(serving)); err != nil {
			stop(fmt.Errorf("quic: %w", err))
		}
	})
	if r.mesh != nil {
		start("gossip", func() error { return r.mesh.run(serving) })
		start("description", func() error { r.mesh.describe(serving); return nil })
		start("presence", func() error { r.others.run(serving); return nil })
	}
	start("load", func() error { r.measureLoad(serving); return nil })
	start("ticks", func() error { r.ticks(serving); return nil })
	start("memory", func() error { r.trim(serving); return nil })
	for _, s := range servers {
		start(s.name, func() error { return ignoreClosed(s.serve()) })
	}
	r.state.Set(Ready)
	r.sayReady()
	if r.cfg.OnReady != nil {
		r.cfg.OnReady(r)
	}

	<-ctx.Done()
	r.leave(r.cfg.Drain)
	r.shutdown(servers)
	end()
	if r.mesh != nil {
		r.mesh.close()
	}
	r.stages.rooms.Close()
	_ = r.listener.Close()
	accepting.Wait()
	_ = r.webtransport.Close()
	r.tasks.Wait()
	_ = r.transport.Close()
	r.origin.Close()
	r.closeSockets()
	parts.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// open starts the QUIC listener.
func (r *Relay) open(ctx context.Context) error {
	r.webtransport = r.newWebTransport(ctx, r.public())
	r.transport = r.newTransport()
	l, err := r.transport.Listen(r.tlsConfig(), quicConfig())
	if err != nil {
		return fmt.Errorf("quic: %w", err)
	}
	r.listener = l
	return nil
}

// shutdown asks everybody to leave and closes the sessions that have not.
func (r *Relay) shutdown(servers []*server) {
	r.state.Set(Draining)
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	ctx, stop := context.WithTimeout(context.Background(), shutdownGrace)
	defer stop()
	var asked sync.WaitGroup
	for _, p := range r.snapshot() {
		asked.Go(func() {
			_ = p.session.Goaway(ctx, "") // who cannot be asked is closed below
		})
	}
	r.awaitNoPeers(ctx)
	for _, p := range r.snapshot() {
		p.session.Close(protocol.CodeCancel, "this relay is shutting down; use another")
	}
	asked.Wait()
	for _, s := range servers {
		_ = s.http.Shutdown(ctx)
		_ = s.http.Close()
	}
}

// awaitNoPeers waits until all sessions have ended or ctx has.
func (r *Relay) awaitNoPeers(ctx context.Context) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for len(r.snapshot()) > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// ticks gives every session the chance to send its tick.
func (r *Relay) ticks(ctx context.Context) {
	every := time.NewTicker(deliver.TickEvery)
	defer every.Stop()
	for {
		select {
		case now := <-every.C:
			for _, p := range r.snapshot() {
				p.deliver.Tick(now)
			}
		case <-ctx.Done():
			return
		}
	}
}

// addPeer takes a session in, unless the relay is ending, drains, or has no room
// for anybody.
func (r *Relay) addPeer(p *peer) bool {
	draining := p.relay == "" && r.State() == Draining
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || draining || !admission.Room(admission.Unknown, r.cfg.Capacity, len(r.peers)) {
		r.metrics.refused.WithLabelValues("full").Inc()
		return false
	}
	r.peers[p] = struct{}{}
	if p.relay == "" {
		r.inside.Add(1)
	}
	r.metrics.accepted.WithLabelValues(p.session.Conn().Transport()).Inc()
	return true
}

func (r *Relay) removePeer(p *peer) {
	r.mu.Lock()
	delete(r.peers, p)
	r.mu.Unlock()
	if p.relay == "" {
		r.inside.Add(-1)
	}
	r.metrics.retire(&p.deliver.Counters)
}

func (r *Relay) snapshot() []*peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]*peer, 0, len(r.peers))
	for p := range r.peers {
		out = append(out, p)
	}
	return out
}

// sayReady tells where the relay serves, for port 0 leaves that open.
func (r *Relay) sayReady() {
	log := r.log.With("name", r.cfg.Name, "url", r.URL())
	if addr := r.HTTPAddr(); addr != nil {
		log = log.With("http", addr)
	}
	if addr := r.AdminAddr(); addr != nil {
		log = log.With("admin", addr)
	}
	log.Info("ready", "certificate_sha256", r.CertificateSHA256())
}

// State is where the relay is in its life.
func (r *Relay) State() State { state, _ := r.state.Get(); return state }

// Name is the relay's name.
func (r *Relay) Name() string { return r.cfg.Name }

// URL is where clients reach the relay.
func (r *Relay) URL() string {
	if r.cfg.Advertise != "" {
		return "https://" + r.cfg.Advertise
	}
	addr := r.udp.LocalAddr().(*net.UDPAddr)
	host := "127.0.0.1"
	if !addr.IP.IsUnspecified() {
		host = addr.IP.String()
	}
	return "https://" + net.JoinHostPort(host, strconv.Itoa(addr.Port))
}

// HTTPAddr is the address of the HTTP in the clear, or nil.
func (r *Relay) HTTPAddr() net.Addr { return addrOf(r.http) }

// AdminAddr is the address of the admin HTTP, or nil.
func (r *Relay) AdminAddr() net.Addr { return addrOf(r.admin) }

// GossipAddr is the HOST:PORT that others can join at, "" for a relay that stands
// alone.
func (r *Relay) GossipAddr() string {
	if r.mesh == nil {
		return ""
	}
	return r.mesh.directory.Addr().String()
}

func addrOf(l net.Listener) net.Addr {
	if l == nil {
		return nil
	}
	return l.Addr()
}

func (r *Relay) closeSockets() {
	if r.udp != nil {
		_ = r.udp.Close()
	}
	for _, l := range []net.Listener{r.tcp, r.http, r.admin} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// server is one of the HTTP servers.
type server struct {
	name  string
	http  *http.Server
	serve func() error
}

// servers makes the HTTP servers for the ports that New took.
func (r *Relay) servers() []*server {
	public := r.public()
	secure := newHTTPServer(r.withWebSockets(r.advertiseH3(public)))
	secure.ConnContext = withSocket
	secure.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: r.certificate}
	out := []*server{{"https", secure, func() error { return secure.ServeTLS(hall{r.tcp, r.doors}, "", "") }}}
	if r.http != nil {
		s := newHTTPServer(r.withWebSockets(public))
		s.ConnContext = withSocket
		out = append(out, &server{"http", s, func() error { return s.Serve(r.http) }})
	}
	if r.admin != nil {
		s := newHTTPServer(r.adminHandler())
		out = append(out, &server{"admin", s, func() error { return s.Serve(r.admin) }})
	}
	return out
}

func newHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, quic.ErrServerClosed) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
