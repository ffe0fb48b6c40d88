package client

import (
	"time"

	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/client/playout"
	"github.com/stentor-audio/stentor/protocol"
)

// A trackKey is the identity of a track.
type trackKey struct {
	speaker string
	origin  uint64
}

// A track is one speaker as a Listener follows it. The Listener's lock guards
// it; its buffer is the output's.
type track struct {
	key     trackKey
	number  hop.Track // what the machine calls it
	info    Track
	buffer  Buffer // nil unless begun
	catalog *protocol.Catalog
	known   chan struct{}     // closed once there is a catalog
	taps    map[*tap]struct{} // the sessions that have it announced

	any    bool
	newest uint64 // highest sequence received
	left   time.Duration
	gone   bool // no tap since left

	withheld uint64 // the first frame of what is known to be withheld, plus one

	fetching map[request]*pending
	empty    map[uint64]struct{} // known to be missing in the bundle, too
	holed    bool                // something was missing at holedAt
	holedAt  time.Duration
	pursued  uint64 // highest sequence fetched because it was overdue

	// Counted here rather than in the buffer.
	past      playout.Stats // of buffers that were let go
	malformed uint64
}

// maxEmpty bounds what is remembered of bundles with holes: ten seconds.
const maxEmpty = 512

func newTrack(key trackKey, number hop.Track) *track {
	return &track{
		key:      key,
		number:   number,
		known:    make(chan struct{}),
		taps:     make(map[*tap]struct{}),
		fetching: make(map[request]*pending),
		empty:    make(map[uint64]struct{}),
	}
}

// resume is the first group to ask a new session for, if this track has been
// heard before, in groups of size packets.
func (t *track) resume(size int) protocol.OptSeq {
	if !t.any {
		return protocol.OptSeq{}
	}
	return protocol.Seq((t.newest + 1) / uint64(size))
}

// saw notes which sequences a group brought, and which of a bundle it did not.
func (t *track) saw(frames []frame, group uint64, size int) {
	for _, f := range frames {
		if !t.any || f.sequence > t.newest {
			t.any, t.newest = true, f.sequence
		}
		delete(t.empty, f.sequence)
	}
	if size == 1 || len(frames) == size {
		return
	}
	if len(t.empty) >= maxEmpty {
		clear(t.empty)
	}
	have := 0
	for seq := group * uint64(size); seq < (group+1)*uint64(size); seq++ {
		if have < len(frames) && frames[have].sequence == seq {
			have++
			continue
		}
		t.empty[seq] = struct{}{}
	}
}

// stats is what was counted over all buffers this track has had.
func (t *track) stats(current playout.Stats) playout.Stats { return addStats(t.past, current) }

// addStats is the counters of two buffers of one track, the later one second.
func addStats(a, b playout.Stats) playout.Stats {
	if b.Expected == 0 {
		b.First, b.Last = a.First, a.Last
	} else if a.Expected > 0 {
		b.First = a.First
	}
	b.Expected += a.Expected
	b.Played += a.Played
	b.Lost += a.Lost
	b.Concealed += a.Concealed
	b.Repaired += a.Repaired
	b.Duplicate += a.Duplicate
	b.Late += a.Late
	b.Refused += a.Refused
	b.Stalled += a.Stalled
	return b
}
