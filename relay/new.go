package relay

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/relay/identity"
	"github.com/stentor-audio/stentor/relay/room"
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
	r.metrics = newMetrics(r)
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
	if name, err := os.Hostname(); err == nil {
		add(name)
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
		if r.http, err = net.Listen("tcp", r.cfg.HTTP); err != nil {
			return portError("--http", r.cfg.HTTP, err)
		}
	}
	if r.cfg.Admin != "" {
		if r.admin, err = net.Listen("tcp", r.cfg.Admin); err != nil {
			return portError("--admin", r.cfg.Admin, err)
		}
	}
	return nil
}

// takeTwins opens the UDP port and the TCP port of the same number.
func (r *Relay) takeTwins() error {
	addr, err := net.ResolveUDPAddr("udp", r.cfg.Listen)
	if err != nil {
		return fmt.Errorf("%w: --listen %q: %w", ErrConfig, r.cfg.Listen, err)
	}
	conn, err := net.ListenUDP("udp", addr)
	if err != nil {
		return portError("--listen", r.cfg.Listen+" (UDP)", err)
	}
	bound := conn.LocalAddr().(*net.UDPAddr)
	l, err := net.Listen("tcp", (&net.TCPAddr{IP: addr.IP, Port: bound.Port, Zone: addr.Zone}).String())
	if err != nil {
		_ = conn.Close()
		return portError("--listen", fmt.Sprintf("%s (TCP port %d)", r.cfg.Listen, bound.Port), err)
	}
	r.udp, r.tcp = conn, l
	return nil
}

// portError says which flag to change.
func portError(flag, addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s %s is in use by another program: end that one, or choose another port with %s HOST:PORT: %w", flag, addr, flag, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s %s may not be opened by this user: choose a port above 1023 with %s HOST:PORT: %w", flag, addr, flag, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s %s is not an address of this machine: %w", flag, addr, err)
	}
	return fmt.Errorf("%s %s: %w", flag, addr, err)
}

// newTransport puts QUIC on the UDP port.
func (r *Relay) newTransport() *quic.Transport {
	return &quic.Transport{
		Conn:              r.udp,
		StatelessResetKey: &r.resetKey,
		TokenGeneratorKey: &r.tokenKey,
	}
}
