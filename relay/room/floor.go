package room

import (
	"runtime"
	"slices"

	"github.com/stentor-audio/stentor/protocol"
)

// An Insider is a Receiver that may take what is not for listeners: another
// relay's, or that of somebody on the stage.
type Insider interface{ Insider() bool }

// floor is what of a track is for listeners, and who takes the rest as well. The
// track's lock guards it. Without a voice it costs a group one look.
type floor struct {
	voice    *protocol.Voice // nil: everything is
	size     uint64          // groups of TrackAudio in one of the track
	insiders []*Member       // likewise copied to change; kept only with a voice
}

// hides reports whether a group is not for listeners.
func (f *floor) hides(sequence uint64) bool {
	return f.voice != nil && !f.voice.Has(sequence*f.size)
}

// pick leaves out of groups what is not for a receiver.
func (f *floor) pick(r Receiver, groups []*Group) []*Group {
	if f.voice == nil || isInsider(r) {
		return groups
	}
	return slices.DeleteFunc(groups, func(g *Group) bool { return f.hides(g.Sequence) })
}

func (f *floor) join(m *Member) {
	if f.voice != nil && isInsider(m.receiver) {
		f.insiders = append(f.insiders, m)
	}
}

func (f *floor) leave(m *Member) {
	if i := slices.Index(f.insiders, m); i >= 0 {
		f.insiders = slices.Delete(slices.Clone(f.insiders), i, i+1)
	}
}

// isInsider reports whether a receiver takes everything. What is derived from a
// track has listeners of its own, and a ring is to have no holes.
func isInsider(r Receiver) bool {
	switch r := r.(type) {
	case *bundler, *standIn:
		return true
	case Insider:
		return r.Insider()
	}
	return false
}

// maxReturn is how many groups that have become listeners' after they came are
// given to them at once: so much of a voice's beginning is from before it was
// known that it would be heard.
const maxReturn = 60

// Hear says what of the broadcast's audio is for listeners; nil is everything from
// now on. Listeners get at once what the rings have of a voice and they did not.
func (b *Broadcast) Hear(v *protocol.Voice) {
	b.mu.Lock()
	b.voice = v
	tracks := make([]*Track, 0, len(b.tracks))
	for _, t := range b.tracks {
		tracks = append(tracks, t)
	}
	b.mu.Unlock()
	for _, t := range tracks {
		t.hear(v)
	}
}

// hear is Hear for one track. Who is an insider is found out anew.
func (t *Track) hear(v *protocol.Voice) {
	size := protocol.BundleSize(t.Name)
	if size == 0 {
		return
	}
	t.mu.Lock()
	before := t.floor
	t.floor = floor{voice: v, size: uint64(size)}
	var listeners []*Member
	for _, m := range t.members {
		if v == nil && before.voice == nil {
			break
		}
		if isInsider(m.receiver) {
			t.floor.join(m)
		} else {
			listeners = append(listeners, m)
		}
	}
	var missed []*Group
	if v != nil && before.voice != nil && t.cache.any && len(listeners) > 0 {
		first := t.cache.newest - min(t.cache.newest, maxReturn)
		for _, g := range t.cache.from(protocol.Seq(first)) {
			if before.hides(g.Sequence) && !t.floor.hides(g.Sequence) {
				missed = append(missed, g)
			}
		}
	}
	t.mu.Unlock()
	for _, g := range missed {
		for i, m := range listeners {
			m.receiver.Push(g)
			if i%yieldEvery == yieldEvery-1 {
				runtime.Gosched()
			}
		}
	}
}
