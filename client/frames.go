package client

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/client/playout"
)

// A Frame is 20 ms of one speaker: an Opus packet, or the place of one that was
// lost.
type Frame struct {
	Track     Track
	Sequence  uint64
	Timestamp uint64 // µs of the speaker's clock; 0 where Lost
	Opus      []byte // nil where Lost
	Lost      bool
	Repaired  bool // had been missing, and was fetched
}

// Frames is an [Output] that gives each track's packets out in order, each
// exactly once, and waits for missing ones as long as their repair may take.
type Frames struct {
	mu     sync.Mutex
	cfg    playout.Config
	tracks []*frameTrack
	out    chan Frame
	missed atomic.Uint64
}

type frameTrack struct {
	Track
	*playout.Sequencer
}

// framesHeld is how many frames wait for a slow reader: ten seconds of one
// speaker. What does not fit is missed, never waited for.
const framesHeld = 512

// NewFrames makes one; of cfg it takes what [playout.NewSequencer] does.
func NewFrames(cfg playout.Config) *Frames {
	return &Frames{cfg: cfg, out: make(chan Frame, framesHeld)}
}

// C is where the frames come out. It is never closed.
func (f *Frames) C() <-chan Frame { return f.out }

// Missed is how many frames the reader of C was too slow for.
func (f *Frames) Missed() uint64 { return f.missed.Load() }

// Lock implements [sync.Locker].
func (f *Frames) Lock() { f.mu.Lock() }

// Unlock implements [sync.Locker].
func (f *Frames) Unlock() { f.mu.Unlock() }

// Begin implements [Output].
func (f *Frames) Begin(t Track) (Buffer, error) {
	cfg := f.cfg
	cfg.Packet = t.Packet
	track := &frameTrack{t, playout.NewSequencer(cfg)}
	f.tracks = append(f.tracks, track)
	return track, nil
}

// End implements [Output].
func (f *Frames) End(t Track) {
	for i, track := range f.tracks {
		if track.Track == t {
			f.tracks = append(f.tracks[:i], f.tracks[i+1:]...)
			return
		}
	}
}

// Flow implements [Output].
func (f *Frames) Flow(now time.Duration) {
	for _, track := range f.tracks {
		for {
			slot, ok := track.Next(now)
			if !ok {
				break
			}
			f.give(track.Track, slot)
		}
	}
}

func (f *Frames) give(t Track, slot playout.Slot) {
	out := Frame{
		Track:     t,
		Sequence:  slot.Sequence,
		Timestamp: slot.Timestamp,
		Lost:      slot.Kind == playout.Lost,
		Repaired:  slot.Repaired,
	}
	if !out.Lost {
		out.Opus = append([]byte(nil), slot.Packet...)
	}
	select {
	case f.out <- out:
	default:
		f.missed.Add(1)
	}
}
