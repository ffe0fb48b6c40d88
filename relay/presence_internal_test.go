package relay

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A relay is silent when nothing has come from it for a second, whatever session
// it should come by, and is not when this relay has not listened.
func TestHearing(t *testing.T) {
	const ms = time.Millisecond
	one, two := new(int), new(int) // sessions
	type look struct {
		after  time.Duration // the look before
		sounds map[string]sound
		silent string
	}
	hear := func(n uint64) map[string]sound { return map[string]sound{"b": {one, n}} }
	every := func(n int, sounds map[string]sound, silent string) (looks []look) {
		for range n {
			looks = append(looks, look{presenceEvery, sounds, silent})
		}
		return looks
	}
	join := func(parts ...[]look) (all []look) {
		for _, part := range parts {
			all = append(all, part...)
		}
		return all
	}
	nobody := map[string]sound{"b": {}}
	for _, tt := range []struct {
		name  string
		looks []look
	}{
		{"falls silent", join(every(1, hear(1), ""), every(10, hear(1), ""), every(3, hear(1), "b"))},
		{"and comes back", join(every(11, hear(1), ""), every(1, hear(1), "b"), every(11, hear(2), ""), every(1, hear(2), "b"))},
		{"comes back by another session", join(every(11, hear(9), ""), every(2, hear(9), "b"), every(11, map[string]sound{"b": {two, 9}}, ""))},
		{"its session ends", join(every(5, hear(1), ""), every(6, nobody, ""), every(2, nobody, "b"))},
		{"cannot be reached", join(every(11, nobody, ""), every(2, nobody, "b"), every(1, hear(1), ""))},
		{"is not wanted any more", join(every(11, hear(1), ""), every(1, hear(1), "b"), every(1, nil, ""), every(11, hear(1), ""))},
		{"we were away", join(every(5, hear(1), ""), []look{{5000 * ms, hear(1), ""}}, every(10, hear(1), ""), every(1, hear(1), "b"))},
		{"we were away, and it was silent before", join(every(11, hear(1), ""), every(1, hear(1), "b"), []look{{5000 * ms, hear(1), "b"}})},
		{"several", []look{
			{0, map[string]sound{"c": {one, 1}, "b": {one, 1}, "d": {one, 1}}, ""},
			{400 * ms, map[string]sound{"c": {one, 1}, "b": {one, 1}, "d": {one, 1}}, ""},
			{400 * ms, map[string]sound{"c": {one, 1}, "b": {one, 1}, "d": {one, 2}}, ""},
			{400 * ms, map[string]sound{"c": {one, 1}, "b": {one, 1}, "d": {one, 2}}, "b c"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := hearing{relays: make(map[string]heard)}
			now := time.Unix(1_800_000_000, 0)
			for i, l := range tt.looks {
				now = now.Add(l.after)
				if got := strings.Join(h.look(now, l.sounds), " "); got != l.silent {
					t.Fatalf("look %d, %v: silent %q, want %q", i, fmt.Sprint(now.Sub(time.Unix(1_800_000_000, 0))), got, l.silent)
				}
			}
		})
	}
}
