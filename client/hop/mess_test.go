package hop

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// quantum is the step of all times in a mess: a power of two of a millisecond, so
// that implementations that count in floating point come to the same numbers.
const quantum = time.Millisecond / 4

// A mess is a world in which everything goes wrong that can, around a machine; and
// a record of what the machine was told and what it did.
type mess struct {
	t       *testing.T
	r       *rand.Rand
	relays  map[string]Candidate
	machine stepper
	now     time.Duration
	n       int
	queue   queue
	frames  int              // in a group
	groups  map[Track]uint64 // how many there are of a track
	paths   map[Session]*path
	c       hopCase
}

// A path is a session, which brings what it is asked for as well as it can.
type path struct {
	up    bool
	wants map[Track]bool
	lag   time.Duration
	mute  time.Duration           // until then nothing comes over it
	stuck map[Track]time.Duration // nor of a track
}

func newMess(t *testing.T, seed uint64, relays map[string]Candidate) *mess {
	r := rand.New(rand.NewPCG(seed, 1))
	m := &mess{
		t: t, r: r, relays: relays, frames: []int{1, 3, 6, 6}[r.IntN(4)],
		groups: map[Track]uint64{}, paths: map[Session]*path{},
	}
	m.c = hopCase{
		Name: fmt.Sprint("history ", seed), Machine: "listener",
		Jitter: float64(r.IntN(8)) / 8, Cold: m.one(8), Until: ms(historyLength),
	}
	o := Options{Jitter: m.c.Jitter, Cold: m.c.Cold}
	m.machine = New(o)
	m.after(0, m.list)
	if m.one(4) {
		m.c.Machine, m.machine = "speaker", NewPair(o)
	} else {
		m.after(m.some(time.Second), func() { m.begin(1) })
	}
	often := 30 * time.Second >> r.IntN(7)
	m.after(m.some(often), func() { m.trouble(often) })
	return m
}

// run is [drive], but for a world that answers.
func (m *mess) run(until time.Duration) {
	for {
		at := until + 1
		if len(m.queue) > 0 {
			at = m.queue[0].at
		}
		deadline, ok := m.machine.Deadline()
		if min(at, deadline) > until {
			return
		}
		if ok && deadline < at {
			m.now = max(m.now, deadline)
			m.step(Event{})
			continue
		}
		m.now = at
		heap.Pop(&m.queue).(happening).run()
	}
}

// some is a random time, and one whether a chance of one in so many came true.
func (m *mess) some(most time.Duration) time.Duration {
	return time.Duration(m.r.Int64N(int64(most/quantum)+1)) * quantum
}

// unevenly is how late something comes that mostly comes in time.
func (m *mess) unevenly(most time.Duration) time.Duration {
	if !m.one(6) {
		return 0
	}
	return m.some(most >> m.r.IntN(6))
}

func (m *mess) one(in int) bool { return m.r.IntN(in) == 0 }

// after lets something happen, later than now: what a step brings about must not
// be at the time of the step, where the table has events first.
func (m *mess) after(d time.Duration, run func()) {
	m.n++
	heap.Push(&m.queue, happening{m.now + max(d, quantum), m.n, run})
}

func (m *mess) tell(e caseEvent) {
	e.At = ms(m.now)
	m.c.Events = append(m.c.Events, e)
	for _, e := range e.expand(m.t, m.relays) {
		m.step(e.Event)
	}
}

func (m *mess) step(e Event) {
	for _, e := range slices.Clone(m.machine.Step(m.now, e)) {
		m.c.Effects = append(m.c.Effects, written(m.now, e))
		m.do(e)
	}
}

func (m *mess) do(e Effect) {
	p := m.paths[e.Session]
	switch e.Kind {
	case Dial:
		m.dial(e.Session)
	case Subscribe:
		p.wants[e.Track] = true
		if e.Track == Tick {
			at := m.now + p.lag + m.some(50*time.Millisecond)
			m.after(at-m.now, func() { m.tick(e.Session, at) })
		} else if e.Resume {
			m.after(2*p.lag, func() { m.ring(e) })
		}
	case Unsubscribe:
		p.wants[e.Track] = false
	case Close:
		delete(m.paths, e.Session)
	}
}

func (m *mess) dial(id Session) {
	p := &path{lag: m.some(40 * time.Millisecond), wants: map[Track]bool{}, stuck: map[Track]time.Duration{}}
	m.paths[id] = p
	switch m.r.IntN(10) {
	case 0: // no answer
	case 1:
		m.after(m.some(time.Second), func() {
			if m.paths[id] == p {
				delete(m.paths, id)
				m.tell(caseEvent{Do: "dial-failed", Session: id, Final: m.one(8)})
			}
		})
	default:
		m.after(4*p.lag+m.some(20*time.Millisecond), func() {
			if m.paths[id] != p {
				return
			}
			p.up = true
			m.tell(caseEvent{Do: "dialled", Session: id, Ticks: !m.one(8)})
			for t := Track(1); m.groups[t] > 0; t++ {
				m.after(p.lag, func() { m.announce(id, t) })
			}
		})
	}
}

func (m *mess) announce(id Session, t Track) {
	if p := m.paths[id]; p != nil && p.up {
		m.tell(caseEvent{Do: "announced", Session: id, Track: t})
	}
}

// tick brings the tick that was to come at a time, and later the next.
func (m *mess) tick(id Session, at time.Duration) {
	p := m.paths[id]
	if p == nil || !p.wants[Tick] {
		return
	}
	if m.now >= p.mute && !m.one(30) {
		m.tell(caseEvent{Do: "ticked", Session: id})
	}
	at += tick
	m.after(at+m.unevenly(15*time.Millisecond)-m.now, func() { m.tick(id, at) })
}

// ring brings what a relay still has, five groups at most.
func (m *mess) ring(e Effect) {
	newest := m.groups[e.Track]
	first := max(e.Start/uint64(m.frames), max(newest, 5)-5)
	for k := first; k < newest; k++ {
		m.deliver(e.Session, e.Track, k)
	}
}

func (m *mess) deliver(id Session, t Track, k uint64) {
	p := m.paths[id]
	if p != nil && p.wants[t] && m.now >= p.mute && m.now >= p.stuck[t] {
		m.tell(caseEvent{Do: "arrived", Session: id, Track: t, Sequence: k * uint64(m.frames), Frames: m.frames})
	}
}

// begin lets a track begin.
func (m *mess) begin(t Track) {
	for _, id := range m.sessions() {
		m.announce(id, t)
	}
	m.speak(t)
}

// speak says a group, and after a packet or a pause the next.
func (m *mess) speak(t Track) {
	k := m.groups[t]
	m.groups[t]++
	for _, id := range m.sessions() {
		p := m.paths[id]
		if !p.wants[t] || m.one(60) {
			continue
		}
		m.after(p.lag+m.unevenly(250*time.Millisecond), func() { m.deliver(id, t, k) })
	}
	next := time.Duration(m.frames) * Frame
	if m.one(75 / m.frames) {
		next += m.some(3 * time.Second)
	}
	m.after(next, func() { m.speak(t) })
}

func (m *mess) sessions() []Session {
	var list []Session
	for id := range m.paths {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}

func (m *mess) relay() string {
	names := keys(m.relays)
	return names[m.r.IntN(len(names))]
}

// list says which relays there are.
func (m *mess) list() {
	names := keys(m.relays)
	m.r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	m.tell(caseEvent{Do: "candidates", Candidates: names[:max(1, len(names)-m.r.IntN(len(names)+2))]})
}

// trouble lets something go wrong, and later something else.
func (m *mess) trouble(often time.Duration) {
	m.after(m.some(often), func() { m.trouble(often) })
	id, t := Session(m.r.IntN(9)), Track(1+m.r.IntN(2))
	if ids := m.sessions(); len(ids) > 0 && !m.one(12) {
		id = ids[m.r.IntN(len(ids))]
	}
	switch p, k := m.paths[id], m.r.IntN(24); {
	case p != nil && k < 6:
		p.mute = m.now + m.some(6*time.Second>>m.r.IntN(5))
	case p != nil && k < 9:
		p.stuck[t] = m.now + m.some(6*time.Second>>m.r.IntN(4))
	case p != nil && p.up && k < 10:
		p.wants[t] = false
		m.tell(caseEvent{Do: "ended", Session: id, Track: t})
		m.after(m.some(2*time.Second), func() { m.announce(id, t) })
	case k < 12:
		delete(m.paths, id)
		m.tell(caseEvent{Do: "closed", Session: id})
	case k < 16:
		m.goaway(id)
	case k < 17:
		m.newNetwork()
	case k < 19:
		m.tell(caseEvent{Do: "better", Name: m.relay()})
	case k < 20:
		m.tell(caseEvent{Do: "set-cold", Cold: m.one(3)})
	case k < 21:
		m.list()
	case k < 22:
		m.tell(caseEvent{Do: "gone", Session: id})
	case m.groups[1] > 0 && m.groups[2] == 0:
		m.begin(2)
	}
}

func (m *mess) goaway(id Session) {
	m.tell(caseEvent{
		Do: "goaway", Session: id, Cause: []string{"drain", "load"}[m.r.IntN(2)], Within: float64(m.r.IntN(4)) * 1000,
		URIs: []string{"https://stranger.example", m.relays[m.relay()].URL},
	})
}

// newNetwork hurts most sessions.
func (m *mess) newNetwork() {
	m.tell(caseEvent{Do: "network-changed"})
	for _, id := range m.sessions() {
		if !m.one(3) {
			m.paths[id].mute = never
		}
	}
}
