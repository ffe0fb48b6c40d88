package deliver

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

// RelaysTrack says where a session may go on when this relay goes: a group with
// the whole list whenever it changes (docs/wire.md, the relays).
const RelaysTrack = "relays"

var relaysInfo = protocol.TrackInfo{MaxLatency: 10_000, Timescale: 1000}

const (
	// relaysEvery is how often the list may change for a session at most.
	relaysEvery = time.Second
	// relaysSpread is over what time the sessions of a relay are told that it has:
	// all of them at once would make the next packet late.
	relaysSpread = 250 * time.Millisecond
)

func isRelays(broadcast protocol.Path, track string) bool {
	return broadcast == TickBroadcast && track == RelaysTrack
}

// serveRelays sends the list, and again whenever it has changed.
func (d *Deliver) serveRelays(ctx context.Context, sub *session.Subscriber) error {
	if err := d.started(ctx); err != nil {
		return err
	}
	if d.cfg.Relays == nil {
		return refusal(room.ErrUnknown)
	}
	if err := sub.Accept(); err != nil {
		return err
	}
	var said string
	var at time.Time // it was
	for sequence := uint64(0); ; {
		list, changed := d.cfg.Relays()
		if string(list) != said {
			if err := writeDocument(ctx, sub, sequence, list); err != nil {
				return err
			}
			said, at = string(list), time.Now()
			sequence++
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
		select {
		case <-time.After(max(0, relaysEvery-time.Since(at)) + rand.N(relaysSpread)):
		case <-ctx.Done():
			return nil
		}
	}
}
