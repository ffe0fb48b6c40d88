package room

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stentor-audio/stentor/protocol"
)

// colleague is a guest that takes everything.
type colleague struct{ guest }

func (*colleague) Insider() bool { return true }

func voice(spans ...protocol.Span) *protocol.Voice { return &protocol.Voice{Spans: spans} }

func TestFloorHidesFromListenersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		s := new(studio)
		p := publish(t, o, "town/ada", s, 7)
		listener, _, tr := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
		inside := new(colleague)
		if _, err := tr.Join(inside, protocol.Delivery{}); err != nil {
			t.Fatal(err)
		}
		bundles, _, _ := join(t, p.Broadcast, protocol.Track60, protocol.Delivery{})
		synctest.Wait()
		step := func(v *protocol.Voice, n int) {
			p.Broadcast.Hear(v)
			s.play(n)
			synctest.Wait()
		}
		step(nil, 6)
		step(voice(protocol.Span{From: 0, Until: 12}), 12)
		want := "[0 1 2 3 4 5 6 7 8 9 10 11]"
		if got := listener.heard(); got != want {
			t.Errorf("a listener has %s, want %s", got, want)
		}
		if got, want := bundles.heard(), "[0 1 2 3]"; got != want {
			t.Errorf("of the bundles it has %s, want %s", got, want)
		}
		if got := len(inside.got); got != 18 {
			t.Errorf("an insider has %d groups, want 18", got)
		}

		late, _, _ := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{Start: protocol.Seq(9)})
		newest, m, _ := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
		m.Leave()
		if got, want := late.heard()+newest.heard(), "[9 10 11][]"; got != want {
			t.Errorf("who comes later gets %s, want %s", got, want)
		}

		// It comes back, from before it was known that it would.
		step(voice(protocol.Span{From: 0, Until: 12}, protocol.Span{From: 15, Until: protocol.Forever}), 3)
		if got, want := listener.heard(), "[0 1 2 3 4 5 6 7 8 9 10 11 15 16 17 18 19 20]"; got != want {
			t.Errorf("a listener has %s, want %s", got, want)
		}
		if got, want := bundles.heard(), "[0 1 2 3 5 6]"; got != want {
			t.Errorf("of the bundles it has %s, want %s", got, want)
		}
		if got, want := late.heard(), "[9 10 11 15 16 17 18 19 20]"; got != want {
			t.Errorf("who came later has %s, want %s", got, want)
		}
		step(nil, 3)
		if got := len(inside.got); got != 24 {
			t.Errorf("an insider has %d groups, want 24", got)
		}
		if got := len(listener.got); got != 21 {
			t.Errorf("without a floor a listener has %d, want 21", got)
		}
	})
}

// What is told of a broadcast counts for tracks that are opened later, too.
func TestFloorOfATrackToCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		s := new(studio)
		p := publish(t, o, "town/ada", s, 7)
		p.Broadcast.Hear(voice(protocol.Span{From: 3, Until: 6}))
		listener, m, tr := join(t, p.Broadcast, protocol.TrackAudio, protocol.Delivery{})
		inside := new(colleague)
		member, err := tr.Join(inside, protocol.Delivery{})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.play(9)
		synctest.Wait()
		if got, want := listener.heard(), "[3 4 5]"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got, want := fmt.Sprint(len(m.Held(protocol.Seq(0))), len(member.Held(protocol.Seq(0)))), "3 9"; got != want {
			t.Errorf("held for a listener and an insider: %s, want %s", got, want)
		}
		member.Leave()
		s.play(1)
		synctest.Wait()
		if got := len(inside.got); got != 9 {
			t.Errorf("%d groups after it had left, want 9", got)
		}
	})
}
