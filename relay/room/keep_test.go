package room

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// A listener who comes to a relay where nobody listened finds the last seconds.
func TestKeepFillsTheRings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t)
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); o.Keep(ctx, "room") }()

		s, elsewhere := &studio{}, &studio{}
		p, err := o.Publish("room/ada", []uint64{7}, s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Publish("other/eve", []uint64{8}, elsewhere); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s.open() != len(kept) || elsewhere.open() != 0 {
			t.Fatalf("%d feeds of the room, %d of another", s.open(), elsewhere.open())
		}
		s.play(12)
		track, err := p.Broadcast.Track(ctx, protocol.TrackAudio)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(held(track)); n != 12 {
			t.Errorf("holds %d groups, want 12", n)
		}
		if track.Listeners() != 0 {
			t.Errorf("%d listeners, want none", track.Listeners())
		}

		// Who begins anew under the same name is taken again.
		p.Close()
		time.Sleep(6 * time.Second)
		again := &studio{}
		if _, err := o.Publish("room/ada", []uint64{9}, again); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if again.open() != len(kept) {
			t.Errorf("%d feeds of who came back", again.open())
		}

		stop()
		<-done
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if again.open() != 0 {
			t.Errorf("%d feeds left", again.open())
		}
	})
}

// held are the groups of a track's ring.
func held(t *Track) []*Group {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cache.from(protocol.Seq(0))
}
