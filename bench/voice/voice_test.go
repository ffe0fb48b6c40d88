package voice

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const path = protocol.Path("hall/ada")

func newVoice(t *testing.T) *Voice {
	t.Helper()
	v, err := New(path, 7, 80)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNew(t *testing.T) {
	for bytes, ok := range map[int]bool{-1: false, 0: false, MinBytes - 1: false, MinBytes: true, MaxBytes: true, MaxBytes + 1: false} {
		v, err := New(path, 7, bytes)
		if (err == nil) != ok {
			t.Errorf("packets of %d bytes: %v", bytes, err)
		}
		if err != nil {
			continue
		}
		if len(v.opus) != bytes {
			t.Errorf("%d bytes instead of %d", len(v.opus), bytes)
		}
		if d, err := protocol.ParseOpus(v.opus); err != nil || d.Duration != Every {
			t.Errorf("a packet of %v, %v", d.Duration, err)
		}
	}
}

// A voice keeps to its times, whatever was asked of it, and stops only after
// whole bundles.
func TestTalk(t *testing.T) {
	tests := []struct {
		name    string
		packets int
		ends    time.Duration // of the context
		said    uint64
		took    time.Duration
	}{
		{"nothing", 0, time.Hour, 0, 0},
		{"one packet is a bundle", 1, time.Hour, 6, 100 * time.Millisecond},
		{"a whole number of bundles", 12, time.Hour, 12, 220 * time.Millisecond},
		{"ended in the middle of a bundle", 100, 130 * time.Millisecond, 12, 220 * time.Millisecond},
		{"ended before it began", 100, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.ends)
				defer cancel()
				v := newVoice(t)
				start := time.Now()
				late := v.Talk(ctx, tt.packets)
				if got := time.Since(start).Truncate(Every); v.Next() != tt.said || got != tt.took {
					t.Errorf("said %d packets in %v, want %d in %v", v.Next(), got, tt.said, tt.took)
				}
				if uint64(len(late)) != tt.said || slices.ContainsFunc(late, func(d time.Duration) bool { return d != 0 }) {
					t.Errorf("late %v", late)
				}
				for i := range tt.said {
					if want := start.Add(time.Duration(i) * Every).Truncate(time.Microsecond); !v.Sent(i).Equal(want) {
						t.Errorf("packet %d left at %v, want %v", i, v.Sent(i), want)
					}
				}
			})
		})
	}
}

func TestSequencesGoOnAfterSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVoice(t)
		sub := v.join()
		v.Talk(t.Context(), 6)
		time.Sleep(time.Minute)
		v.Talk(t.Context(), 6)
		v.leave(sub)
		v.Talk(t.Context(), 6) // to nobody
		close(sub)
		var next, last uint64
		for p := range sub {
			if p.sequence != next {
				t.Errorf("packet %d after %d others", p.sequence, next)
			}
			if next == 6 && p.timestamp-last != uint64(time.Minute.Microseconds()) {
				t.Errorf("%d µs after the last one", p.timestamp-last)
			}
			next, last = next+1, p.timestamp
		}
		if next != 12 || v.Dropped() != 0 {
			t.Errorf("%d packets, %d dropped", next, v.Dropped())
		}
	})
}

// A subscription that takes nothing loses what comes later, which is counted, and
// keeps nobody else waiting.
func TestSlowSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVoice(t)
		slow, quick := v.join(), v.join()
		var got int
		go func() {
			for range quick {
				got++
			}
		}()
		v.Talk(t.Context(), queue+10)
		synctest.Wait()
		close(quick)
		if got != queue+10 || len(slow) != queue || v.Dropped() != 10 {
			t.Errorf("the quick one has %d, the slow one %d, dropped %d", got, len(slow), v.Dropped())
		}
	})
}

func TestKnows(t *testing.T) {
	v := newVoice(t)
	tests := []struct {
		broadcast protocol.Path
		track     string
		code      protocol.ResetCode
	}{
		{path, protocol.TrackAudio, 0},
		{path, protocol.TrackCatalog, 0},
		{path, protocol.Track60, protocol.CodeNotFound}, // that is the relay's to make
		{"hall/bea", protocol.TrackAudio, protocol.CodeUnroutable},
		{"hall", protocol.TrackAudio, protocol.CodeUnroutable},
	}
	for _, tt := range tests {
		info, err := v.Track(t.Context(), protocol.TrackRequest{Broadcast: tt.broadcast, Track: tt.track})
		if (err == nil) != (tt.code == 0) || err != nil && session.CodeOf(err) != tt.code {
			t.Errorf("%s %s: %v", tt.broadcast, tt.track, err)
		}
		if err == nil && info.Timescale != protocol.AudioTimescale {
			t.Errorf("%s: timescale %d", tt.track, info.Timescale)
		}
	}
	if err := v.Fetch(t.Context(), protocol.Fetch{Broadcast: path, Track: protocol.TrackAudio}, nil); err == nil {
		t.Error("it has kept a packet")
	}
}

func TestCatalog(t *testing.T) {
	c, err := protocol.ParseCatalog(newVoice(t).catalog())
	if err != nil {
		t.Fatal(err)
	}
	var tracks []string
	for _, r := range c.Audio {
		tracks = append(tracks, r.Track)
	}
	if want := []string{protocol.TrackAudio, protocol.Track60, protocol.Track120}; !slices.Equal(tracks, want) {
		t.Errorf("tracks %v, want %v", tracks, want)
	}
}
