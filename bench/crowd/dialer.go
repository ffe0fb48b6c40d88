package crowd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// A dialer makes connections over a few shared sockets.
type dialer struct {
	o      Options
	remote *net.UDPAddr
	cfg    *tls.Config
	shared *Pool
	web    *webtransport.Transport // nil for native QUIC
}

func newDialer(ctx context.Context, o Options) (*dialer, error) {
	host, _, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, fmt.Errorf("%w: address %q: want HOST:PORT", ErrOptions, o.Address)
	}
	d := &dialer{o: o, cfg: o.TLS.Clone()}
	if d.cfg.ServerName == "" {
		d.cfg.ServerName = host
	}
	if d.remote, err = resolve(ctx, o.Address); err != nil {
		return nil, err
	}
	local := ":0"
	if d.remote.IP.IsLoopback() {
		local = net.JoinHostPort(d.remote.IP.String(), "0")
	}
	if d.shared, err = NewPool((o.Listeners+o.PerSocket-1)/o.PerSocket, local); err != nil {
		return nil, err
	}
	d.cfg.NextProtos = []string{protocol.Lite05.ALPN()}
	if o.Transport == WebTransport {
		d.cfg.NextProtos = []string{http3.NextProtoH3}
		d.web = &webtransport.Transport{
			TLSClientConfig:      d.cfg,
			QUICConfig:           quicConfig(),
			ApplicationProtocols: []string{protocol.Lite05.ALPN()},
			Config:               &webtransport.Config{MaxIncomingStreams: streams, MaxIncomingUniStreams: streams, MaxIncomingData: window},
			DialAddr: func(ctx context.Context, _ string, cfg *tls.Config, qc *quic.Config) (*quic.Conn, error) {
				return d.socket(ctx).Dial(ctx, d.remote, cfg, qc)
			},
		}
	}
	return d, nil
}

func resolve(ctx context.Context, address string) (*net.UDPAddr, error) {
	host, port, _ := net.SplitHostPort(address)
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "udp", port)
	if err != nil {
		return nil, err
	}
	return &net.UDPAddr{IP: ips[0].Unmap().AsSlice(), Port: number, Zone: ips[0].Zone()}, nil
}

const (
	streams = 16       // a relay opens one, its SETUP
	window  = 32 << 10 // and writes next to nothing on it
)

// quicConfig makes a connection that holds little and says nothing of its own:
// what a listener costs the relay shall be the relay's doing.
func quicConfig() *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:             10 * time.Second,
		MaxIdleTimeout:                   30 * time.Second,
		MaxIncomingStreams:               streams,
		MaxIncomingUniStreams:            streams,
		InitialStreamReceiveWindow:       window,
		MaxStreamReceiveWindow:           window,
		InitialConnectionReceiveWindow:   2 * window,
		MaxConnectionReceiveWindow:       2 * window,
		EnableDatagrams:                  true,
		EnableStreamResetPartialDelivery: true, // WebTransport needs it
		DisablePathMTUDiscovery:          true,
	}
}

// listenerKey finds the listener's number in the context of its dial.
type listenerKey struct{}

// socket is the one that a listener's connection goes over.
func (d *dialer) socket(ctx context.Context) *quic.Transport {
	n, _ := ctx.Value(listenerKey{}).(int)
	return d.shared.Socket(n)
}

// dial connects one listener.
func (d *dialer) dial(ctx context.Context, listener int) (session.Conn, error) {
	ctx = context.WithValue(ctx, listenerKey{}, listener)
	if d.web == nil {
		conn, err := d.socket(ctx).Dial(ctx, d.remote, d.cfg, quicConfig())
		if err != nil {
			return nil, err
		}
		return session.FromQUIC(conn), nil
	}
	resp, s, err := d.web.Dial(ctx, "https://"+d.o.Address+d.o.Path, nil)
	if err != nil {
		if resp != nil && resp.StatusCode/100 != 2 {
			return nil, fmt.Errorf("answered with HTTP status %d", resp.StatusCode)
		}
		return nil, err
	}
	if s.SessionState().ApplicationProtocol != protocol.Lite05.ALPN() {
		_ = s.CloseWithError(webtransport.SessionErrorCode(protocol.CodeVersion), "no common subprotocol")
		return nil, errors.New("does not speak " + protocol.Lite05.ALPN())
	}
	return session.FromWebTransport(s, d.o.Path, session.Below{}), nil
}

// close gives the sockets back. Connections over them end.
func (d *dialer) close() {
	if d.web != nil {
		_ = d.web.Close()
	}
	d.shared.Close()
}
