package session

import (
	"context"
	"errors"
	"net"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/protocol"
)

// FromQUIC makes a native QUIC connection a session's transport. The version
// is the one ALPN chose; an unknown ALPN counts as moq-lite-05, because a
// caller that negotiated something else has no business here.
func FromQUIC(conn *quic.Conn) Conn {
	version, ok := protocol.ParseVersion(conn.ConnectionState().TLS.NegotiatedProtocol)
	if !ok {
		version = protocol.Lite05
	}
	return &quicConn{conn: conn, version: version}
}

type quicConn struct {
	conn    *quic.Conn
	version protocol.Version
}

func (c *quicConn) AcceptStream(ctx context.Context) (Stream, error) {
	s, err := c.conn.AcceptStream(ctx)
	if err != nil {
		return nil, quicError(err)
	}
	return quicStream{quicSend{s}, quicReceive{s}}, nil
}

func (c *quicConn) AcceptUniStream(ctx context.Context) (ReceiveStream, error) {
	s, err := c.conn.AcceptUniStream(ctx)
	if err != nil {
		return nil, quicError(err)
	}
	return quicReceive{s}, nil
}

func (c *quicConn) OpenStream(ctx context.Context) (Stream, error) {
	s, err := c.conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, quicError(err)
	}
	return quicStream{quicSend{s}, quicReceive{s}}, nil
}

func (c *quicConn) OpenUniStream() (SendStream, error) {
	s, err := c.conn.OpenUniStream()
	if err != nil {
		return nil, quicError(err)
	}
	return quicSend{s}, nil
}

func (c *quicConn) Datagrams() bool { return true }

func (c *quicConn) SendDatagram(b []byte) error { return quicError(c.conn.SendDatagram(b)) }

func (c *quicConn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	b, err := c.conn.ReceiveDatagram(ctx)
	return b, quicError(err)
}

func (c *quicConn) CloseWithError(code protocol.ResetCode, reason string) error {
	return c.conn.CloseWithError(quic.ApplicationErrorCode(code), reason)
}

func (c *quicConn) Context() context.Context  { return c.conn.Context() }
func (c *quicConn) Cause() error              { return quicError(context.Cause(c.conn.Context())) }
func (c *quicConn) LocalAddr() net.Addr       { return c.conn.LocalAddr() }
func (c *quicConn) RemoteAddr() net.Addr      { return c.conn.RemoteAddr() }
func (c *quicConn) Version() protocol.Version { return c.version }
func (c *quicConn) Transport() string         { return "quic" }
func (c *quicConn) Path() (string, bool)      { return "", false }
func (c *quicConn) Stats() Stats              { return quicStats(c.conn.ConnectionStats()) }

func quicStats(s quic.ConnectionStats) Stats {
	stats := Stats{
		RTT:             s.SmoothedRTT,
		PacketsSent:     s.PacketsSent,
		PacketsReceived: s.PacketsReceived,
		PacketsLost:     s.PacketsLost,
		BytesSent:       s.BytesSent,
	}
	if s.SmoothedRTT > 0 {
		stats.SendRate = uint64(float64(s.CongestionWindow) * 8 / s.SmoothedRTT.Seconds())
	}
	return stats
}

// quicSend and quicReceive map stream codes the way WebTransport does: the
// other stacks that speak this ALPN do the same (docs/wire.md, reset codes).
type quicSend struct{ quicSendStream }

type quicSendStream interface {
	Write(b []byte) (int, error)
	Close() error
	CancelWrite(quic.StreamErrorCode)
	SetWriteDeadline(deadline) error
	Context() context.Context
}

func (s quicSend) Write(b []byte) (int, error) {
	n, err := s.quicSendStream.Write(b)
	return n, quicError(err)
}

func (s quicSend) CancelWrite(code protocol.ResetCode) {
	s.quicSendStream.CancelWrite(quic.StreamErrorCode(code.QUIC()))
}

type quicReceive struct{ quicReceiveStream }

type quicReceiveStream interface {
	Read(b []byte) (int, error)
	CancelRead(quic.StreamErrorCode)
	SetReadDeadline(deadline) error
}

func (s quicReceive) Read(b []byte) (int, error) {
	n, err := s.quicReceiveStream.Read(b)
	return n, quicError(err)
}

func (s quicReceive) CancelRead(code protocol.ResetCode) {
	s.quicReceiveStream.CancelRead(quic.StreamErrorCode(code.QUIC()))
}

type quicStream struct {
	quicSend
	quicReceive
}

// quicError translates quic-go's errors into this package's. io.EOF and what it
// does not know pass through.
func quicError(err error) error {
	if err == nil {
		return nil
	}
	var stream *quic.StreamError
	if errors.As(err, &stream) {
		code, ok := protocol.ResetCodeFromQUIC(uint64(stream.ErrorCode))
		if !ok {
			code = protocol.ResetCode(stream.ErrorCode)
		}
		return &ResetError{Code: code, Remote: stream.Remote}
	}
	var app *quic.ApplicationError
	if errors.As(err, &app) {
		code := protocol.ResetCode(app.ErrorCode)
		// Peers close with the plain code or with the mapped one.
		if mapped, ok := protocol.ResetCodeFromQUIC(uint64(app.ErrorCode)); ok {
			code = mapped
		}
		return &ClosedError{Code: code, Reason: app.ErrorMessage, Remote: app.Remote}
	}
	var limit *quic.StreamLimitReachedError
	if errors.As(err, &limit) {
		return ErrNoCredit
	}
	return err
}
