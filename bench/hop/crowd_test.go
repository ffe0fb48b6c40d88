package hop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A fakeEar hears every frame of a speaker who began when time did, but those in
// a hole, and hops at its end.
type fakeEar struct {
	relays     []string
	hear       Hearer
	from, till int // the hole, in frames
	fails      error
	hops       []Moved
	at         string
}

func (e *fakeEar) Hops() []Moved { return e.hops }

func (e *fakeEar) State() State { return State{Relay: e.at, Err: e.fails} }

func (e *fakeEar) Run(ctx context.Context) error {
	if e.fails != nil {
		return e.fails
	}
	start := time.Now()
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case now := <-tick.C:
			if i < e.from || i >= e.till {
				e.hear(uint64(i), uint64(start.UnixMicro())+uint64(i)*20_000, now, false)
			}
			if i == e.till && e.till > 0 {
				e.hops = append(e.hops, Moved{AtMS: time.Since(start).Milliseconds(), From: "now", To: "then", Cause: "silence", TookMS: 70})
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// newCrowd makes a crowd of such ears, set up by number.
func newCrowd(t *testing.T, listeners int, set func(n int, e *fakeEar)) (*Crowd, []*fakeEar) {
	t.Helper()
	var ears []*fakeEar
	c, err := NewCrowd(EarOptions{Room: Room, Doors: []Door{{"a", "x"}, {"b", "y"}, {"c", "z"}}, Delay: 200 * time.Millisecond}, listeners,
		func(o EarOptions, hear Hearer) (Ear, error) {
			e := &fakeEar{hear: hear, at: "now"}
			for _, d := range o.Doors {
				e.relays = append(e.relays, d.URL+d.Zone)
			}
			set(len(ears), e)
			ears = append(ears, e)
			return e, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return c, ears
}

func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gaveUp := errors.New("gave up")
		c, ears := newCrowd(t, 4, func(n int, e *fakeEar) {
			switch n {
			case 1:
				e.from, e.till = 100, 105
			case 3:
				e.fails = gaveUp
			}
		})
		for n, want := range []string{"ax bx cx", "by cy ay", "cz az bz", "ax bx cx"} {
			if got := strings.Join(ears[n].relays, " "); got != want {
				t.Errorf("listener %d tries %s, want %s", n, got, want)
			}
		}
		if got := c.Report(0, 1); got.Expected != 0 || got.Deaf != 4 {
			t.Errorf("before it began: %+v", got)
		}
		start := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { c.Run(ctx, 0); close(ended) }()
		time.Sleep(time.Second)
		if r := c.Learn(); !slices.Equal(r.FirstMS, []int64{20, 20, 20}) {
			t.Errorf("first frames after %v", r.FirstMS)
		}
		if r := c.Learn(); r.Deaf != 1 || len(r.DeafOnes) != 1 || r.DeafOnes[0] != (Deaf{Listener: 4, First: "a", Relay: "now", Error: "gave up"}) {
			t.Errorf("%d heard nothing: %+v", r.Deaf, r.DeafOnes)
		}
		time.Sleep(4 * time.Second)
		from, to := start.Add(500*time.Millisecond).UnixMicro(), start.Add(4500*time.Millisecond).UnixMicro()
		got := c.Report(from, to)
		if got.Expected != 600 || got.Lost != 5 || got.LongestMS != 100 || got.Hurt != 1 || got.Deaf != 1 || got.Strange != 0 {
			t.Errorf("%+v", got)
		}
		if !slices.Equal(got.TookMS, []int64{70}) || got.Causes["silence"] != 1 {
			t.Errorf("hops %v, %v", got.TookMS, got.Causes)
		}
		if len(got.Misses) != 1 {
			t.Fatalf("%+v", got.Misses)
		}
		if m := got.Misses[0]; m.Listener != 2 || m.Sequence != 100 || m.Frames != 5 || m.LateMS != Never || m.Others != 2 || m.Slowest != 0 || len(m.Hops) != 1 || m.Relay != "now" {
			t.Errorf("%+v", m)
		}
		if got.Ended != 1 || got.Error != gaveUp.Error() {
			t.Errorf("ended %d, %q", got.Ended, got.Error)
		}
		if later := c.Report(to, to+1_000_000); len(later.TookMS) != 0 {
			t.Errorf("a hop of another time: %v", later.TookMS)
		}
		stop()
		<-ended
		if got := c.Report(from, to); got.Ended != 1 {
			t.Errorf("whoever was stopped has not given up: %d", got.Ended)
		}
	})
}

// Who is elsewhere than at the mark has moved, and longer packets are waited for as a
// player does.
func TestMark(t *testing.T) {
	c, ears := newCrowd(t, 3, func(n int, e *fakeEar) { e.at = []string{"a", "b", ""}[n] })
	if got := c.Mark().At; !maps.Equal(got, map[string]int{"a": 1, "b": 1}) {
		t.Errorf("at the mark: %v", got)
	}
	ears[1].at = "a"
	if r := c.Report(0, 1); r.Moved != 1 || !maps.Equal(r.At, map[string]int{"a": 2}) {
		t.Errorf("moved %d, now %v", r.Moved, r.At)
	}
	for packet, want := range map[time.Duration]time.Duration{0: 200, 60 * time.Millisecond: 200, 120 * time.Millisecond: 320} {
		if got := c.delayOf(packet); got != want*time.Millisecond {
			t.Errorf("packets of %v: %v", packet, got)
		}
	}
}

func TestNewCrowdFails(t *testing.T) {
	wrong := errors.New("wrong")
	_, err := NewCrowd(EarOptions{}, 3, func(EarOptions, Hearer) (Ear, error) { return nil, wrong })
	if !errors.Is(err, wrong) || !strings.Contains(err.Error(), "listener 1") {
		t.Error(err)
	}
	if _, err := NewCrowd(EarOptions{Room: Room}, 1, NewEar); err == nil {
		t.Error("a listener without a relay")
	}
}

func TestObey(t *testing.T) {
	c, _ := newCrowd(t, 2, func(int, *fakeEar) {})
	var out bytes.Buffer
	in := strings.NewReader("learn\nwhat\nreport 1\nreport 5 9\n")
	if err := c.obey(t.Context(), in, &out); err != nil {
		t.Fatal(err)
	}
	answers := json.NewDecoder(&out)
	for i := range 2 {
		var r Report
		if err := answers.Decode(&r); err != nil || r.Deaf != 2 {
			t.Errorf("answer %d: %+v, %v", i, r, err)
		}
	}
	if err := answers.Decode(new(Report)); !errors.Is(err, io.EOF) {
		t.Errorf("a third answer: %v", err)
	}
}

func TestSpeakRefuses(t *testing.T) {
	for _, bytes := range []int{0, 2, 5000} {
		if err := Speak(t.Context(), []Door{{URL: "https://127.0.0.1:1"}}, false, "", bytes, strings.NewReader(""), io.Discard); !errors.Is(err, ErrOptions) {
			t.Errorf("packets of %d bytes: %v", bytes, err)
		}
	}
	if err := Speak(t.Context(), nil, false, "", 80, strings.NewReader(""), io.Discard); err == nil {
		t.Error("a speaker without a relay")
	}
}
