package client

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/stage"
)

// What of a crowded stage is left out on purpose is neither lost nor fetched, and
// nobody leaves a relay for it: not at the end of a voice, not in its silence, and
// not when it is heard again.
func TestWhatIsWithheldIsNotMissed(t *testing.T) {
	for _, packet := range []time.Duration{20, 60, 120} {
		t.Run(fmt.Sprint(packet*time.Millisecond), func(t *testing.T) {
			inWorld(t, 2, func(w *world) {
				const bob = 6
				say := func(spans ...protocol.Span) {
					floor := &protocol.Floor{Voices: []protocol.Voice{
						{Name: "ada", Publisher: 5, Spans: []protocol.Span{{Until: protocol.Forever}}},
						{Name: "bob", Publisher: bob, Spans: spans},
					}}
					for _, s := range w.relays {
						s.change(func() { s.floor = floor })
					}
				}
				for _, s := range w.relays {
					s.enter(&voice{name: "bob", origin: bob, ring: w.ring, lose: func(track string, group uint64) bool {
						return !s.hears("bob", bob, track, group)
					}})
				}
				say(protocol.Span{Until: protocol.Forever})
				l, out := w.listen(ListenOptions{Packet: packet * time.Millisecond})
				time.Sleep(6 * second)
				// As roots do: 240 ms before, and whole bundles.
				ahead := func() uint64 { return (w.ring.view().next + 12 + bundle - 1) / bundle * bundle }
				end := ahead()
				say(protocol.Span{Until: end})
				time.Sleep(8 * second)
				again := ahead()
				say(protocol.Span{Until: end}, protocol.Span{From: again, Until: protocol.Forever})
				time.Sleep(4 * second)

				st := l.Stats()
				if len(st.Tracks) != 2 || len(st.Hops) != 0 || st.Relay != "relay-a" {
					w.Fatalf("%d tracks, at %s, hops %+v", len(st.Tracks), st.Relay, st.Hops)
				}
				for _, tr := range st.Tracks {
					if tr.Lost+tr.Concealed+tr.Repaired+tr.Late > 0 || tr.Played == 0 || tr.Played != tr.Expected {
						w.Errorf("%+v", tr)
					}
				}
				ada, b := st.Tracks[0], st.Tracks[1]
				if b.Last < again || b.Played > ada.Played-(again-end)+2*bundle || b.Played < ada.Played-(again-end)-2*bundle {
					w.Errorf("of %d frames of ada %d of bob were played, who was left out from %d to %d", ada.Played, b.Played, end, again)
				}
				if n := out.gaps(); n != 0 {
					w.Errorf("%d blocks were invented", n)
				}
				for _, s := range w.relays {
					for _, track := range []string{protocol.TrackAudio, protocol.Track60, protocol.Track120} {
						if n := s.count("fetch " + track); n != 0 {
							w.Errorf("%s was asked for %d groups of %s", s.name, n, track)
						}
					}
				}
			})
		})
	}
}

// Whoever a host mutes is neither lost nor fetched meanwhile, although nobody says of
// which frames that holds, and is heard again from the first one that comes.
func TestWhoIsMutedIsNotMissed(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		const bob = 6
		var from, until atomic.Uint64
		until.Store(protocol.Forever)
		from.Store(protocol.Forever)
		silent := func(track string, group uint64) bool {
			at := group * uint64(protocol.BundleSize(track))
			return at >= from.Load() && at < until.Load()
		}
		for _, s := range w.relays {
			s.enter(&voice{name: "bob", origin: bob, ring: w.ring, lose: silent, gone: silent})
		}
		room := func(version uint64, muted bool) {
			view := &stage.View{Room: "town", State: stage.Live, Version: version, Stage: []stage.PersonView{{Name: "bob", Muted: muted}}}
			for _, s := range w.relays {
				s.change(func() { s.room = view })
			}
		}
		room(1, false)
		var told atomic.Uint64
		l, out := w.listen(ListenOptions{OnRoom: func(v stage.View) { told.Store(v.Version) }})
		time.Sleep(6 * second)
		whole := func() uint64 { return (w.ring.view().next + bundle - 1) / bundle * bundle }
		from.Store(whole())
		room(2, true)
		time.Sleep(8 * second)
		until.Store(whole())
		room(3, false)
		time.Sleep(4 * second)

		st := l.Stats()
		if len(st.Tracks) != 2 || len(st.Hops) != 0 || told.Load() != 3 {
			w.Fatalf("%d tracks, hops %+v, told of version %d", len(st.Tracks), st.Hops, told.Load())
		}
		for _, tr := range st.Tracks {
			if tr.Lost+tr.Concealed+tr.Repaired+tr.Late > 0 || tr.Played == 0 {
				w.Errorf("%+v", tr)
			}
		}
		if ada, b := st.Tracks[0], st.Tracks[1]; b.Last < until.Load() || b.Played > ada.Played-(until.Load()-from.Load())+2*bundle {
			w.Errorf("of %d frames of ada %d of bob were played, who was muted from %d to %d", ada.Played, b.Played, from.Load(), until.Load())
		}
		if n := out.gaps(); n != 0 {
			w.Errorf("%d blocks were invented", n)
		}
	})
}
