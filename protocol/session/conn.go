package session

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// Conn is the connection a session runs on. All of its methods may be called
// from several goroutines at once.
type Conn interface {
	// AcceptStream and AcceptUniStream return the peer's next stream.
	AcceptStream(ctx context.Context) (Stream, error)
	AcceptUniStream(ctx context.Context) (ReceiveStream, error)

	// OpenStream waits until the peer's stream limit allows another stream.
	OpenStream(ctx context.Context) (Stream, error)
	// OpenUniStream never waits: out of stream credit is an error.
	OpenUniStream() (SendStream, error)

	// Datagrams reports whether the connection carries any. Where it does not,
	// SendDatagram and ReceiveDatagram fail with [ErrNoDatagrams].
	Datagrams() bool
	// SendDatagram copies b and queues it. It blocks while the transport has 32
	// datagrams queued, so only a goroutine of this connection's own may call it.
	SendDatagram(b []byte) error
	ReceiveDatagram(ctx context.Context) ([]byte, error)

	// CloseWithError ends the connection and every stream on it.
	CloseWithError(code protocol.ResetCode, reason string) error
	// Context ends with the connection.
	Context() context.Context
	// Cause says why the connection ended, once it has: a [*ClosedError] where
	// either end gave a code.
	Cause() error

	LocalAddr() net.Addr
	RemoteAddr() net.Addr
	Stats() Stats

	// Version is what ALPN or the subprotocol negotiation chose.
	Version() protocol.Version
	// Transport names the transport for logs and metrics: "quic", "webtransport" or
	// "websocket".
	Transport() string
	// Path is the request path with its query when the transport carries one
	// (WebTransport, WebSocket); native QUIC carries it in SETUP and reports false.
	Path() (path string, ok bool)
}

// SendStream is the sending half of a stream.
type SendStream interface {
	io.Writer
	// Close ends the stream with FIN.
	Close() error
	// CancelWrite resets the stream.
	CancelWrite(code protocol.ResetCode)
	SetWriteDeadline(t time.Time) error
	// Context ends when the stream is closed, reset, or stopped by the peer.
	Context() context.Context
}

// ReceiveStream is the receiving half of a stream. A peer's reset is returned
// by Read as a [*ResetError].
type ReceiveStream interface {
	io.Reader
	// CancelRead asks the peer to stop sending.
	CancelRead(code protocol.ResetCode)
	SetReadDeadline(t time.Time) error
}

// Stream is a bidirectional stream.
type Stream interface {
	SendStream
	ReceiveStream
}

// Stats is what a connection knows of its path.
type Stats struct {
	RTT             time.Duration // smoothed; zero if unknown
	SendRate        uint64        // bit/s the congestion window allows; zero if unknown
	PacketsSent     uint64
	PacketsReceived uint64
	PacketsLost     uint64
	BytesSent       uint64
}
