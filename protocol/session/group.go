package session

import (
	"context"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// A GroupReader is one group stream on its way in.
type GroupReader struct {
	Sequence uint64

	stream  ReceiveStream
	reader  *protocol.Reader
	version protocol.Version
	last    uint64 // timestamp of the frame before
	idle    time.Duration
}

// Next returns the next frame, or io.EOF at the clean end of the group. A
// publisher that leaves the stream hanging is cut off by a deadline. On
// moq-lite-04 frames have no timestamp and it is zero.
func (g *GroupReader) Next() (protocol.Frame, error) {
	if g.idle > 0 {
		_ = g.stream.SetReadDeadline(time.Now().Add(g.idle))
	}
	f, err := g.reader.Frame(g.last, g.version)
	g.last = f.Timestamp
	return f, err
}

// Cancel asks the publisher to stop this group.
func (g *GroupReader) Cancel(code protocol.ResetCode) { g.stream.CancelRead(code) }

// groupIdle is how long a group stream may stay without its next byte. A group
// of a slow track (a catalog kept open) ends and is asked for again; without the
// bound a publisher could hold a thousand streams open for nothing.
const groupIdle = 30 * time.Second

// serveGroup reads a group stream's header and hands it to its subscription.
func (s *Session) serveGroup(ctx context.Context, stream ReceiveStream, r *protocol.Reader) {
	header, err := r.GroupHeader()
	if err != nil {
		stream.CancelRead(CodeOf(err))
		return
	}
	sub := s.subscription(header.SubscribeID)
	if sub == nil {
		stream.CancelRead(protocol.CodeCancel)
		return
	}
	g := &GroupReader{Sequence: header.Sequence, stream: stream, reader: r, version: s.conn.Version(), idle: groupIdle}
	sub.sink.Group(ctx, g)
	stream.CancelRead(protocol.CodeCancel) // no effect after its FIN
}

// A GroupWriter writes the frames of one group. One goroutine at a time may use
// it.
type GroupWriter struct {
	stream  SendStream
	version protocol.Version
	last    uint64
	buf     []byte
}

// Write sends one frame.
func (w *GroupWriter) Write(f protocol.Frame) error {
	w.buf = f.Append(w.buf[:0], w.last, w.version)
	w.last = f.Timestamp
	_, err := w.stream.Write(w.buf)
	return err
}

// Close ends the group with FIN. A peer that has stopped reading by then has all it
// wants, and there is nothing to end.
func (w *GroupWriter) Close() { _ = w.stream.Close() }

// Cancel resets the group.
func (w *GroupWriter) Cancel(code protocol.ResetCode) { w.stream.CancelWrite(code) }

// SetDeadline bounds the writes that follow.
func (w *GroupWriter) SetDeadline(t time.Time) { _ = w.stream.SetWriteDeadline(t) }
