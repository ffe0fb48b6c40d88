package hop

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func drawWorld(t *rapid.T) *world {
	trip := func(label string) time.Duration {
		return time.Duration(rapid.IntRange(2, 40).Draw(t, label)) * time.Millisecond
	}
	zone := rapid.SampledFrom([]string{"", "par", "mil"})
	var relays []*relayModel
	for _, name := range []string{"a", "b", "c"} {
		relays = append(relays, &relayModel{
			Candidate: Candidate{Name: name, URL: "https://" + name + ".example", Zone: zone.Draw(t, "zone of "+name)},
			trip:      trip("round trip to " + name),
		})
	}
	w := newWorld(t, Options{Jitter: rapid.Float64Range(0, 0.99).Draw(t, "jitter")},
		rapid.Uint64().Draw(t, "seed"), relays...)
	w.jitter = time.Duration(rapid.IntRange(0, 10).Draw(t, "path jitter")) * time.Millisecond
	w.frames = rapid.SampledFrom([]int{1, 3, 6}).Draw(t, "frames")
	return w
}

func (w *world) delay() time.Duration {
	if w.frames == 6 {
		return 320 * time.Millisecond
	}
	return 200 * time.Millisecond
}

// Whatever happens to one relay, no frame comes too late to be played.
func TestNoSingleFailureIsHeard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.speak(500*time.Millisecond, 9000/(20*w.frames))
		end := w.groups[len(w.groups)-1]
		at := 4*time.Second + time.Duration(rapid.IntRange(0, 500_000).Draw(t, "when"))*time.Microsecond
		what := rapid.SampledFrom([]string{"dies", "closes", "is cut off", "drains", "has too many"}).Draw(t, "the relay")
		who := rapid.SampledFrom([]string{"primary", "standby"}).Draw(t, "which")
		var victim string
		w.at(at, func() {
			c, id, _ := w.m.Primary()
			if who == "standby" {
				c, id, _ = w.m.Standby()
			}
			victim = c.Name
			switch what {
			case "dies", "closes":
				w.kill(victim, what == "closes")
			case "is cut off":
				w.relays[victim].cut = w.now
			case "drains", "has too many":
				cause := map[bool]Cause{true: CauseDrain, false: CauseLoad}[what == "drains"]
				w.step(Event{Kind: Goaway, Session: id, Cause: cause, Within: 3 * time.Second})
				w.after(3*time.Second, func() { w.kill(victim, true) })
			}
		})
		w.run(end + time.Second)
		if victim == "" {
			t.Fatal("there was nobody to fail")
		}
		if k, by, late := w.late(2*time.Second, end, w.relays["a"].trip/2, w.delay()); late {
			t.Fatalf("%s %q %s at %v: group %d, complete at %v, came %v too late", who, victim, what, at, k, w.groups[k], by)
		}
		want := map[string]Cause{"dies": CauseSilence, "closes": CauseClosed, "is cut off": CauseSilence,
			"drains": CauseDrain, "has too many": CauseLoad}[what]
		switch {
		case who == "standby" && len(w.hops) != 0:
			t.Fatalf("hops %v", w.hops)
		case who == "primary" && (len(w.hops) != 1 || w.hops[0].Cause != want || w.hops[0].From != victim || w.hops[0].To == victim):
			t.Fatalf("hops %v, want one from %s because of %v", w.hops, victim, want)
		}
		if _, _, ok := w.m.Standby(); !ok && what != "is cut off" {
			t.Fatal("there is no new standby in the end")
		}
	})
}

// Pauses and paths with jitter are no reason to hop.
func TestNothingHopsWithoutNeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		at := 500 * time.Millisecond
		for range rapid.IntRange(1, 5).Draw(t, "times it is spoken") {
			w.speak(at, rapid.IntRange(1, 20).Draw(t, "groups")*6/w.frames)
			at = w.groups[len(w.groups)-1] + time.Duration(rapid.IntRange(20, 4000).Draw(t, "pause"))*time.Millisecond
		}
		end := w.groups[len(w.groups)-1]
		w.run(end + 3*time.Second)
		if len(w.hops) > 0 {
			t.Fatalf("hops %v", w.hops)
		}
		if c, _, _ := w.m.Primary(); c.Name != "a" {
			t.Fatalf("the primary is %q", c.Name)
		}
	})
}

// Even speech on a path with jitter puts no standby on trial.
func TestJitterIsNoAlarm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.speak(500*time.Millisecond, 20_000/(20*w.frames))
		w.run(w.groups[len(w.groups)-1])
		if w.trials > 0 {
			t.Fatalf("%d trials", w.trials)
		}
	})
}

// After the network changed under all sessions, the speech goes on.
func TestNewNetwork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.speak(500*time.Millisecond, 6000/(20*w.frames))
		at := 3*time.Second + time.Duration(rapid.IntRange(0, 500).Draw(t, "when"))*time.Millisecond
		w.at(at, func() {
			w.severed = w.now
			w.step(Event{Kind: NetworkChanged})
		})
		end := w.groups[len(w.groups)-1]
		w.run(end + 2*time.Second)
		if k, by, late := w.late(2*time.Second, end, w.relays["a"].trip/2, w.delay()+500*time.Millisecond); late {
			t.Fatalf("group %d came %v too late", k, by)
		}
		if len(w.hops) != 1 || w.hops[0].Cause != CauseNetwork {
			t.Fatalf("hops %v", w.hops)
		}
	})
}

// A ledger checks that effects make sense whatever the machine is told.
type ledger struct {
	up     map[Session]bool // or still an attempt
	relay  map[Session]string
	tracks map[Session]map[Track]bool
	wants  map[Session]map[Track]bool
	last   Session
	asked  int
}

func newLedger() *ledger {
	return &ledger{map[Session]bool{}, map[Session]string{}, map[Session]map[Track]bool{}, map[Session]map[Track]bool{}, 0, 0}
}

func (l *ledger) forget(s Session) {
	delete(l.up, s)
	delete(l.relay, s)
}

func (l *ledger) check(e Effect, most int) error {
	_, live := l.up[e.Session]
	switch {
	case e.Kind == AskLobby:
		l.asked++
	case e.Kind == Dial && e.Session <= l.last:
		return fmt.Errorf("session %d is not new", e.Session)
	case e.Kind == Dial:
		l.last = e.Session
		l.up[e.Session], l.relay[e.Session] = false, e.Candidate.Name
		l.tracks[e.Session], l.wants[e.Session] = map[Track]bool{Tick: true}, map[Track]bool{}
		if len(l.up) > most {
			return fmt.Errorf("%d sessions", len(l.up))
		}
	case !live:
		return fmt.Errorf("%v of session %d, which is none", e.Kind, e.Session)
	case e.Kind == Close:
		l.forget(e.Session)
	case !l.up[e.Session]:
		return fmt.Errorf("%v of session %d, which is not up", e.Kind, e.Session)
	case e.Kind == Subscribe && (l.wants[e.Session][e.Track] || !l.tracks[e.Session][e.Track]),
		e.Kind == Unsubscribe && !l.wants[e.Session][e.Track]:
		return fmt.Errorf("%v of session %d to track %d", e.Kind, e.Session, e.Track)
	case e.Kind == Subscribe || e.Kind == Unsubscribe:
		l.wants[e.Session][e.Track] = e.Kind == Subscribe
	case e.Kind == Hopped && (e.Took < 0 || e.Cause == CauseNone || e.From == ""):
		return fmt.Errorf("hop %+v", e)
	}
	return nil
}

// drawEvent is anything that may happen, and much that should not.
func (l *ledger) drawEvent(t *rapid.T) Event {
	sessions := []Session{0, l.last, l.last + 7}
	for s := range l.up {
		sessions = append(sessions, s)
	}
	slices.Sort(sessions)
	name := rapid.SampledFrom([]string{"", "a", "b", "c", "d", "e"})
	e := Event{
		Kind:    EventKind(rapid.IntRange(0, int(eventKinds)).Draw(t, "kind")),
		Session: rapid.SampledFrom(sessions).Draw(t, "session"),
		Track:   Track(rapid.IntRange(-1, 3).Draw(t, "track")),
	}
	switch e.Kind {
	case Arrived:
		e.Sequence = uint64(rapid.IntRange(0, 400).Draw(t, "sequence"))
		e.Frames = rapid.SampledFrom([]int{-1, 0, 1, 3, 6}).Draw(t, "frames")
		e.Timestamp = time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "timestamp"))
	case Dialled:
		e.Ticks = rapid.Bool().Draw(t, "ticks")
	case DialFailed:
		e.Final = rapid.Bool().Draw(t, "final")
	case Goaway:
		e.Cause = Cause(rapid.IntRange(0, int(causes)).Draw(t, "cause"))
		e.URIs = []string{"", "https://" + name.Draw(t, "uri") + ".example"}
		e.Within = time.Duration(rapid.IntRange(0, 9).Draw(t, "within")) * time.Second
	case Candidates:
		for _, n := range rapid.SliceOfN(name, 0, 6).Draw(t, "candidates") {
			e.Candidates = append(e.Candidates, Candidate{Name: n, Zone: n[:min(len(n), 1)], URL: "https://" + n + ".example"})
		}
	case Better:
		e.Name = name.Draw(t, "name")
	case SetCold:
		e.Cold = rapid.Bool().Draw(t, "cold")
	}
	l.note(e)
	return e
}

func (l *ledger) note(e Event) {
	up, live := l.up[e.Session]
	switch {
	case !live:
	case e.Kind == Dialled:
		l.up[e.Session] = true
	case e.Kind == Closed, e.Kind == DialFailed && !up:
		l.forget(e.Session)
	case e.Kind == Announced && up, e.Kind == Arrived && up:
		if e.Kind == Announced {
			l.tracks[e.Session][e.Track] = true
		}
	case e.Kind == Ended && up && e.Track != Tick:
		delete(l.tracks[e.Session], e.Track)
		delete(l.wants[e.Session], e.Track)
	}
}

func (l *ledger) step(t *rapid.T, m stepper, now time.Duration, e Event, most int) {
	for _, f := range m.Step(now, e) {
		if err := l.check(f, most); err != nil {
			t.Fatalf("at %v, after %v: %v", now, e.Kind, err)
		}
	}
}

// Whatever a Machine is told, its effects make sense, and once the world is good
// again it has a primary and a standby.
func TestMachineUnderChaos(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, l := New(Options{Jitter: rapid.Float64Range(0, 0.99).Draw(t, "jitter")}), newLedger()
		now := chaos(t, m, l, func() {
			p, ps, ok := m.Primary()
			s, ss, also := m.Standby()
			if ok && also && (ps == ss || p.Name == s.Name) {
				t.Fatalf("primary %q and standby %q", p.Name, s.Name)
			}
		})
		for _, e := range []Event{{Kind: SetCold}, {Kind: Better}} {
			l.step(t, m, now, e, maxLinks)
		}
		peace(t, m, l, now)
		if _, _, ok := m.Primary(); !ok {
			t.Fatal("no primary")
		}
		if _, _, ok := m.Standby(); !ok {
			t.Fatal("no standby")
		}
		if len(l.up) != 2 {
			t.Fatalf("%d sessions", len(l.up))
		}
	})
}

// The same for a Pair: two relays in the end.
func TestPairUnderChaos(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, l := NewPair(Options{Jitter: rapid.Float64Range(0, 0.99).Draw(t, "jitter")}), newLedger()
		now := chaos(t, p, l, func() {})
		peace(t, p, l, now)
		live := p.Live()
		if len(live) != 2 || l.relay[live[0]] == l.relay[live[1]] || len(l.up) != 2 {
			t.Fatalf("live are %v of %v", live, l.relay)
		}
	})
}

func chaos(t *rapid.T, m stepper, l *ledger, check func()) time.Duration {
	var now time.Duration
	for range rapid.IntRange(0, 120).Draw(t, "events") {
		now += time.Duration(rapid.SampledFrom([]int{-5, 0, 1, 20, 60, 100, 250, 1000, 20_000}).Draw(t, "pause")) * time.Millisecond
		for n := 0; ; n++ {
			at, ok := m.Deadline()
			if !ok || at > now {
				break
			}
			if n > 2000 {
				t.Fatalf("the machine wants to be stepped for ever, now at %v", at)
			}
			l.step(t, m, at, Event{}, maxLinks)
			check()
		}
		l.step(t, m, now, l.drawEvent(t), maxLinks)
		check()
	}
	return max(now, 0)
}

// peace is six minutes of four good relays.
func peace(t *rapid.T, m stepper, l *ledger, now time.Duration) {
	list := Event{Kind: Candidates}
	for _, n := range []string{"a", "b", "c", "d"} {
		list.Candidates = append(list.Candidates, Candidate{Name: n, URL: "https://" + n + ".example", Zone: n})
	}
	l.step(t, m, now, list, maxLinks)
	for end := now + 6*time.Minute; now < end; now += tick {
		for n := 0; ; n++ {
			at, ok := m.Deadline()
			if !ok || at > now {
				break
			}
			if n > 100 {
				t.Fatalf("the machine wants to be stepped for ever, now at %v", at)
			}
			l.step(t, m, at, Event{}, maxLinks)
		}
		var sessions []Session
		for s := range l.up {
			sessions = append(sessions, s)
		}
		slices.Sort(sessions)
		for _, s := range sessions {
			e := Event{Kind: Ticked, Session: s}
			if up, live := l.up[s]; !live || up && !l.wants[s][Tick] {
				continue
			} else if !up {
				e = Event{Kind: Dialled, Session: s, Ticks: true}
				l.note(e)
			}
			l.step(t, m, now, e, maxLinks)
		}
	}
}
