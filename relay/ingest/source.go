package ingest

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

// source is one broadcast of a session, as a [room.Source].
type source struct {
	ingest *Ingest
	path   protocol.Path // within the relay
	name   protocol.Path // within the session
	shut   *atomic.Bool  // nil: never
	hushed hushed
}

func (s *source) TrackInfo(ctx context.Context, track string) (protocol.TrackInfo, error) {
	info, err := s.ingest.session.TrackInfo(ctx, s.name, track)
	if err == nil && s.Restarts() && protocol.IsAudioTrack(track) {
		// moq-lite-04 frames have no timestamp: the one in the container serves.
		info.Timescale = protocol.AudioTimescale
	}
	return info, err
}

func (s *source) Subscribe(ctx context.Context, t *room.Track, d protocol.Delivery) (room.Feed, error) {
	sink := &sink{source: s, track: t, audio: t.Name == protocol.TrackAudio, trusted: s.ingest.cfg.Relay}
	sub, err := s.ingest.session.Subscribe(ctx, protocol.Subscribe{Broadcast: s.name, Track: t.Name, Delivery: d}, sink)
	if err != nil {
		return nil, err
	}
	return sub, nil
}

func (s *source) Fetch(ctx context.Context, track string, group uint64, each func(protocol.Frame) error) error {
	if s.isShut(track) || s.hushed.has(track, group) {
		return session.Refuse(protocol.CodeUnauthorized, "group %d: its speaker may not be heard", group)
	}
	return s.ingest.session.Fetch(ctx, protocol.Fetch{Broadcast: s.name, Track: track, Group: group}, func(f protocol.Frame) error {
		if track == protocol.TrackAudio && !s.ingest.cfg.Relay {
			if why := checkPacket(f.Payload); why != Taken {
				s.ingest.dropped(s.path, why)
				return session.Refuse(protocol.CodeDecode, "fetched group %d: %s", group, why)
			}
		}
		return each(f)
	})
}

func (s *source) Alive() bool { return s.ingest.alive() }

func (s *source) Restarts() bool { return s.ingest.session.Version() == protocol.Lite04 }

func (s *source) FirstHand() bool { return !s.ingest.cfg.Relay }

// heard is when a session was last heard from, by its count of packets.
type heard struct {
	packets atomic.Uint64
	at      atomic.Int64 // unix nanoseconds
}

// silentFor is how long a session may be silent before another publisher may
// take its broadcast: longer than the keep-alive of 5 s.
const silentFor = 7 * time.Second

// update reports whether the session is heard from, given its packet count now.
func (h *heard) update(packets uint64, now time.Time) bool {
	if h.packets.Swap(packets) != packets || h.at.Load() == 0 {
		h.at.Store(now.UnixNano())
		return true
	}
	return now.UnixNano()-h.at.Load() < int64(silentFor)
}
