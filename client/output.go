package client

import (
	"sync"
	"time"

	"github.com/stentor-audio/stentor/client/playout"
)

// A Track is what one speaker says for as long as its broadcast has the same
// identity, whichever sessions bring it.
type Track struct {
	Room, Speaker string
	Origin        uint64        // the publisher's hop id; 0 is unknown
	SampleRate    int           // Hz, as the catalog has it
	Channels      int           // 1 or 2
	Packet        time.Duration // how much audio a datagram brings: 20, 60 or 120 ms
}

// A Buffer takes a track's frames and tells which are missing.
// [playout.Buffer] and [playout.Sequencer] are buffers.
type Buffer interface {
	Push(sequence, timestamp uint64, packet []byte, now time.Duration) playout.Outcome
	PushRepaired(sequence, timestamp uint64, packet []byte, now time.Duration) playout.Outcome
	Holes(now, roundTrip time.Duration, dst []uint64) []uint64
	FetchFailed(sequence uint64)
	Stats() playout.Stats
}

// An Output is where a Listener puts what it receives: [NewFrames] for packets,
// [NewMixer] for PCM. The Listener locks it around every call of its methods and
// of its buffers'; nothing that blocks may be done under that lock. Moments are
// given as time since an arbitrary one that all outputs share.
type Output interface {
	sync.Locker
	// Begin makes the buffer of a new track. An error leaves the track out.
	Begin(Track) (Buffer, error)
	// End lets go of a track and its buffer.
	End(Track)
	// Flow is called after frames were pushed, and every 20 ms.
	Flow(now time.Duration)
}

// epoch is the moment that outputs count from.
var epoch = time.Now()

// now is the present for outputs.
func now() time.Duration { return time.Since(epoch) }
