package client

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/stage"
)

// roomsOfRelays is where relays say things of rooms, and stateTrack the track there
// with what everybody may know of one (docs/wire.md, 19.1).
const (
	roomsOfRelays protocol.Path = ".stentor/rooms"
	stateTrack    string        = "state"
)

// roomRetry is how long a relay is left alone that ended telling of a room.
const roomRetry = time.Second

// followRoom follows what the line's relay says of the room by a track, while used is
// on, until ctx ends or the relay says that it has no such track. Nil is always used.
func (l *line) followRoom(ctx context.Context, track string, take func(protocol.Frame), used *toggle) {
	if !l.session.stentor() {
		return
	}
	for used == nil || used.wanted(ctx) == nil {
		err := l.hearRoom(ctx, track, session.Newest(take), used)
		if refused := new(session.ResetError); errors.As(err, &refused) && refused.Remote {
			return
		}
		if sleep(ctx, roomRetry) != nil {
			return
		}
	}
}

// hearRoom follows it until it is not used any more.
func (l *line) hearRoom(ctx context.Context, track string, sink session.Sink, used *toggle) error {
	sub, err := l.session.Subscribe(ctx, protocol.Subscribe{
		Broadcast: roomsOfRelays.Join(protocol.Path(l.r.room)), Track: track,
		Delivery: protocol.Delivery{Priority: catalogPriority},
	}, sink)
	if err != nil {
		return err
	}
	defer sub.Close()
	for {
		var changed <-chan struct{}
		if used != nil {
			on, c := used.get()
			if !on {
				return nil
			}
			changed = c
		}
		select {
		case <-changed:
		case <-sub.Done():
			return sub.Err()
		case <-ctx.Done():
			return nil
		}
	}
}

// followView has the program told of the room, if it wants to be.
func (l *line) followView(ctx context.Context, used *toggle) {
	if l.r.view.on != nil {
		l.followRoom(ctx, stateTrack, l.heardView, used)
	}
}

// A roomView is what the program was last told of the room, by whichever session.
type roomView struct {
	on func(stage.View)

	mu   sync.Mutex // held while it is told
	told bool
	last uint64 // version
}

// take tells the program, unless it knows better: a relay may be behind another.
func (v *roomView) take(view stage.View) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.told && view.Version <= v.last {
		return
	}
	v.told, v.last = true, view.Version
	v.on(view)
}

// heardView takes what the relay says of the room.
func (l *line) heardView(f protocol.Frame) {
	var view stage.View
	if err := json.Unmarshal(f.Payload, &view); err != nil {
		l.r.log.Warn("what the relay says of the room cannot be understood", "relay", l.session.Relay(), "cause", err)
		return
	}
	l.r.view.take(view)
}
