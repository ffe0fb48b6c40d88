package bare

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/identity"
	"github.com/stentor-audio/stentor/relay/udp"
)

// A sender is one connection, whichever its transport.
type sender interface {
	SendDatagram(b []byte) error
	Context() context.Context
}

// A server holds the connections on one UDP port of the loopback.
type server struct {
	udp       *net.UDPConn
	transport *quic.Transport
	listener  *quic.Listener
	web       *webtransport.Server
	tasks     sync.WaitGroup

	senders []sender // owned by who calls send

	mu        sync.Mutex
	newcomers []sender // not among the senders yet: send may block, accept must not
}

// listen opens the port. It takes both transports, as a relay does.
func listen() (*server, error) {
	certificates, err := identity.SelfSigned(identity.Options{})
	if err != nil {
		return nil, err
	}
	conn, err := udp.Listen("127.0.0.1:0", udp.Options{})
	if err != nil {
		return nil, err
	}
	s := &server{udp: conn, transport: &quic.Transport{Conn: conn}}
	h3 := &http3.Server{Handler: http.HandlerFunc(s.connect)}
	webtransport.ConfigureHTTP3Server(h3)
	s.web = &webtransport.Server{H3: h3, ApplicationProtocols: []string{protocol.Lite05.ALPN()}}
	s.listener, err = s.transport.Listen(&tls.Config{
		MinVersion:     tls.VersionTLS13,
		NextProtos:     []string{protocol.Lite05.ALPN(), http3.NextProtoH3},
		GetCertificate: certificates.GetCertificate,
	}, &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true})
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("listen: %w", err)
	}
	s.tasks.Go(s.accept)
	return s, nil
}

// accept takes connections until the listener is closed.
func (s *server) accept() {
	for {
		conn, err := s.listener.Accept(context.Background())
		if err != nil {
			return
		}
		if conn.ConnectionState().TLS.NegotiatedProtocol == http3.NextProtoH3 {
			s.tasks.Go(func() { _ = s.web.ServeQUICConn(conn) }) // ends with the connection
			continue
		}
		s.add(conn)
	}
}

// connect answers the CONNECT of a WebTransport session.
func (s *server) connect(w http.ResponseWriter, r *http.Request) {
	session, err := s.web.Upgrade(w, r)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.add(session)
}

func (s *server) add(c sender) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newcomers = append(s.newcomers, c)
}

// send gives every connection the datagram, one after the other, and forgets
// those that have ended.
func (s *server) send(b []byte) {
	s.mu.Lock()
	s.senders = append(s.senders, s.newcomers...)
	s.newcomers = s.newcomers[:0]
	s.mu.Unlock()
	alive := s.senders[:0]
	for _, c := range s.senders {
		if err := c.SendDatagram(b); err == nil || c.Context().Err() == nil {
			alive = append(alive, c)
		}
	}
	clear(s.senders[len(alive):])
	s.senders = alive
}

func (s *server) close() error {
	err := errors.Join(s.web.Close(), s.listener.Close(), s.transport.Close(), s.udp.Close())
	s.tasks.Wait()
	return err
}
