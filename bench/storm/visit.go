package storm

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/udp"
)

const (
	// sockets are shared by all newcomers.
	sockets = 8
	// patience is how long a newcomer waits for an answer, as the client library
	// does.
	patience = 5 * time.Second
)

var (
	// errWait says that the relay told a newcomer to come later.
	errWait = errors.New("told to wait")
	// errSilent says that it told nothing: a refusal that did not go out, or was
	// lost.
	errSilent = errors.New("no answer")
)

// A gate is where newcomers come in.
type gate struct {
	remote     *net.UDPAddr
	transports []*quic.Transport
}

func openGate(address string) (*gate, error) {
	remote, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	g := &gate{remote: remote}
	for range sockets {
		conn, err := udp.Listen("127.0.0.1:0", udp.Options{Buffer: 4 << 20})
		if err != nil {
			g.close()
			return nil, err
		}
		g.transports = append(g.transports, &quic.Transport{Conn: conn})
	}
	return g, nil
}

func (g *gate) close() {
	for _, t := range g.transports {
		_ = t.Close()
		_ = t.Conn.Close()
	}
}

// A visit is one attempt to come in.
type visit struct {
	conn       session.Conn
	joined     time.Duration // from the first packet to the end of the handshake
	firstAudio time.Duration
}

func (v *visit) leave() { _ = v.conn.CloseWithError(protocol.CodeCancel, "") }

// shake makes a handshake.
func (g *gate) shake(ctx context.Context, t *quic.Transport) (*visit, error) {
	began := time.Now()
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	conn, err := t.Dial(ctx, g.remote, &tls.Config{
		InsecureSkipVerify: true, NextProtos: []string{protocol.Lite05.ALPN()}, ServerName: "localhost",
	}, &quic.Config{
		HandshakeIdleTimeout: patience, EnableDatagrams: true, DisablePathMTUDiscovery: true,
		MaxIncomingStreams: 16, MaxIncomingUniStreams: 16,
		InitialStreamReceiveWindow: 32 << 10, InitialConnectionReceiveWindow: 64 << 10,
	})
	if err != nil {
		return nil, meaning(err)
	}
	return &visit{conn: session.FromQUIC(conn), joined: time.Since(began)}, nil
}

// meaning tells a refusal from a failure.
func meaning(err error) error {
	var transport *quic.TransportError
	var closed *session.ClosedError
	var idle *quic.IdleTimeoutError
	var handshake *quic.HandshakeTimeoutError
	switch {
	case errors.As(err, &transport) && transport.ErrorCode == quic.ConnectionRefused,
		errors.As(err, &closed) && closed.Code == protocol.CodeClosed:
		return errWait
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &idle), errors.As(err, &handshake):
		return errSilent
	}
	return err
}

// enter comes in and listens until the first audio has come.
func (g *gate) enter(ctx context.Context, t *quic.Transport, broadcast protocol.Path) (*visit, error) {
	began := time.Now()
	v, err := g.shake(ctx, t)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if err := ask(ctx, v.conn, broadcast); err != nil {
		v.leave()
		return nil, meaning(err)
	}
	for {
		b, err := v.conn.ReceiveDatagram(ctx)
		if err != nil {
			if cause := v.conn.Cause(); cause != nil {
				err = cause
			}
			v.leave()
			return nil, meaning(err)
		}
		if d, err := protocol.ParseDatagram(b); err == nil && d.SubscribeID == 0 {
			v.firstAudio = time.Since(began)
			return v, nil
		}
	}
}

// ask sends what a listener says first.
func ask(ctx context.Context, conn session.Conn, broadcast protocol.Path) error {
	setup := protocol.Setup{Role: protocol.RoleSubscriber, Datagrams: true, Path: "/"}
	uni, err := conn.OpenUniStream()
	if err != nil {
		return err
	}
	if _, err := uni.Write(setup.Append(protocol.StreamSetup.Append(nil))); err != nil {
		return err
	}
	if err := uni.Close(); err != nil {
		return err
	}
	s, err := conn.OpenStream(ctx)
	if err != nil {
		return err
	}
	_, err = s.Write(protocol.Subscribe{
		Broadcast: broadcast, Track: protocol.Track60, Delivery: protocol.Delivery{Priority: 80, MaxLatency: 1000},
	}.Append(protocol.StreamSubscribe.Append(nil)))
	return err
}
