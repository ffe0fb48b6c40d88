package client

import (
	"context"

	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/stage"
)

// followFloor follows whom listeners of the room hear, while the session is in use.
// Relays that do not know of it send everybody, and people on stage get everybody
// (docs/stage-audio.md).
func (f *feed) followFloor(ctx context.Context) {
	if f.l.o.self == 0 {
		f.line.followRoom(ctx, protocol.TrackLoudest, f.heardFloor, &f.inUse)
	}
}

// heardFloor takes what the relay says of whom listeners hear.
func (f *feed) heardFloor(frame protocol.Frame) {
	l := f.l
	floor, err := protocol.ParseFloor(frame.Payload)
	if err != nil {
		l.log.Warn("whom the relay sends cannot be understood", "relay", f.session.Relay(), "cause", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if used, _ := f.inUse.get(); !used {
		return
	}
	l.floor = floor
	for _, t := range l.tracks {
		l.leaveOut(t)
	}
}

// heardRoom takes what a relay says of the room: of who is muted there nothing comes
// until a host lets them be heard, and then from the next frame on.
func (l *Listener) heardRoom(view stage.View) {
	l.mu.Lock()
	l.muted = make(map[string]struct{})
	for _, member := range view.Stage {
		if member.Muted {
			l.muted[member.Name] = struct{}{}
		}
	}
	for _, t := range l.tracks {
		if _, muted := l.muted[t.key.speaker]; muted {
			l.leaveOut(t)
		}
	}
	l.mu.Unlock()
	if l.o.OnRoom != nil {
		l.o.OnRoom(view)
	}
}

// leaveOut tells a track's buffer what of it will not come, because listeners do not
// hear it or because it is muted in the room, and the machine when it is not to wait
// for it. l.mu is held.
func (l *Listener) leaveOut(t *track) {
	_, muted := l.muted[t.key.speaker]
	if l.floor == nil && !muted || t.buffer == nil || !t.any {
		return
	}
	buffer, ok := t.buffer.(interface{ LeaveOut(from, until uint64) })
	if !ok {
		return
	}
	next := t.newest + 1
	from, until := protocol.Forever, protocol.Forever
	switch {
	case muted:
		from = next
	case l.floor.Voice(protocol.Path(t.key.speaker), t.key.origin) != nil:
		from, until = l.floor.Voice(protocol.Path(t.key.speaker), t.key.origin).Gap(next)
	}
	if from == protocol.Forever && t.withheld == next+1 {
		return // it ends with the first frame that comes, whichever that is
	}
	l.o.Output.Lock()
	buffer.LeaveOut(from, until)
	l.o.Output.Unlock()
	switch {
	case from != next:
		t.withheld = 0
	case t.withheld != from+1:
		t.withheld = from + 1
		l.roam.step(hop.Event{Kind: hop.Withheld, Track: t.number})
	}
}
