package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// An audioSink takes the groups of a tap's subscription, as they come.
type audioSink struct{ in *intake }

// Datagram implements [session.Sink].
func (s audioSink) Datagram(sequence uint64, f protocol.Frame) { s.take(sequence, f) }

// Group implements [session.Sink]. A group has one frame; what else a stranger
// puts into one has no sequence of its own and is left out.
func (s audioSink) Group(_ context.Context, g *session.GroupReader) {
	f, err := g.Next()
	if err != nil {
		return // reset, or cut off: the sequence stays missing and is fetched
	}
	s.take(g.Sequence, f)
	// To return before the end would stop a stream that has nothing more to say.
	_, _ = g.Next()
}

func (s audioSink) take(group uint64, f protocol.Frame) {
	arrived := time.Now()
	feed := s.in.tap.feed
	feed.line.heard()
	var room [bundle]frame
	frames, err := s.in.format.unpack(room[:0], group, f)
	feed.l.deliver(s.in, frames, group, arrived, err)
}

// keepCatalog follows the speaker's catalog. The newest that makes sense is put
// into p.catalogs.
func (p *tap) keepCatalog(ctx context.Context) {
	var pause backoff
	for {
		begun := time.Now()
		err := p.followCatalog(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			continue // not in use for now
		}
		p.feed.l.log.Debug("catalog ended", "speaker", p.track.key.speaker, "cause", err)
		if sleep(ctx, pause.next(time.Since(begun), rand.Float64())) != nil {
			return
		}
	}
}

func (p *tap) followCatalog(ctx context.Context) error {
	if _, err := p.feed.session.TrackInfo(ctx, p.path, protocol.TrackCatalog); err != nil {
		return err
	}
	if err := p.feed.inUse.wanted(ctx); err != nil {
		return err
	}
	sub, err := p.feed.session.Subscribe(ctx, protocol.Subscribe{
		Broadcast: p.path,
		Track:     protocol.TrackCatalog,
		Delivery:  protocol.Delivery{Priority: catalogPriority},
	}, session.Newest(p.heardCatalog))
	if err != nil {
		return err
	}
	defer sub.Close()
	for {
		used, changed := p.feed.inUse.get()
		if !used {
			return nil
		}
		select {
		case <-changed:
		case <-sub.Done():
			return sub.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// heardCatalog takes a catalog.
func (p *tap) heardCatalog(f protocol.Frame) {
	c, err := protocol.ParseCatalog(f.Payload)
	if err != nil {
		p.feed.l.log.Warn("speaker cannot be heard: its catalog is not readable",
			"speaker", p.track.key.speaker, "cause", err, "starts", fmt.Sprintf("%.40q", f.Payload))
		return
	}
	for {
		select {
		case p.catalogs <- c:
			return
		default:
		}
		select {
		case <-p.catalogs: // an older one nobody has read yet
		default:
		}
	}
}
