package relay

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/deliver"
	"github.com/stentor-audio/stentor/relay/uplink"
	"github.com/stentor-audio/stentor/token"
)

// relayALPN is what relays speak among themselves: moq-lite-05, with a
// certificate on both sides. A protocol name of its own keeps clients from ever
// being asked for a certificate.
const relayALPN = "stentor-relay-05"

const (
	// linkIdle is how long a relay may be silent before its sessions are given
	// up. A frozen relay keeps its sessions open until then, while the other root
	// carries the room. The keep-alive makes a quiet room no silence; it is short,
	// so that clients hear of a dead standby soon (presence.go), and links are few.
	linkIdle      = 4 * time.Second
	linkKeepAlive = 250 * time.Millisecond
	linkDial      = 3 * time.Second
)

// errStranger refuses a relay whose certificate is not in the directory.
var errStranger = errors.New("this certificate is no relay's of the network")

// dial opens a session with another relay.
func (m *mesh) dial(ctx context.Context, name string) error {
	target, ok := membership.Find(m.directory.Snapshot(), name)
	if !ok {
		return fmt.Errorf("%s: %w", name, uplink.ErrUnknown)
	}
	// Others may wait for the same session when ctx's owner has left.
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), linkDial)
	defer stop()
	addr, err := net.ResolveUDPAddr("udp", target.Addr)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	conn, err := m.relay.transport.Dial(ctx, addr, m.clientTLS(target), linkConfig())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return m.serve(name, conn)
}

// linkConfig is quicConfig for sessions between relays.
func linkConfig() *quic.Config {
	cfg := quicConfig()
	cfg.MaxIdleTimeout, cfg.KeepAlivePeriod = linkIdle, linkKeepAlive
	return cfg
}

// accepted serves a session that another relay opened.
func (m *mesh) accepted(conn *quic.Conn) {
	name, err := m.identify(conn.ConnectionState().TLS)
	if err == nil {
		err = m.serve(name, conn)
	}
	if err != nil {
		m.relay.log.Warn("a relay was refused", "peer", conn.RemoteAddr().String(), "cause", err)
		_ = conn.CloseWithError(quic.ApplicationErrorCode(protocol.CodeUnauthorized), err.Error())
	}
}

// serve runs a session with another relay in the background and puts it into use.
func (m *mesh) serve(name string, conn *quic.Conn) error {
	r := m.relay
	d := deliver.New(r.origin)
	c := session.FromQUIC(conn)
	p := &peer{deliver: d, relay: name, since: time.Now(), log: r.log.With("relay", name)}
	p.session = session.New(c, session.Config{
		Setup:     protocol.Setup{Probe: protocol.ProbeReport, HopID: r.hopID, Datagrams: true, Goaway: true},
		Publisher: d,
		Logger:    p.log,
	})
	d.Start(deliver.Config{
		Prefixes: token.Open().Subscribe,
		HopID:    r.hopID,
		Relay:    true,
		Report:   m.answer,
		Stage:    mirrorFor{r.stages, name},
		Floor:    r.floor.Floor,
		Operate:  r.operate,
		OnRoom:   func(room string) func() { return m.rooms.Take(room, name) },
		OnPlan:   func(room string) deliver.Following { return m.rooms.Ask(room, name, p.session) },
		Logger:   p.log,
	})
	if !r.addPeer(p) {
		_ = c.CloseWithError(protocol.CodeClosed, "this relay is shutting down")
		return fmt.Errorf("%s: %w", name, session.ErrClosed)
	}
	m.links.Add(name, p.session)
	r.tasks.Go(func() {
		defer r.removePeer(p)
		defer m.links.Remove(name, p.session)
		err := p.session.Run(r.serving)
		d.Wait()
		logEnd(p, err)
	})
	return nil
}

// clientTLS trusts a relay by the hashes the directory has of it.
func (m *mesh) clientTLS(target membership.Relay) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		NextProtos:         []string{relayALPN},
		InsecureSkipVerify: true, // no authority vouches for relays; the hash does, below
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return m.relay.certificate(nil)
		},
		VerifyConnection: func(state tls.ConnectionState) error {
			if !shows(target, state) {
				return fmt.Errorf("%s: %w", target.Name, errStranger)
			}
			return nil
		},
	}
}

// serverTLS asks relays for their certificate.
func (m *mesh) serverTLS(base *tls.Config) *tls.Config {
	cfg := base.Clone()
	cfg.NextProtos = []string{relayALPN}
	cfg.ClientAuth = tls.RequireAnyClientCert
	cfg.VerifyConnection = func(state tls.ConnectionState) error {
		_, err := m.identify(state)
		return err
	}
	return cfg
}

// identify says which relay shows a certificate.
func (m *mesh) identify(state tls.ConnectionState) (string, error) {
	for _, r := range m.directory.Snapshot() {
		if r.Name != m.relay.cfg.Name && shows(r, state) {
			return r.Name, nil
		}
	}
	return "", errStranger
}

// shows reports whether the certificate is one of the relay's and within its time.
func shows(r membership.Relay, state tls.ConnectionState) bool {
	if len(state.PeerCertificates) == 0 {
		return false
	}
	leaf := state.PeerCertificates[0]
	return slices.Contains(r.CertificateSHA256, sha256.Sum256(leaf.Raw)) && fresh(leaf, time.Now())
}

// clockSkew is how far the clocks of two relays may differ: a certificate's dates
// are no protection beyond that of its hash.
const clockSkew = 24 * time.Hour

func fresh(leaf *x509.Certificate, now time.Time) bool {
	return now.After(leaf.NotBefore.Add(-clockSkew)) && now.Before(leaf.NotAfter.Add(clockSkew))
}
