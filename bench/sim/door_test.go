package sim

import (
	"strings"
	"testing"
)

// Handshakes begin one after the other, and who would stand too long is refused and
// comes again.
func TestStandInLine(t *testing.T) {
	const one = `
name: one
duration: 60s
network: {zones: [{name: par, relays: 1}], join_rate: 100}
arrivals: [{from: 0s, over: 0s, listeners: %N}]
`
	for _, tt := range []struct {
		listeners string
		refused   bool
	}{{"20", false}, {"100", true}} {
		r, _ := simulate(t, strings.ReplaceAll(one, "%N", tt.listeners), false)
		if r.Unserved != 0 || r.Joins.Failed != 0 || (r.Joins.Refused > 0) != tt.refused {
			t.Errorf("%s at once: %+v", tt.listeners, r.Joins)
		}
		// The last of twenty begins 190 ms after the first.
		if spread := r.Joins.FirstAudio.Max - r.Joins.FirstAudio.P50; spread < 80 {
			t.Errorf("%s at once: first audio %+v: as if they had begun together", tt.listeners, r.Joins.FirstAudio)
		}
	}
}
