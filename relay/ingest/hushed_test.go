package ingest

import "testing"

func TestHushedRemembersWhatWasSaid(t *testing.T) {
	var h hushed
	for group := uint64(100); group < 150; group++ {
		if group%7 != 0 { // some got lost on their way
			h.add("audio/data", group)
		}
	}
	h.add("audio/data", 98) // one came late
	for _, tt := range []struct {
		track string
		group uint64
		want  bool
	}{
		{"audio/data", 97, false}, {"audio/data", 98, true}, {"audio/data", 105, true},
		{"audio/data", 149, true}, {"audio/data", 150, false}, {"other", 120, false},
	} {
		if got := h.has(tt.track, tt.group); got != tt.want {
			t.Errorf("%s %d: %v", tt.track, tt.group, got)
		}
	}
}

// However often somebody is muted, little is remembered, and nothing forgotten.
func TestHushedIsBounded(t *testing.T) {
	var h hushed
	for i := uint64(1); i <= 1000; i++ {
		h.add("audio/data", i*100)
	}
	if n := len(h.tracks["audio/data"]); n > maxSpans {
		t.Errorf("%d stretches", n)
	}
	for i := uint64(1); i <= 1000; i++ {
		if !h.has("audio/data", i*100) {
			t.Fatalf("group %d is forgotten", i*100)
		}
	}
}
