package voice

import (
	"context"
	"fmt"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

var _ session.Publisher = (*Voice)(nil)

// info is the TRACK_INFO of both tracks.
var info = protocol.TrackInfo{MaxLatency: 5000, Timescale: protocol.AudioTimescale}

// Announce announces the voice for as long as the session lives.
func (v *Voice) Announce(ctx context.Context, w *session.AnnounceWriter) error {
	var active []protocol.Announce
	if suffix, ok := v.path.TrimPrefix(w.Request.Prefix); ok && w.Request.ExcludeHop != v.hopID {
		active = append(active, protocol.Announce{Status: protocol.AnnounceActive, Suffix: suffix})
	}
	if err := w.Initial(v.hopID, active); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// Track says how the tracks are timed.
func (v *Voice) Track(_ context.Context, req protocol.TrackRequest) (protocol.TrackInfo, error) {
	return info, v.knows(req.Broadcast, req.Track)
}

// Fetch refuses: nothing is kept.
func (v *Voice) Fetch(_ context.Context, req protocol.Fetch, _ *session.GroupWriter) error {
	return session.Refuse(protocol.CodeNotFound, "group %d is not kept", req.Group)
}

// Subscribe sends what comes from now on.
func (v *Voice) Subscribe(ctx context.Context, sub *session.Subscriber) error {
	if err := v.knows(sub.Request.Broadcast, sub.Request.Track); err != nil {
		return err
	}
	if sub.Request.Track == protocol.TrackCatalog {
		if _, err := sub.WriteGroup(0, protocol.Frame{Payload: v.catalog()}, nil); err != nil {
			return fmt.Errorf("catalog: %w", err)
		}
		<-ctx.Done()
		return nil
	}
	return v.serve(ctx, sub)
}

func (v *Voice) serve(ctx context.Context, sub *session.Subscriber) error {
	packets := v.join()
	defer v.leave(packets)
	var body, payload []byte
	for {
		select {
		case p := <-packets:
			if err := sub.Start(p.sequence); err != nil {
				return err
			}
			payload = protocol.AppendLegacy(payload[:0], p.timestamp, v.opus)
			body = protocol.Datagram{
				SubscribeID: sub.Request.ID,
				Sequence:    p.sequence,
				Timestamp:   p.timestamp,
				Payload:     payload,
			}.Append(body[:0])
			if err := sub.SendDatagram(body); err != nil {
				return fmt.Errorf("datagram: %w", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (v *Voice) knows(broadcast protocol.Path, track string) error {
	if broadcast != v.path {
		return session.Refuse(protocol.CodeUnroutable, "broadcast %q is not here", broadcast)
	}
	if track != protocol.TrackAudio && track != protocol.TrackCatalog {
		return session.Refuse(protocol.CodeNotFound, "track %q is not here", track)
	}
	return nil
}

// catalog describes the voice to any player.
func (v *Voice) catalog() []byte {
	rendition := func(track string, container protocol.Container) protocol.Rendition {
		return protocol.Rendition{Track: track, Codec: "opus", SampleRate: 48000, Channels: 1, Container: container}
	}
	return protocol.Catalog{Audio: []protocol.Rendition{
		rendition(protocol.TrackAudio, protocol.ContainerLegacy),
		rendition(protocol.Track60, protocol.ContainerBundle),
		rendition(protocol.Track120, protocol.ContainerBundle),
	}}.JSON()
}
