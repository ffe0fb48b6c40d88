package bench

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/bench/tally"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/identity"
	"github.com/stentor-audio/stentor/relay/udp"
)

// A directServer lets listeners hear the voice without a relay between, over
// native QUIC: the shortest way there is.
type directServer struct {
	publisher session.Publisher
	udp       *net.UDPConn
	transport *quic.Transport
	listener  *quic.Listener
	end       context.CancelFunc
	tasks     sync.WaitGroup
}

func serveDirect(ctx context.Context, publisher session.Publisher) (*directServer, error) {
	certificates, err := identity.SelfSigned(identity.Options{})
	if err != nil {
		return nil, err
	}
	conn, err := udp.Listen("127.0.0.1:0", udp.Options{})
	if err != nil {
		return nil, err
	}
	d := &directServer{publisher: publisher, udp: conn, transport: &quic.Transport{Conn: conn}}
	d.listener, err = d.transport.Listen(&tls.Config{
		MinVersion:     tls.VersionTLS13,
		NextProtos:     []string{protocol.Lite05.ALPN()},
		GetCertificate: certificates.GetCertificate,
	}, &quic.Config{EnableDatagrams: true, DisablePathMTUDiscovery: true, KeepAlivePeriod: 5 * time.Second})
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("listen: %w", err)
	}
	ctx, d.end = context.WithCancel(context.WithoutCancel(ctx))
	d.tasks.Go(func() { d.accept(ctx) })
	return d, nil
}

func (d *directServer) accept(ctx context.Context) {
	for {
		conn, err := d.listener.Accept(ctx)
		if err != nil {
			return
		}
		s := session.New(session.FromQUIC(conn), session.Config{
			Setup:     protocol.Setup{Datagrams: true},
			Publisher: d.publisher,
		})
		d.tasks.Go(func() { _ = s.Run(ctx) }) // a listener that leaves is no error
	}
}

func (d *directServer) close() {
	d.end()
	_ = d.listener.Close()
	d.tasks.Wait()
	_ = d.transport.Close()
	_ = d.udp.Close()
}

// prepareDirect lets one listener hear the voice directly.
func (r *run) prepareDirect(ctx context.Context) (err error) {
	if r.server, err = serveDirect(ctx, r.voice); err != nil {
		return err
	}
	r.direct = &side{
		slots: 1,
		grid:  tally.New(1, r.o.packets()),
		say:   r.sayPackets,
		fail:  r.stop,
	}
	return r.join(ctx, r.direct, "direct listener joining", crowd.Options{
		Address:   r.server.udp.LocalAddr().String(),
		Broadcast: r.voice.Path(),
		Track:     protocol.TrackAudio,
		Arrived:   r.direct.arrived(func(d protocol.Datagram) time.Time { return r.voice.Sent(d.Sequence) }),
	})
}

// sayPackets lets the voice send so many packets.
func (r *run) sayPackets(ctx context.Context, packets int) (uint64, []time.Duration, error) {
	late := r.voice.Talk(ctx, packets)
	return r.voice.Next(), late, nil
}
