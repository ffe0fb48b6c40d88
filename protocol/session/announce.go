package session

import (
	"context"
	"fmt"

	"github.com/stentor-audio/stentor/protocol"
)

// An AnnounceWriter answers an ANNOUNCE_REQUEST. Initial comes first and once,
// then Announce as things change. One goroutine at a time may use it.
type AnnounceWriter struct {
	// Request is what the peer asked for.
	Request protocol.AnnounceRequest

	session *Session
	stream  SendStream
	version protocol.Version
	hopID   uint64
}

// Initial sends ANNOUNCE_OK with this end's hop id and the broadcasts that are
// there already, in one write. hopID zero means the one of the session's SETUP.
func (w *AnnounceWriter) Initial(hopID uint64, active []protocol.Announce) error {
	if hopID != 0 {
		w.hopID = hopID
	}
	var b []byte
	if w.version != protocol.Lite04 {
		b = protocol.AnnounceOK{HopID: w.hopID, Active: uint64(len(active))}.Append(b)
	}
	for _, a := range active {
		b = w.append(b, a)
	}
	if len(b) == 0 { // lite-04 with nothing to announce
		return nil
	}
	_, err := w.stream.Write(b)
	return err
}

// Session returns the session the request came by.
func (w *AnnounceWriter) Session() *Session { return w.session }

// Announce sends one change.
func (w *AnnounceWriter) Announce(a protocol.Announce) error {
	_, err := w.stream.Write(w.append(nil, a))
	return err
}

func (w *AnnounceWriter) append(b []byte, a protocol.Announce) []byte {
	if a.Status == protocol.AnnounceEnded {
		a.Hops = nil
	} else if w.version == protocol.Lite04 && len(a.Hops) < protocol.MaxHops {
		// lite-04 has no ANNOUNCE_OK: the sender stands last in the list itself.
		a.Hops = append(a.Hops[:len(a.Hops):len(a.Hops)], w.hopID)
	}
	return a.Append(b)
}

// Announcements are what the peer announces below a prefix.
type Announcements struct {
	stream  Stream
	reader  *protocol.Reader
	version protocol.Version
	peerHop uint64
	peerOK  bool
	initial uint64 // announcements of the initial set still to come
}

// Announced asks the peer for its broadcasts below prefix, leaving out routes
// through the hop id exclude (zero leaves out none). Close it to withdraw.
func (s *Session) Announced(ctx context.Context, prefix protocol.Path, exclude uint64) (*Announcements, error) {
	stream, err := s.conn.OpenStream(ctx)
	if err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	b := protocol.StreamAnnounce.Append(nil)
	b = protocol.AnnounceRequest{Prefix: prefix, ExcludeHop: exclude}.Append(b)
	if _, err := stream.Write(b); err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	return &Announcements{stream: stream, reader: protocol.NewReader(stream), version: s.conn.Version()}, nil
}

// Next returns the next announcement with its full chain of hops: the list of
// the message and the peer's own id last. It returns io.EOF when the peer ends
// the stream cleanly; every broadcast learnt from it then counts as gone.
// Close makes a waiting Next return.
func (a *Announcements) Next() (protocol.Announce, error) {
	if _, err := a.Initial(); err != nil {
		return protocol.Announce{}, err
	}
	msg, err := a.reader.Announce()
	if err != nil {
		a.stream.CancelRead(CodeOf(err))
		return protocol.Announce{}, fmt.Errorf("announce: %w", err)
	}
	if a.initial > 0 {
		a.initial--
	}
	if msg.Status == protocol.AnnounceActive && a.version != protocol.Lite04 {
		msg.Hops = append(msg.Hops, a.peerHop)
	}
	return msg, nil
}

// Initial waits for ANNOUNCE_OK and returns how many announcements follow at
// once as the initial set. On lite-04, which does not say, it returns zero.
func (a *Announcements) Initial() (uint64, error) {
	if a.peerOK || a.version == protocol.Lite04 {
		return a.initial, nil
	}
	ok, err := a.reader.AnnounceOK()
	if err != nil {
		return 0, fmt.Errorf("announce: %w", err)
	}
	a.peerHop, a.initial, a.peerOK = ok.HopID, ok.Active, true
	return a.initial, nil
}

// Close withdraws the request.
func (a *Announcements) Close() {
	_ = a.stream.Close()
	a.stream.CancelRead(protocol.CodeCancel)
}
