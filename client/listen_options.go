package client

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/stentor-audio/stentor/client/playout"
	"github.com/stentor-audio/stentor/relay/stage"
)

// ListenOptions say who listens to what. Room and at least one relay are
// required; the zero value of everything else works.
type ListenOptions struct {
	// Room is the room's name. See [CheckName].
	Room string

	// Speaker is the one to listen to. Empty means everybody in the room.
	Speaker string

	// Relays are URLs of relays to begin with, the first that answers: any relay
	// of the network has every room and knows of the others, which are dialled
	// with the path and token of the first URL. See [Dial] for their forms.
	Relays []string

	// Dial is how to reach them. Its Publisher, Role and OnGoaway are set by the
	// Listener.
	Dial Options

	// Packet is how much audio each datagram is to bring: 20, 60 or 120 ms.
	// Longer ones spare the relay, the network and the battery; shorter ones
	// cost less delay. Zero means what the relay wishes, or else 60 ms. Speakers
	// that offer no bundles come in packets of 20 ms in any case.
	Packet time.Duration

	// NoStandby keeps no second session ready: when the relay fails, another has
	// to be dialled first, which is heard.
	NoStandby bool

	// Output takes what is received. Nil counts it and throws it away.
	Output Output

	// MaxSpeakers is how many are listened to at once; further ones are left
	// out until one leaves. Zero means 32; at most 64.
	MaxSpeakers int

	// OnRoom is called with what everybody may know of the room (package stage) when
	// that is first heard and whenever it changes, ten times a second at most: its
	// title, when it begins, who is on the stage, who is muted. It must not block.
	// Nil asks for nothing; a room of very many is spared what nobody looks at.
	OnRoom func(stage.View)

	// ConnectTimeout is how long no relay may answer at the beginning before
	// Run fails. Later on a Listener goes on trying for ever. Zero means 10 s.
	ConnectTimeout time.Duration

	// Logger receives what an operator should see. Nil discards it.
	Logger *slog.Logger

	// self is the hop id of the broadcast of who listens; see [Speaker.Listener].
	self uint64
}

// maxSpeakers is how many tracks a hop.Machine follows.
const maxSpeakers = 64

// defaultPacket is what listeners take unless they or the relay say otherwise: a
// third of the packets for 40 ms of delay.
const defaultPacket = 60 * time.Millisecond

func (o ListenOptions) withDefaults() ListenOptions {
	o.MaxSpeakers = min(cmp.Or(o.MaxSpeakers, 32), maxSpeakers)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, connectTimeout)
	if o.Output == nil {
		o.Output = newCounter()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Dial.Logger == nil {
		o.Dial.Logger = o.Logger
	}
	return o
}

func (o ListenOptions) check() error {
	if err := CheckName(o.Room); err != nil {
		return fmt.Errorf("room: %w", err)
	}
	if o.Speaker != "" {
		if err := CheckName(o.Speaker); err != nil {
			return fmt.Errorf("speaker: %w", err)
		}
	}
	switch o.Packet {
	case 0, FrameDuration, 3 * FrameDuration, 6 * FrameDuration:
	default:
		return fmt.Errorf("%w: packets of %v; 20ms, 60ms and 120ms exist", ErrAddress, o.Packet)
	}
	if len(o.Relays) == 0 {
		return fmt.Errorf("%w: no relay", ErrAddress)
	}
	for _, relay := range o.Relays {
		if _, err := parseURL(relay); err != nil {
			return err
		}
	}
	return nil
}

// newCounter is the output of a listener that wants none: the packets are put in
// order and counted.
func newCounter() Output { return &counter{NewFrames(playout.Config{})} }

type counter struct{ *Frames }

// Flow implements [Output].
func (c *counter) Flow(now time.Duration) {
	c.Frames.Flow(now)
	for {
		select {
		case <-c.out:
		default:
			return
		}
	}
}
