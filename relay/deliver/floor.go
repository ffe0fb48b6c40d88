package deliver

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

// floorAgain is how often another relay is told the same again: so it knows that
// whoever decides is still there.
const floorAgain = 500 * time.Millisecond

var floorInfo = protocol.TrackInfo{MaxLatency: 10_000, Timescale: 1000}

// floorOf is the room whose floor a subscription is for.
func floorOf(broadcast protocol.Path, track string) (name string, ok bool) {
	below, ok := broadcast.TrimPrefix(Reports)
	return string(below), ok && below != "" && track == protocol.TrackLoudest
}

// roomOf is the room that a path of the relay lies in.
func roomOf(path protocol.Path) string {
	if segments := path.Segments(); len(segments) > 0 {
		return segments[0]
	}
	return ""
}

// follows reports whether the session is told what of a room is sent to listeners.
// Who is not would take what is left out for lost.
func (d *Deliver) follows(room string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.floors[room] > 0
}

// follow counts those who are, and those who no longer are.
func (d *Deliver) follow(room string, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.floors == nil {
		d.floors = make(map[string]int, 1)
	}
	if d.floors[room] += n; d.floors[room] == 0 {
		delete(d.floors, room)
	}
}

// onStage reports whether the session is that of somebody who speaks in a room.
func (d *Deliver) onStage(room string) bool {
	return d.cfg.OnStage != nil && room != "" && d.cfg.OnStage(room)
}

// mayHearOf refuses a room that the session sees nothing of.
func (d *Deliver) mayHearOf(ctx context.Context, name string) error {
	if err := d.started(ctx); err != nil {
		return err
	}
	within := func(prefix protocol.Path) bool {
		path := d.cfg.Root.Join(prefix)
		return path == "" || roomOf(path) == name
	}
	if d.cfg.Floor == nil || len(protocol.Path(name).Segments()) != 1 {
		return refusal(room.ErrUnknown)
	}
	if !slices.ContainsFunc(d.cfg.Prefixes, within) {
		return session.Refuse(protocol.CodeUnauthorized, "room %q: no right to subscribe", name)
	}
	return nil
}

// serveFloor tells what of a room is sent to listeners: at first, unless that is
// everything, and when it changes.
func (d *Deliver) serveFloor(ctx context.Context, sub *session.Subscriber, name string) error {
	if err := d.mayHearOf(ctx, name); err != nil {
		return err
	}
	if err := sub.Accept(); err != nil {
		return err
	}
	again := time.NewTicker(floorAgain)
	defer again.Stop()
	if !d.cfg.Relay {
		again.Stop()
	}
	d.follow(name, 1)
	defer d.follow(name, -1)
	look, done := d.cfg.Floor(name)
	defer done()
	var said []byte
	for sequence := uint64(0); ; {
		floor, changed := look()
		if !bytes.Equal(said, floor) || d.cfg.Relay && len(floor) > 0 {
			if err := writeDocument(ctx, sub, sequence, floor); err != nil {
				return err
			}
			said = floor
			sequence++
		}
		select {
		case <-changed:
		case <-again.C:
		case <-ctx.Done():
			return nil
		}
	}
}
