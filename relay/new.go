package relay

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/relay/identity"
	"github.com/stentor-audio/stentor/relay/room"
	"github.com/stentor-audio/stentor/relay/udp"
	"github.com/stentor-audio/stentor/token"
)

// New makes a relay and takes its ports. Run must follow: it gives them back.
func New(cfg Config) (*Relay, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Relay{
		cfg:     cfg,
		log:     cfg.Logger,
		now:     cfg.Now,
		started: time.Now(),
		peers:   make(map[*peer]struct{}),
		state:   newWatched(Starting),
		doors:   newDoors(cfg.JoinRate),
	}
	if cfg.DataDir != "" {
		if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
			return nil, fmt.Errorf("%w: --data-dir: %w", ErrConfig, err)
		}
	}
	if cfg.Keys != "" {
		if r.keys, err = token.OpenKeyring(cfg.Keys, cfg.Logger); err != nil {
			return nil, fmt.Errorf("%w: --keys: %w", ErrConfig, err)
		}
	}
	if err := r.identify(); err != nil {
		return nil, err
	}
	if err := r.takePorts(); err != nil {
		return nil, err
	}
	r.origin = room.NewOrigin(room.Config{HopID: r.hopID, Logger: cfg.Logger})
	r.floor = r.newFloor()
	r.metrics = newMetrics(r)
	if r.cfg.Gossip != "" {
		if r.mesh, err = newMesh(r); err != nil {
			r.origin.Close()
			r.closeSockets()
			return nil, err
		}
		r.others = newPresence(r)
	}
	r.stages = newStages(r)
	r.warnOpen()
	return r, nil
}

// identify loads or makes what stays the same over restarts.
func (r *Relay) identify() (err error) {
	if r.hopID, err = identity.HopID(r.cfg.DataDir); err != nil {
		return err
	}
	if r.resetKey, err = identity.StatelessResetKey(r.cfg.DataDir); err != nil {
		return err
	}
	if r.tokenKey, err = identity.TokenGeneratorKey(r.cfg.DataDir); err != nil {
		return err
	}
	o := identity.Options{Hosts: r.hosts(), Dir: r.cfg.DataDir, Now: r.now, Logger: r.log}
	if r.cfg.CertFile != "" {
		r.certificates, err = identity.FromFiles(r.cfg.CertFile, r.cfg.KeyFile, o)
	} else {
		r.certificates, err = identity.SelfSigned(o)
	}
	return err
}

// hosts are the names a self-made certificate is for.
func (r *Relay) hosts() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	add := func(host string) {
		if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
			hosts = append(hosts, host)
		}
	}
	for _, addr := range []string{r.cfg.Advertise, r.cfg.Listen} {
		if host, _, err := net.SplitHostPort(addr); err == nil {
			add(host)
		}
	}
	return hosts
}

func (r *Relay) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return r.certificates.GetCertificate(hello)
}

// CertificateSHA256 is the hash of the certificate newcomers are shown, in hex.
func (r *Relay) CertificateSHA256() string { return r.certificates.Current() }

// portTries is how often a free UDP port is looked for whose TCP twin is free,
// too.
const portTries = 10

// takePorts opens every socket, or none.
func (r *Relay) takePorts() (err error) {
	defer func() {
		if err != nil {
			r.closeSockets()
		}
	}()
	for try := 1; ; try++ {
		err = r.takeTwins()
		_, port, _ := net.SplitHostPort(r.cfg.Listen)
		if err == nil || port != "0" || try == portTries {
			break
		}
	}
	if err != nil {
		return err
	}
	if r.cfg.HTTP != "" {
		if r.http, err = listenTCP("--http", r.cfg.HTTP); err != nil {
			return err
		}
	}
	if r.cfg.Admin != "" {
		if r.admin, err = listenTCP("--admin", r.cfg.Admin); err != nil {
			return err
		}
	}
	return nil
}

// takeTwins opens the UDP port and the TCP port of the same number.
func (r *Relay) takeTwins() error {
	conn, err := udp.Listen(r.cfg.Listen, udp.Options{Logger: r.log})
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	host, _, _ := net.SplitHostPort(r.cfg.Listen)
	port := conn.LocalAddr().(*net.UDPAddr).Port
	l, err := listenTCP("--listen", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		_ = conn.Close()
		return err
	}
	if r.udp, err = udp.Batch(conn); err != nil {
		_, _ = conn.Close(), l.Close()
		return err
	}
	r.tcp = l
	return nil
}

// listenTCP opens a TCP port; an error names the flag to change.
func listenTCP(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, udp.Explain("tcp", addr, err))
	}
	return l, nil
}

// newTransport puts QUIC on the UDP port.
func (r *Relay) newTransport() *quic.Transport {
	r.doors.guard(r.udp)
	return &quic.Transport{
		Conn:              r.udp,
		StatelessResetKey: &r.resetKey,
		TokenGeneratorKey: &r.tokenKey,

		VerifySourceAddress: r.doors.mustValidate,
		ConnContext:         r.doors.enter,
	}
}
