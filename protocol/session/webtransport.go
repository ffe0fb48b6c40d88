package session

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
	"github.com/quic-go/webtransport-go"

	"github.com/stentor-audio/stentor/protocol"
)

type deadline = time.Time

// Below is the QUIC connection under a WebTransport session and the stream of its
// CONNECT. The zero value is unknown: the session works without, but reports no
// statistics and copies each datagram once more.
type Below struct {
	Conn   *quic.Conn
	Stream quic.StreamID
}

// FromWebTransport makes a WebTransport session a moq-lite session's transport.
// path is the CONNECT request's path with its query.
func FromWebTransport(s *webtransport.Session, path string, below Below) Conn {
	version, ok := protocol.ParseVersion(s.SessionState().ApplicationProtocol)
	if !ok {
		version = protocol.Lite05
	}
	return &wtConn{session: s, below: below, path: path, version: version}
}

type wtConn struct {
	session *webtransport.Session
	below   Below
	path    string
	version protocol.Version
}

func (c *wtConn) AcceptStream(ctx context.Context) (Stream, error) {
	s, err := c.session.AcceptStream(ctx)
	if err != nil {
		return nil, wtError(err)
	}
	return c.both(s), nil
}

func (c *wtConn) AcceptUniStream(ctx context.Context) (ReceiveStream, error) {
	s, err := c.session.AcceptUniStream(ctx)
	if err != nil {
		return nil, wtError(err)
	}
	return c.receive(s), nil
}

func (c *wtConn) OpenStream(ctx context.Context) (Stream, error) {
	s, err := c.session.OpenStreamSync(ctx)
	if err != nil {
		return nil, wtError(err)
	}
	return c.both(s), nil
}

func (c *wtConn) OpenUniStream() (SendStream, error) {
	s, err := c.session.OpenUniStream()
	if err != nil {
		return nil, wtError(err)
	}
	// Nobody waits on one for long, and there may be one a listener and frame:
	// it is not tied to the session's end.
	return wtSend{s, wtEnd{c, func() bool { return true }}}, nil
}

func (c *wtConn) Datagrams() bool { return true }

// SendDatagram puts the HTTP datagram (RFC 9297 §2.1: quarter stream id, then
// the body) on the QUIC connection itself where that is known. The libraries on
// the way would copy it into fresh memory twice, for each listener and packet.
func (c *wtConn) SendDatagram(b []byte) error {
	if c.below.Conn == nil {
		return wtError(c.session.SendDatagram(b))
	}
	body := datagrams.Get().(*[]byte)
	*body = quicvarint.Append((*body)[:0], uint64(c.below.Stream)/4)
	*body = append(*body, b...)
	err := c.below.Conn.SendDatagram(*body)
	datagrams.Put(body)
	return wtError(err)
}

// datagrams lends buffers to SendDatagram: quic-go copies what it is given.
var datagrams = sync.Pool{New: func() any { b := make([]byte, 0, protocol.MaxDatagram+8); return &b }}

func (c *wtConn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	b, err := c.session.ReceiveDatagram(ctx)
	return b, wtError(err)
}

func (c *wtConn) CloseWithError(code protocol.ResetCode, reason string) error {
	return c.session.CloseWithError(webtransport.SessionErrorCode(code), reason)
}

func (c *wtConn) Context() context.Context  { return c.session.Context() }
func (c *wtConn) LocalAddr() net.Addr       { return c.session.LocalAddr() }
func (c *wtConn) RemoteAddr() net.Addr      { return c.session.RemoteAddr() }
func (c *wtConn) Version() protocol.Version { return c.version }
func (c *wtConn) Transport() string         { return "webtransport" }
func (c *wtConn) Path() (string, bool)      { return c.path, true }

// Cause asks a closed session for a stream: its context does not say why it
// ended, but the refusal does.
func (c *wtConn) Cause() error {
	if c.session.Context().Err() == nil {
		return nil
	}
	if _, err := c.session.OpenUniStream(); err != nil {
		return wtError(err)
	}
	return context.Cause(c.session.Context())
}

func (c *wtConn) Stats() Stats {
	if c.below.Conn == nil {
		return Stats{}
	}
	return quicStats(c.below.Conn.ConnectionStats())
}

// over is a deadline that has passed.
var over = time.Unix(1, 0)

// A wtEnd ends what waits on a half of a stream when the session ends. A stream
// that is made in that moment is forgotten by webtransport-go: whoever reads from
// it or writes to it waits for ever.
type wtEnd struct {
	conn   *wtConn
	unlink func() bool
}

func (c *wtConn) end(setDeadline func(time.Time) error) wtEnd {
	return wtEnd{c, context.AfterFunc(c.session.Context(), func() { _ = setDeadline(over) })}
}

// deadline sets one, unless the session has ended.
func (e wtEnd) deadline(set func(time.Time) error, t time.Time) error {
	err := set(t)
	if e.conn.session.Context().Err() != nil {
		_ = set(over)
	}
	return err
}

// failed translates an error, after which nothing follows on that half unless a
// deadline has passed.
func (e wtEnd) failed(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if cause := e.conn.Cause(); cause != nil {
			return cause
		}
		return err
	}
	e.unlink()
	return wtError(err)
}

func (c *wtConn) both(s *webtransport.Stream) wtStream {
	return wtStream{c.send(s), c.receive(s)}
}

func (c *wtConn) send(s wtSendStream) wtSend {
	return wtSend{s, c.end(s.SetWriteDeadline)}
}

func (c *wtConn) receive(s wtReceiveStream) wtReceive {
	return wtReceive{s, c.end(s.SetReadDeadline)}
}

type wtSend struct {
	wtSendStream
	end wtEnd
}

type wtSendStream interface {
	Write(b []byte) (int, error)
	Close() error
	CancelWrite(webtransport.StreamErrorCode)
	SetWriteDeadline(deadline) error
	Context() context.Context
}

func (s wtSend) Write(b []byte) (int, error) {
	n, err := s.wtSendStream.Write(b)
	if err != nil {
		err = s.end.failed(err)
	}
	return n, err
}

func (s wtSend) Close() error {
	s.end.unlink()
	return s.wtSendStream.Close()
}

func (s wtSend) CancelWrite(code protocol.ResetCode) {
	s.end.unlink()
	s.wtSendStream.CancelWrite(webtransport.StreamErrorCode(code))
}

func (s wtSend) SetWriteDeadline(t time.Time) error {
	return s.end.deadline(s.wtSendStream.SetWriteDeadline, t)
}

type wtReceive struct {
	wtReceiveStream
	end wtEnd
}

type wtReceiveStream interface {
	Read(b []byte) (int, error)
	CancelRead(webtransport.StreamErrorCode)
	SetReadDeadline(deadline) error
}

func (s wtReceive) Read(b []byte) (int, error) {
	n, err := s.wtReceiveStream.Read(b)
	if err != nil {
		err = s.end.failed(err)
	}
	return n, err
}

func (s wtReceive) CancelRead(code protocol.ResetCode) {
	s.wtReceiveStream.CancelRead(webtransport.StreamErrorCode(code))
	_ = s.wtReceiveStream.SetReadDeadline(over) // for who reads at this moment
	s.end.unlink()
}

func (s wtReceive) SetReadDeadline(t time.Time) error {
	return s.end.deadline(s.wtReceiveStream.SetReadDeadline, t)
}

type wtStream struct {
	wtSend
	wtReceive
}

// wtError translates webtransport-go's errors, then quic-go's below them.
func wtError(err error) error {
	if err == nil {
		return nil
	}
	var stream *webtransport.StreamError
	if errors.As(err, &stream) {
		return &ResetError{Code: protocol.ResetCode(stream.ErrorCode), Remote: stream.Remote}
	}
	var closed *webtransport.SessionError
	if errors.As(err, &closed) {
		return &ClosedError{Code: protocol.ResetCode(closed.ErrorCode), Reason: closed.Message, Remote: closed.Remote}
	}
	return quicError(err)
}
