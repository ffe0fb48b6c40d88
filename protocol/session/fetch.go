package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// TrackInfo asks the peer about a track. On moq-lite-04, which has no such
// request, it returns what that profile assumes: milliseconds, kept for 5 s.
func (s *Session) TrackInfo(ctx context.Context, broadcast protocol.Path, track string) (protocol.TrackInfo, error) {
	if s.conn.Version() == protocol.Lite04 {
		return protocol.TrackInfo{MaxLatency: 5000, Timescale: 1000}, nil
	}
	ctx, stop := context.WithTimeout(ctx, s.cfg.RequestTimeout)
	defer stop()
	b := protocol.StreamTrack.Append(nil)
	stream, err := s.request(ctx, protocol.TrackRequest{Broadcast: broadcast, Track: track}.Append(b))
	if err != nil {
		return protocol.TrackInfo{}, fmt.Errorf("track: %w", err)
	}
	defer stream.CancelRead(protocol.CodeCancel)
	defer abortWith(ctx, stream)()
	info, err := protocol.NewReader(stream).TrackInfo()
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return protocol.TrackInfo{}, fmt.Errorf("track: %w", err)
	}
	return info, nil
}

// Fetch asks the peer for one group and calls each with its frames until the
// group ends, each returns an error, or ctx ends.
func (s *Session) Fetch(ctx context.Context, req protocol.Fetch, each func(protocol.Frame) error) error {
	b := protocol.StreamFetch.Append(nil)
	stream, err := s.request(ctx, req.Append(b))
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	defer stream.CancelRead(protocol.CodeCancel)
	defer abortWith(ctx, stream)()
	g := GroupReader{Sequence: req.Group, stream: stream, reader: protocol.NewReader(stream), version: s.conn.Version()}
	for {
		f, err := g.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = each(f)
		}
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return fmt.Errorf("fetch: %w", err)
		}
	}
}

// request opens a stream, writes b and ends the sending half.
func (s *Session) request(ctx context.Context, b []byte) (Stream, error) {
	stream, err := s.conn.OpenStream(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := stream.Write(b); err != nil {
		return nil, err
	}
	_ = stream.Close() // fails where the answer was quicker and the peer stopped us
	return stream, nil
}

// abortWith makes reads of the stream fail once ctx ends; the returned function
// takes that back.
func abortWith(ctx context.Context, stream ReceiveStream) (release func() bool) {
	return context.AfterFunc(ctx, func() { _ = stream.SetReadDeadline(time.Unix(1, 0)) })
}
