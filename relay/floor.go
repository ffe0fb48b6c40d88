package relay

import (
	"context"
	"sync"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/deliver"
	"github.com/stentor-audio/stentor/relay/floor"
	"github.com/stentor-audio/stentor/token"
)

// newFloor makes what decides whom listeners hear (docs/stage-audio.md).
func (r *Relay) newFloor() *floor.Rooms {
	cfg := floor.Config{Self: r.cfg.Name, N: r.cfg.Loudest, Origin: r.origin, Logger: r.log}
	if r.cfg.Gossip != "" {
		cfg.Roots = func(room string) []string { return r.mesh.roots(room) }
		cfg.Follow = func(ctx context.Context, relay, room string, each func([]byte)) error {
			return r.mesh.followFloor(ctx, relay, room, each)
		}
	}
	return floor.New(cfg)
}

// followFloor follows whom another relay has listeners hear.
func (m *mesh) followFloor(ctx context.Context, relay, room string, each func([]byte)) error {
	s, err := m.links.Session(ctx, relay)
	if err != nil {
		return err
	}
	sub, err := s.Subscribe(ctx, protocol.Subscribe{
		Broadcast: deliver.Reports.Join(protocol.Path(room)), Track: protocol.TrackLoudest,
		Delivery: protocol.Delivery{Priority: planPriority},
	}, session.Newest(func(f protocol.Frame) { each(f.Payload) }))
	if err != nil {
		return err
	}
	defer sub.Close()
	select {
	case <-sub.Done():
		return sub.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// onStage tells whether a session is that of somebody who speaks in a room: it gives
// the hop id of a broadcast there, and may publish.
func (r *Relay) onStage(p *peer, grant token.Grant) func(room string) bool {
	if len(grant.Publish) == 0 {
		return nil
	}
	return func(room string) bool {
		setup, ok := p.session.Peer()
		return ok && setup.HopID != 0 && r.floor.Speaks(room, setup.HopID)
	}
}

// attended are the rooms of a relay that stands alone in which somebody speaks.
type attended struct {
	mu    sync.Mutex
	rooms map[string]*spoken
}

type spoken struct {
	broadcasts int
	stop       context.CancelFunc
}

// attend sees to whom listeners hear in a room, until what it returns is called.
func (a *attended) attend(r *Relay, room string) (ended func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rooms == nil {
		a.rooms = make(map[string]*spoken)
	}
	s := a.rooms[room]
	if s == nil {
		ctx, stop := context.WithCancel(r.serving)
		s = &spoken{stop: stop}
		a.rooms[room] = s
		r.tasks.Go(func() { r.floor.Attend(ctx, room) })
	}
	s.broadcasts++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if s.broadcasts--; s.broadcasts == 0 {
			s.stop()
			delete(a.rooms, room)
		}
	}
}
