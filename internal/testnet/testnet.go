// Package testnet makes real connections over loopback for the tests of every
// package: native QUIC, WebTransport and WebSocket, with a certificate made on the spot.
package testnet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// Certificate returns a self-signed certificate for 127.0.0.1 and a pool that
// trusts it. It is made once a process.
var Certificate = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "testnet"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames:              []string{"localhost"},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
})

// Transports are the names that [Pair] knows.
var Transports = []string{"quic", "webtransport", "websocket"}

func config() *quic.Config {
	return &quic.Config{
		EnableDatagrams:                  true,
		EnableStreamResetPartialDelivery: true,
		MaxIncomingStreams:               1024,
		MaxIncomingUniStreams:            1024,
	}
}

// Pair returns the two ends of a connection over loopback. Both are closed when
// the test ends.
func Pair(t testing.TB, transport string) (client, server session.Conn) {
	t.Helper()
	switch transport {
	case "webtransport":
		return webTransportPair(t)
	case "websocket":
		return webSocketPair(t)
	}
	return quicPair(t, protocol.Lite05.ALPN())
}

// PairOf is [Pair] over native QUIC with another ALPN.
func PairOf(t testing.TB, version protocol.Version) (client, server session.Conn) {
	t.Helper()
	return quicPair(t, version.ALPN())
}

func quicPair(t testing.TB, alpn string) (client, server session.Conn) {
	cert, pool := Certificate()
	udp := listenUDP(t)
	transport := &quic.Transport{Conn: udp}
	l, err := transport.Listen(&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{alpn}}, config())
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan *quic.Conn, 1)
	go func() {
		conn, err := l.Accept(context.Background())
		if err == nil {
			accepted <- conn
		}
		close(accepted)
	}()
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	dialer := &quic.Transport{Conn: listenUDP(t)}
	conn, err := dialer.Dial(ctx, udp.LocalAddr(), &tls.Config{RootCAs: pool, ServerName: "localhost", NextProtos: []string{alpn}}, config())
	if err != nil {
		t.Fatal(err)
	}
	peer, ok := <-accepted
	if !ok {
		t.Fatal("no connection was accepted")
	}
	t.Cleanup(func() {
		_ = conn.CloseWithError(0, "")
		_ = peer.CloseWithError(0, "")
		_ = l.Close()
		_ = dialer.Close()
		_ = transport.Close()
		_ = dialer.Conn.Close()
		_ = udp.Close()
	})
	return session.FromQUIC(conn), session.FromQUIC(peer)
}

func listenUDP(t testing.TB) *net.UDPConn {
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return udp
}

func webTransportPair(t testing.TB) (client, server session.Conn) {
	cert, pool := Certificate()
	udp := listenUDP(t)
	accepted := make(chan *webtransport.Session, 1)
	wt := &webtransport.Server{ApplicationProtocols: []string{protocol.Lite05.ALPN()}}
	wt.H3 = &http3.Server{
		TLSConfig:  http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{cert}}),
		QUICConfig: config(),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s, err := wt.Upgrade(w, r); err == nil {
				accepted <- s
			}
		}),
	}
	webtransport.ConfigureHTTP3Server(wt.H3)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = wt.Serve(udp)
	}()
	dialer := &webtransport.Transport{
		TLSClientConfig:      &tls.Config{RootCAs: pool, ServerName: "localhost", NextProtos: []string{http3.NextProtoH3}},
		QUICConfig:           config(),
		ApplicationProtocols: []string{protocol.Lite05.ALPN()},
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	_, s, err := dialer.Dial(ctx, "https://"+udp.LocalAddr().String()+"/", nil) //nolint:bodyclose // the session is the body
	if err != nil {
		t.Fatal(err)
	}
	peer := <-accepted
	t.Cleanup(func() {
		_ = s.CloseWithError(0, "")
		_ = peer.CloseWithError(0, "")
		_ = dialer.Close()
		_ = wt.Close()
		<-served
		_ = udp.Close()
	})
	return session.FromWebTransport(s, "/", session.Below{}), session.FromWebTransport(peer, "/", session.Below{})
}
