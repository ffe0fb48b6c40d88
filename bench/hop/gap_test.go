package hop

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestGaps(t *testing.T) {
	const delay = 200 * time.Millisecond
	var a Account
	for i := range 60 {
		switch i {
		case 20: // 3 ms too late, and only as a repair
			a.Hear(uint64(i), stamp(i), arrives(i, 253), true)
		case 40, 41: // never
		case 50:
			a.Hear(uint64(i), stamp(i), arrives(i, 400), false)
		default:
			a.Hear(uint64(i), stamp(i), arrives(i, 50+i%2), false)
		}
	}
	if got := a.Gaps(epoch, int64(stamp(60)), delay); got != nil {
		t.Errorf("before it learned: %+v", got)
	}
	a.Learn()
	got := a.Gaps(epoch, int64(stamp(62)), delay)
	want := []Gap{
		{Sequence: 20, Frames: 1, Capture: int64(stamp(20)), LateMS: 3, Repaired: true, Ways: []int64{1, 0, 1, 0, 1, 203, 1, 0, 1, 0, 1}},
		{Sequence: 40, Frames: 2, Capture: int64(stamp(40)), LateMS: Never, Ways: []int64{1, 0, 1, 0, 1, Never, Never, 0, 1, 0, 1}},
		{Sequence: 50, Frames: 1, Capture: int64(stamp(50)), LateMS: 150, Ways: []int64{1, 0, 1, 0, 1, 350, 1, 0, 1, 0, 1}},
		{Sequence: 60, Frames: 2, Capture: int64(stamp(60)), LateMS: Never, Ways: []int64{1, 0, 1, 0, 1, Never, Never, Never, Never, Never, Never}},
	}
	if !slices.EqualFunc(got, want, func(a, b Gap) bool {
		return slices.Equal(a.Ways, b.Ways) && a.Sequence == b.Sequence && a.Frames == b.Frames && a.Capture == b.Capture && a.LateMS == b.LateMS && a.Repaired == b.Repaired
	}) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	for sequence, want := range map[uint64]int64{0: 0, 20: 203, 40: Never, 60: Never, maxFrames: Never} {
		if got := a.Took(sequence); got != want {
			t.Errorf("frame %d took %d, want %d", sequence, got, want)
		}
	}
}

// As long as they are few, gaps are what Between counts.
func TestGapsAreWhatIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a Account
		for i := range 60 {
			if i == 0 || rapid.IntRange(0, 9).Draw(t, "luck") > 0 {
				a.Hear(uint64(i), stamp(i), arrives(i, rapid.IntRange(0, 220).Draw(t, "ms")), rapid.Bool().Draw(t, "repaired"))
			}
		}
		a.Learn()
		h := a.Between(epoch, int64(stamp(60)), 200*time.Millisecond)
		gaps := a.Gaps(epoch, int64(stamp(60)), 200*time.Millisecond)
		sum, longest := 0, 0
		for _, g := range gaps {
			sum, longest = sum+g.Frames, max(longest, g.Frames)
		}
		if len(gaps) < maxGaps && (uint64(sum) != h.Lost || time.Duration(longest)*Every != h.Longest) || len(gaps) > maxGaps || uint64(sum) > h.Lost {
			t.Fatalf("%+v, of %+v", gaps, h)
		}
	})
}

func TestRelayAt(t *testing.T) {
	hops := []Moved{{AtMS: 100, From: "a", To: "b"}, {AtMS: 200, From: "b", To: "c"}}
	for at, want := range map[int64]string{-1: "a", 99: "a", 100: "b", 199: "b", 200: "c", 1000: "c"} {
		if got := relayAt(hops, at, "c"); got != want {
			t.Errorf("at %d ms with %q, want %q", at, got, want)
		}
	}
	if got := relayAt(nil, 5, "a"); got != "a" {
		t.Errorf("without a hop with %q", got)
	}
}

func TestMissText(t *testing.T) {
	m := Miss{
		Listener: 7, Relay: "relay-2", Standby: "relay-3", Others: 3, Slowest: 12, Elsewhere: 9, SlowestElsewhere: 80, StallMS: 11,
		Gap:  Gap{Sequence: 100, Frames: 2, Capture: 5_000_000, LateMS: 4, Ways: []int64{1, 1, 1, 1, 1, 204, Never, 1, 1, 1, 1}},
		Hops: []Moved{{AtMS: 3000, From: "relay-1", To: "relay-2", Cause: "silence", TookMS: 70}},
	}
	common := "listener 7 at relay-2, standby now relay-3: 2 lost, 4000 ms in, from 100 (4 of 6), "
	for want, set := range map[string]func(){
		common + "which came 4 ms late; ways, ms over the least: 1 1 1 1 1 [204] - 1 1 1 1; 3 others at relay-2 had it within 12 ms, 9 elsewhere within 80 ms; listeners could not run for 11 ms; at 3000 ms relay-1 to relay-2 (silence, 70 ms)": func() {},
		common + "which was fetched 4 ms late;": func() { m.Repaired = true },
		common + "which never came;":            func() { m.LateMS = Never },
	} {
		set()
		if got := m.text(1_000_000); !strings.HasPrefix(got, want) {
			t.Errorf("%s\nwant %s", got, want)
		}
		m.Repaired, m.LateMS = false, 4
	}
}

func TestMissesAreFewOrAskedFor(t *testing.T) {
	r := testResult()
	r.Kills[0].Misses = make([]Miss, fewMisses+2)
	for _, verbose := range []bool{false, true} {
		r.verbose = verbose
		var b strings.Builder
		if err := r.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		want := fewMisses
		if verbose {
			want += 2
		}
		if got := strings.Count(b.String(), "edge kill: listener 0"); got != want || strings.Contains(b.String(), "and 2 more gaps") == verbose {
			t.Errorf("verbose %v: %d of %d\n%s", verbose, got, want, &b)
		}
	}
}

func TestSince(t *testing.T) {
	shared := []Moved{{AtMS: 700}, {AtMS: 900}}
	r := Report{Misses: []Miss{{Hops: shared}, {Hops: shared}, {Hops: []Moved{{AtMS: 100}}}, {}}}
	r.since(500 * time.Millisecond)
	if shared[0].AtMS != 200 || shared[1].AtMS != 400 || r.Misses[2].Hops[0].AtMS != -400 {
		t.Errorf("%+v", r.Misses)
	}
}
