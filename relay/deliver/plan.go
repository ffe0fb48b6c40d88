package deliver

import (
	"bytes"
	"context"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

// PlanTrack is the track of .stentor/rooms/ROOM with the room's plan: the newest
// one this relay holds as a group, and another whenever that changes. Relays alone
// may follow it. Who does with a priority above 0 takes part in the room; with 0
// it only wants to know (docs/wire.md, between relays).
const PlanTrack = "plan"

// A Following is another relay's that follows a room's plan.
type Following interface {
	// Wants says whether the relay takes part in the room.
	Wants(wants bool)
	// Plan returns the newest plan, nothing if there is none yet, and a channel
	// that is closed when there is a newer one.
	Plan() (encoded []byte, replaced <-chan struct{})
	// End says that it follows no longer.
	End()
}

// planOf is the room whose plan a subscription is for.
func planOf(broadcast protocol.Path, track string) (name string, ok bool) {
	below, ok := broadcast.TrimPrefix(Reports)
	return string(below), ok && track == PlanTrack && below != ""
}

// servePlan sends the plans of a room.
func (d *Deliver) servePlan(ctx context.Context, sub *session.Subscriber, name string) error {
	if err := d.started(ctx); err != nil {
		return err
	}
	if d.cfg.OnPlan == nil {
		return refusal(room.ErrUnknown)
	}
	if err := sub.Accept(); err != nil {
		return err
	}
	f := d.cfg.OnPlan(name)
	defer f.End()
	var said []byte
	for sequence := uint64(0); ; {
		f.Wants(sub.Delivery().Priority > 0)
		b, replaced := f.Plan()
		if len(b) > 0 && !bytes.Equal(b, said) {
			if err := writeDocument(ctx, sub, sequence, b); err != nil {
				return err
			}
			said = b
			sequence++
		}
		select {
		case <-replaced:
		case <-sub.Updated():
		case <-ctx.Done():
			return nil
		}
	}
}
