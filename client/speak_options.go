package client

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/stage"
)

// SpeakOptions say who speaks where. Room, Name and at least one relay are
// required; the zero value of everything else works.
type SpeakOptions struct {
	// Room and Name make the broadcast's path, room/name. See [CheckName].
	Room, Name string

	// Relays are the URLs of relays to begin with. Two are published to at the
	// same time, so that either may die and nobody notices: of these, and of
	// those that they know of, which are dialled with the path and token of the
	// first URL. See [Dial] for their forms.
	Relays []string

	// Dial is how to reach them. Its Publisher, Role and HopID are set by the
	// Speaker.
	Dial Options

	// HopID identifies the broadcast to the whole network for as long as it
	// lives, whichever sessions carry it. Zero draws one; see [NewHopID].
	HopID uint64

	// SampleRate, Channels and Bitrate describe the Opus packets to players, in
	// Hz, number and bit/s. Zero means 48000, 1 and 32000.
	SampleRate, Channels, Bitrate int

	// SkipSilence leaves out frames in which nobody speaks (packets of at most
	// two bytes, or none): for microphones. Otherwise every packet is sent as it
	// is.
	SkipSilence bool

	// OnRoom is called with what everybody may know of the room (package stage) when
	// that is first heard and whenever it changes, ten times a second at most: its
	// title, when it begins, who is on the stage, who is muted. It must not block.
	// Nil asks for nothing; a room of very many is spared what nobody looks at.
	OnRoom func(stage.View)

	// ConnectTimeout is how long no relay may answer at the beginning before
	// Run fails. Later on a Speaker goes on trying for ever. Zero means 10 s.
	ConnectTimeout time.Duration

	// Logger receives what an operator should see. Nil discards it.
	Logger *slog.Logger
}

func (o SpeakOptions) withDefaults() SpeakOptions {
	o.SampleRate = cmp.Or(o.SampleRate, 48000)
	o.Channels = cmp.Or(o.Channels, 1)
	o.Bitrate = cmp.Or(o.Bitrate, 32000)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, connectTimeout)
	if o.HopID == 0 {
		o.HopID = NewHopID()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Dial.Logger == nil {
		o.Dial.Logger = o.Logger
	}
	return o
}

// connectTimeout is how long a program waits for its first session: long enough
// for a relay that is just being restarted, short enough to wonder.
const connectTimeout = 10 * time.Second

// catalog describes the broadcast: the packets one by one, which every player
// knows, then the bundles that relays make of them.
func (o SpeakOptions) catalog() protocol.Catalog {
	rendition := func(track string, container protocol.Container) protocol.Rendition {
		return protocol.Rendition{
			Track:      track,
			Codec:      "opus",
			SampleRate: uint32(o.SampleRate),
			Channels:   uint32(o.Channels),
			Bitrate:    uint32(o.Bitrate),
			Container:  container,
			Jitter:     time.Duration(protocol.BundleSize(track)) * FrameDuration,
		}
	}
	return protocol.Catalog{Audio: []protocol.Rendition{
		rendition(protocol.TrackAudio, protocol.ContainerLegacy),
		rendition(protocol.Track60, protocol.ContainerBundle),
		rendition(protocol.Track120, protocol.ContainerBundle),
	}}
}
