package storm

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
)

// speakersAddress is where speakers come from: newcomers who come from the same
// one would take the places that a relay keeps for it.
const speakersAddress = "127.0.0.2"

// speakers has one speaker after the other come, each as the client library does.
func (r *run) speakers(ctx context.Context) {
	var took []int64
	for wait(ctx, 900*time.Millisecond) == nil {
		began := time.Now()
		s, closing, err := r.speaker(ctx)
		if ctx.Err() != nil {
			closing()
			if s != nil {
				s.Close()
			}
			break // the storm is over
		}
		r.result.Speakers.Joins++
		if err != nil {
			r.result.Speakers.Failed++
			r.result.Speakers.Error = err.Error()
		} else {
			took = append(took, time.Since(began).Microseconds())
			s.Close()
		}
		closing()
	}
	r.result.Speakers.Join = quantiles(took)
}

// speaker has one come in.
func (r *run) speaker(ctx context.Context) (s *client.Session, closing func(), err error) {
	local := net.ParseIP(speakersAddress)
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: local})
	if err != nil {
		return nil, func() {}, err
	}
	t := &quic.Transport{Conn: conn}
	closing = func() { _, _ = t.Close(), conn.Close() }
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: local}}
	s, err = client.Dial(ctx, r.url+"/bench", client.Options{
		Role: protocol.RolePublisher, Transport: client.QUIC, DialTCP: dialer.DialContext,
		DialQUIC: func(ctx context.Context, address string, cfg *tls.Config, qc *quic.Config) (*quic.Conn, error) {
			addr, err := net.ResolveUDPAddr("udp", address)
			if err != nil {
				return nil, err
			}
			if cfg.ServerName == "" {
				cfg.ServerName = "localhost"
			}
			return t.Dial(ctx, addr, cfg, qc)
		},
	})
	return s, closing, err
}
