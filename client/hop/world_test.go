package hop

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// A world is a network on which a Machine listens to one speaker: relays with a
// ring and ticks, paths with a round trip and jitter, and a shell that does what
// the machine wants.
type world struct {
	t      interface{ Fatalf(string, ...any) }
	m      *Machine
	rand   *rand.Rand
	now    time.Duration
	queue  queue
	n      int
	relays map[string]*relayModel
	jitter time.Duration

	frames   int             // in a group
	groups   []time.Duration // when each is complete
	sessions map[Session]*sessionModel
	got      map[uint64]time.Duration // group, when it first came
	hops     []Effect
	severed  time.Duration // when all sessions of that time died without a word
	trials   int
}

type relayModel struct {
	Candidate
	trip time.Duration
	dead time.Duration // from then on nothing leaves it
	cut  time.Duration // from then on nothing comes to it
}

type sessionModel struct {
	relay      *relayModel
	begun      time.Duration
	up, closed bool
	wants      map[Track]bool // as the client sees it
	sends      map[Track]bool // as the relay sees it
	sent       time.Duration
}

type happening struct {
	at  time.Duration
	n   int
	run func()
}

type queue []happening

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].n < q[j].n
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(happening)) }
func (q *queue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

func newWorld(t interface{ Fatalf(string, ...any) }, o Options, seed uint64, relays ...*relayModel) *world {
	w := &world{
		t: t, m: New(o), rand: rand.New(rand.NewPCG(seed, 1)),
		relays: map[string]*relayModel{}, sessions: map[Session]*sessionModel{}, got: map[uint64]time.Duration{},
	}
	var list []Candidate
	for _, r := range relays {
		r.dead, r.cut = never, never
		w.relays[r.Name] = r
		list = append(list, r.Candidate)
	}
	w.at(0, func() { w.step(Event{Kind: Candidates, Candidates: list}) })
	return w
}

func (w *world) at(at time.Duration, run func()) {
	w.n++
	heap.Push(&w.queue, happening{at, w.n, run})
}

func (w *world) after(d time.Duration, run func()) { w.at(w.now+d, run) }

// speak lets frames come into being from a time on, as groups on every relay.
func (w *world) speak(from time.Duration, groups int) {
	for range groups {
		k := uint64(len(w.groups))
		from += time.Duration(w.frames) * Frame
		w.groups = append(w.groups, from)
		w.at(from, func() {
			for _, s := range w.sessions {
				if s.sends[1] && w.now < s.relay.cut {
					w.send(s, 1, k)
				}
			}
		})
	}
}

func (w *world) run(until time.Duration) {
	for {
		at := until + 1
		if len(w.queue) > 0 {
			at = w.queue[0].at
		}
		if deadline, ok := w.m.Deadline(); ok && deadline < at {
			if w.now = max(w.now, deadline); w.now > until {
				return
			}
			w.step(Event{})
			if next, ok := w.m.Deadline(); ok && next <= w.now {
				w.t.Fatalf("at %v: the deadline is %v after a step", w.now, next)
			}
			continue
		}
		if at > until {
			return
		}
		h := heap.Pop(&w.queue).(happening)
		w.now = h.at
		h.run()
	}
}

func (w *world) step(e Event) {
	for _, e := range append([]Effect(nil), w.m.Step(w.now, e)...) {
		w.do(e)
	}
}

func (w *world) do(e Effect) {
	s := w.sessions[e.Session]
	switch e.Kind {
	case Dial:
		w.dial(e)
	case Subscribe:
		if e.Track != Tick && !s.wants[e.Track] && s.relay.Name != w.primary() {
			w.trials++
		}
		s.wants[e.Track] = true
		w.after(s.relay.trip/2, func() { w.subscribed(s, e) })
	case Unsubscribe:
		s.wants[e.Track] = false
		w.after(s.relay.trip/2, func() { s.sends[e.Track] = false })
	case Close:
		s.closed = true
		w.after(s.relay.trip/2, func() { clear(s.sends) })
	case Hopped:
		w.hops = append(w.hops, e)
	}
}

func (w *world) primary() string {
	c, _, _ := w.m.Primary()
	return c.Name
}

func (w *world) dial(e Effect) {
	r := w.relays[e.Candidate.Name]
	s := &sessionModel{relay: r, begun: w.now, wants: map[Track]bool{}, sends: map[Track]bool{}}
	w.sessions[e.Session] = s
	id := e.Session
	if w.now+r.trip >= r.dead {
		w.after(5*time.Second, func() { w.step(Event{Kind: DialFailed, Session: id}) })
		return
	}
	w.after(2*r.trip, func() {
		s.up = true
		w.step(Event{Kind: Dialled, Session: id, Ticks: true})
	})
	w.after(3*r.trip, func() { w.step(Event{Kind: Announced, Session: id, Track: 1}) })
}

// subscribed is a relay's part of it: what is in the ring at once, the rest as it
// comes.
func (w *world) subscribed(s *sessionModel, e Effect) {
	if s.sends[e.Track] || s.closed {
		return
	}
	s.sends[e.Track] = true
	if e.Track == Tick {
		s.sent = w.now
		w.tick(e.Session, s)
		return
	}
	for k, at := range w.groups {
		if at <= w.now && at < s.relay.cut && e.Resume && uint64(k*w.frames+w.frames) > e.Start {
			w.send(s, e.Track, uint64(k))
		}
	}
}

func (w *world) tick(id Session, s *sessionModel) {
	if !s.sends[Tick] || s.closed {
		return
	}
	due := s.sent + tick
	if w.now >= due {
		w.send(s, Tick, 0)
		due = s.sent + tick
	}
	w.at(due, func() { w.tick(id, s) })
}

func (w *world) send(s *sessionModel, track Track, k uint64) {
	s.sent = w.now
	if w.now >= s.relay.dead || s.begun < w.severed {
		return
	}
	var id Session
	for i, other := range w.sessions {
		if other == s {
			id = i
		}
	}
	late := time.Duration(w.rand.Int64N(int64(w.jitter) + 1))
	w.after(s.relay.trip/2+late, func() {
		if s.closed || !s.wants[track] || s.begun < w.severed {
			return
		}
		if track == Tick {
			w.step(Event{Kind: Ticked, Session: id})
			return
		}
		if _, ok := w.got[k]; !ok {
			w.got[k] = w.now
		}
		w.step(Event{
			Kind: Arrived, Session: id, Track: track, Sequence: k * uint64(w.frames), Frames: w.frames,
			Timestamp: w.groups[k] - time.Duration(w.frames)*Frame,
		})
	})
}

// kill ends a relay, with a last word to its sessions or without.
func (w *world) kill(name string, lastWord bool) {
	r := w.relays[name]
	r.dead = w.now
	if !lastWord {
		return
	}
	for id, s := range w.sessions {
		if s.relay == r && s.up && !s.closed {
			w.after(r.trip/2, func() { w.step(Event{Kind: Closed, Session: id}) })
		}
	}
}

// late is the first group that came later than is due, with a delay, and by how
// much; ok is false if none did. Groups before from do not count, nor those
// complete too shortly before the end.
func (w *world) late(from, until, oneWay, delay time.Duration) (group int, by time.Duration, ok bool) {
	for k, at := range w.groups {
		if at < from || at > until {
			continue
		}
		due := at + oneWay - time.Duration(w.frames-1)*Frame + delay
		if got, came := w.got[uint64(k)]; !came || got > due {
			if !came {
				return k, never, true
			}
			return k, got - due, true
		}
	}
	return 0, 0, false
}
