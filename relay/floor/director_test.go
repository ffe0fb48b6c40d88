package floor

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/stage"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// A theatre has speakers that each talk or pause, 20 ms a step.
type theatre struct {
	director director
	all      []present
	loud     map[string]stage.Level
	now      time.Time
	floor    *protocol.Floor
}

func newTheatre(names ...string) *theatre {
	th := &theatre{director: director{n: 3}, loud: map[string]stage.Level{}, now: epoch}
	for _, name := range names {
		th.all = append(th.all, present{name: protocol.Path(name), publisher: uint64(name[0]), paused: true, level: stage.Silence})
	}
	return th
}

// play lets time pass and decides every 60 ms.
func (th *theatre) play(d time.Duration) {
	for ; d > 0; d -= 20 * time.Millisecond {
		for i := range th.all {
			v := &th.all[i]
			level, talks := th.loud[string(v.name)]
			if v.level = stage.Silence; !talks {
				v.paused = true
				continue
			}
			next := uint64(0)
			if v.any {
				next = v.newest + 1
			}
			if v.paused {
				v.begun = next
			}
			v.any, v.newest, v.paused, v.level = true, next, false, level
		}
		th.now = th.now.Add(20 * time.Millisecond)
		if th.now.Sub(epoch)%(60*time.Millisecond) == 0 {
			th.floor = th.director.direct(th.now, th.all)
		}
	}
}

func TestDirector(t *testing.T) {
	th := newTheatre("ada", "ben", "cleo", "dan", "eve")
	expect := func(when, want string) {
		t.Helper()
		got := "everybody"
		if th.floor != nil {
			got = th.floor.String()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	th.play(60 * time.Millisecond)
	expect("nobody speaks yet", "ada 0-; ben 0-; cleo 0-; dan; eve")
	th.loud["dan"] = 30
	th.play(600 * time.Millisecond)
	expect("dan does, and is heard from his first word on", "ada 0-; ben 0-; cleo; dan 0-; eve")
	th.loud["ada"], th.loud["eve"] = 30, 30
	th.play(600 * time.Millisecond)
	expect("so do ada and eve", "ada 0-; ben; cleo; dan 0-; eve 0-")
	th.loud["ben"] = 28
	th.play(600 * time.Millisecond)
	expect("ben is hardly louder: they stay", "ada 0-; ben; cleo; dan 0-; eve 0-")
	delete(th.loud, "eve")
	th.play(1200 * time.Millisecond)
	expect("eve is silent, ben has her place", "ada 0-; ben 12-; cleo; dan 0-; eve 0-59")
	th.loud["cleo"] = 10
	th.play(300 * time.Millisecond)
	expect("cleo shouts", "ada 0-143; ben 12-; cleo 0-; dan 0-; eve 0-59")

	// With three left everybody is heard, and in the end nothing is told any more.
	th.all = th.all[:3]
	th.play(60 * time.Millisecond)
	expect("two have gone", "ada 0-; ben 12-; cleo 0-")
	th.play(calmFor)
	expect("for a while", "everybody")
}

// The other root goes on where the first one ended.
func TestDirectorTakesOver(t *testing.T) {
	th := newTheatre("ada", "ben", "cleo", "dan")
	th.loud["ada"], th.loud["ben"], th.loud["dan"] = 30, 30, 30
	th.play(3 * time.Second)
	second := director{n: 3}
	for range 10 {
		second.hear(th.now, th.all)
		second.adopt(th.floor)
	}
	before := th.floor.String()
	if got := second.direct(th.now, th.all).String(); got != before {
		t.Errorf("%s, want %s", got, before)
	}
}

func TestDirectorTellsPublishersApart(t *testing.T) {
	th := newTheatre("ada", "ben", "cleo", "dan")
	th.loud["ada"] = 30
	th.play(time.Second)
	th.all[0] = present{name: "ada", publisher: 99, paused: true, level: stage.Silence}
	th.play(120 * time.Millisecond)
	if v := th.floor.Voice("ada", 99); v == nil || len(v.Spans) != 1 || v.Spans[0].From != 0 || th.floor.Voice("ada", 'a') != nil {
		t.Errorf("%v", th.floor)
	}
}

// Whatever is said, at most three are heard, spans are in order and whole bundles,
// and nobody who stays loses a group.
func TestDirectorProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"ada", "ben", "cleo", "dan", "eve", "fay", "gus"}
		th := newTheatre(names[:rapid.IntRange(4, 7).Draw(t, "speakers")]...)
		for step := range rapid.IntRange(1, 40).Draw(t, "steps") {
			name := rapid.SampledFrom(names).Draw(t, "name")
			if rapid.Bool().Draw(t, "talks") {
				th.loud[name] = stage.Level(rapid.IntRange(12, 60).Draw(t, "level"))
			} else {
				delete(th.loud, name)
			}
			before := th.floor
			th.play(time.Duration(rapid.IntRange(1, 40).Draw(t, "packets")) * 20 * time.Millisecond)
			if th.floor == nil {
				continue
			}
			open := 0
			for _, v := range th.floor.Voices {
				end := uint64(0)
				for i, s := range v.Spans {
					if s.From%bundle != 0 || s.Until != protocol.Forever && s.Until%bundle != 0 || s.From >= s.Until || i > 0 && s.From <= end {
						t.Fatalf("step %d: %v", step, th.floor)
					}
					if end = s.Until; end == protocol.Forever {
						open++
					}
				}
				// What was for listeners once stays so.
				if was := before.Voice(v.Name, v.Publisher); was != nil {
					for _, s := range was.Spans {
						if now := v.Next(s.From); s.Until != protocol.Forever && s.Until+keepSpans > 4000 && now != s.From {
							t.Fatalf("step %d: group %d of %s was for listeners: %v, now %v", step, s.From, v.Name, before, th.floor)
						}
					}
				}
			}
			if open > 3 {
				t.Fatalf("step %d: %d are heard: %v", step, open, th.floor)
			}
			if again, err := protocol.ParseFloor(th.floor.Append(nil)); err != nil || fmt.Sprint(again) != fmt.Sprint(th.floor) {
				t.Fatalf("%v is read as %v: %v", th.floor, again, err)
			}
		}
	})
}
