package ingest

import (
	"sync"

	"github.com/stentor-audio/stentor/protocol"
)

// maxSpans is how many stretches of a track are remembered; of more, those that
// lie closest together become one.
const maxSpans = 64

// hushed remembers what was said while a speaker was not to be heard: nobody may
// fetch that afterwards either, neither a relay that mends a hole nor a listener.
type hushed struct {
	mu     sync.Mutex
	tracks map[string][]span
}

// span is the groups from first to last, both included.
type span struct{ first, last uint64 }

// isShut reports whether a track is not to be heard now. A catalog says nothing
// that could be heard, and without it players would take the speaker for gone.
func (s *source) isShut(track string) bool {
	return s.shut != nil && s.shut.Load() && track != protocol.TrackCatalog
}

// add notes a group.
func (h *hushed) add(track string, group uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tracks == nil {
		h.tracks = make(map[string][]span)
	}
	spans := h.tracks[track]
	// The newest stretch goes on, or a new one begins: a packet that came late, or
	// one that got lost on its way, is part of it.
	if n := len(spans); n > 0 {
		last := &spans[n-1]
		switch {
		case group >= last.first && group <= last.last:
			return
		case group > last.last && group-last.last <= slack:
			last.last = group
			return
		case group < last.first && last.first-group <= slack:
			last.first = group
			return
		}
	}
	h.tracks[track] = bounded(append(spans, span{group, group}))
}

// slack is how many packets may be missing within a stretch.
const slack = 12

// bounded joins the two stretches with the fewest groups between them if there are
// too many.
func bounded(spans []span) []span {
	if len(spans) <= maxSpans {
		return spans
	}
	at, least := 1, ^uint64(0)
	for i := 1; i < len(spans); i++ {
		if gap := spans[i].first - spans[i-1].last; gap < least { // a step back wraps round and is far
			at, least = i, gap
		}
	}
	spans[at-1].first = min(spans[at-1].first, spans[at].first)
	spans[at-1].last = max(spans[at-1].last, spans[at].last)
	return append(spans[:at], spans[at+1:]...)
}

// has reports whether a group was said while nobody was to hear it.
func (h *hushed) has(track string, group uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.tracks[track] {
		if group >= s.first && group <= s.last {
			return true
		}
	}
	return false
}
