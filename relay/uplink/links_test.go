package uplink

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-audio/stentor/protocol/session"
)

var errRefused = errors.New("refused")

// A dialler opens sessions after a while, or fails.
type dialler struct {
	links *Links
	takes time.Duration
	dials atomic.Int32
	fail  func(n int32) error                   // of the nth attempt; nil is none
	made  func(name string, s *session.Session) // before the dial returns
}

func newDialler(takes time.Duration) *dialler {
	d := &dialler{takes: takes}
	d.links = NewLinks(d.dial)
	return d
}

func (d *dialler) dial(ctx context.Context, name string) error {
	n := d.dials.Add(1)
	select {
	case <-time.After(d.takes):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if d.fail != nil {
		if err := d.fail(n); err != nil {
			return err
		}
	}
	s := idle()
	d.links.Add(name, s)
	if d.made != nil {
		d.made(name, s)
	}
	return nil
}

func TestOneSessionAPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDialler(time.Second)
		got := make(map[string][]*session.Session)
		var mu sync.Mutex
		var tasks sync.WaitGroup
		for range 20 {
			for _, name := range []string{"paris", "milan"} {
				tasks.Go(func() {
					s, err := d.links.Session(t.Context(), name)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					got[name] = append(got[name], s)
					mu.Unlock()
				})
			}
		}
		tasks.Wait()
		for name, all := range got {
			if len(slices.Compact(all)) != 1 {
				t.Errorf("several sessions with %s", name)
			}
		}
		if got["paris"][0] == got["milan"][0] {
			t.Error("one session with two relays")
		}
		if n := d.dials.Load(); n != 2 {
			t.Errorf("%d dials, want 2", n)
		}
		if names := d.links.Names(); !slices.Equal(names, []string{"milan", "paris"}) {
			t.Errorf("sessions with %q", names)
		}
	})
}

func TestSessionThatTheOtherEndOpenedIsUsed(t *testing.T) {
	d := newDialler(0)
	theirs := idle()
	d.links.Add("paris", theirs)
	if s, err := d.links.Session(t.Context(), "paris"); s != theirs || err != nil {
		t.Errorf("%p, %v; want %p", s, err, theirs)
	}
	newer := idle()
	d.links.Add("paris", newer)
	if s, _ := d.links.Session(t.Context(), "paris"); s != newer {
		t.Error("not the newest of two")
	}
	d.links.Remove("paris", newer)
	d.links.Remove("paris", newer) // twice is once
	if s, _ := d.links.Session(t.Context(), "paris"); s != theirs {
		t.Error("not the one that is left")
	}
	d.links.Remove("paris", theirs)
	d.links.Remove("milan", theirs)
	if names := d.links.Names(); len(names) != 0 {
		t.Errorf("sessions with %q", names)
	}
	if n := d.dials.Load(); n != 0 {
		t.Errorf("%d dials", n)
	}
}

func TestSessionThatHasEndedIsReplaced(t *testing.T) {
	d := newDialler(0)
	first := open(t)
	d.links.Add("paris", first)
	if s, err := d.links.Session(t.Context(), "paris"); s != first || err != nil {
		t.Fatalf("%v", err)
	}
	first.Close(0, "")
	<-first.Context().Done() // and nobody has removed it yet
	if s, err := d.links.Session(t.Context(), "paris"); s == first || err != nil {
		t.Errorf("the one that has ended: %v; %v", s == first, err)
	}
	d.links.Remove("paris", first)
	if names := d.links.Names(); !slices.Equal(names, []string{"paris"}) {
		t.Errorf("sessions with %q", names)
	}
}

func TestFailedDialIsEverybodys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDialler(time.Second)
		d.fail = func(n int32) error {
			if n == 1 {
				return errRefused
			}
			return nil
		}
		var tasks sync.WaitGroup
		for range 5 {
			tasks.Go(func() {
				if _, err := d.links.Session(t.Context(), "paris"); !errors.Is(err, errRefused) {
					t.Errorf("%v, want %v", err, errRefused)
				}
			})
		}
		tasks.Wait()
		if s, err := d.links.Session(t.Context(), "paris"); s == nil || err != nil {
			t.Errorf("the next attempt: %v", err)
		}
		if n := d.dials.Load(); n != 2 {
			t.Errorf("%d dials, want 2", n)
		}
	})
}

// TestWhoStopsWaitingStopsNobodyElse: the attempt belongs to who came first, and
// he may leave.
func TestWhoStopsWaitingStopsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDialler(time.Second)
		leaves, leave := context.WithCancel(t.Context())
		var tasks sync.WaitGroup
		tasks.Go(func() {
			if _, err := d.links.Session(leaves, "paris"); !errors.Is(err, context.Canceled) {
				t.Errorf("who left: %v", err)
			}
		})
		synctest.Wait()
		for range 3 {
			tasks.Go(func() {
				if s, err := d.links.Session(t.Context(), "paris"); s == nil || err != nil {
					t.Errorf("who stayed: %v", err)
				}
			})
		}
		second, stop := context.WithCancel(t.Context())
		tasks.Go(func() {
			if _, err := d.links.Session(second, "paris"); !errors.Is(err, context.Canceled) {
				t.Errorf("who left second: %v", err)
			}
		})
		synctest.Wait()
		stop()
		synctest.Wait()
		leave()
		tasks.Wait()
		if n := d.dials.Load(); n != 2 {
			t.Errorf("%d dials, want 2", n)
		}
	})
}

// TestSessionThatEndsAtOnce is an error: whoever asks again at once would dial
// as fast as the network allows.
func TestSessionThatEndsAtOnce(t *testing.T) {
	d := newDialler(0)
	d.made = func(name string, s *session.Session) { d.links.Remove(name, s) }
	d.fail = func(n int32) error {
		if n > 3 {
			return errRefused // an end to it
		}
		return nil
	}
	if s, err := d.links.Session(t.Context(), "paris"); s != nil || !errors.Is(err, ErrEnded) {
		t.Errorf("%v after %d dials, want %v after 1", err, d.dials.Load(), ErrEnded)
	}
}
