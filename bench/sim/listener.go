package sim

import (
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/client/playout"
)

// frame is the unit in which losses count.
const frame = hop.Frame

// lengths are the packets that listeners may be given, shortest first.
var lengths = [2]time.Duration{3 * frame, 6 * frame}

// nobody stands for no relay.
const nobody int32 = -1

// A listener is somebody who came. While nothing happens to it, it is this and no
// more: its stream is gapless as long as its relay has one.
type listener struct {
	room             int32
	primary, standby int32 // relays, or nobody
	inPrimary        int32 // its place among the relay's
	inStandby        int32
	came, first      int32 // in ms; first is -1 until it has heard something
	told             int32 // in ms, when it was last told to wait
	lost             uint32
	gap              uint32 // the longest, in frames
	jitter           float32
	who              uint8
	zone             uint8
	long             bool // packets of 120 ms
	struck           bool
	left             bool
	asked            bool // to go elsewhere, for load
	cold             bool
	met              bool // it has had a session
	waits            bool // it was told to wait, and knows for how long
	awake            *awake
}

// An awake listener is one to which something happens: the client's own machine,
// with what a client's shell has around it.
type awake struct {
	m        hop.Machine
	sessions []session
	wakeAt   time.Duration
	until    time.Duration // it does not go to sleep before
	pending  int           // things under way that will tell it something
	informed bool
	asking   bool
	answer   answer

	// What has come: all before next, and of those after it what seen says.
	begun bool
	base  time.Duration // how late a packet is when all is well
	next  uint64
	top   uint64 // after the newest that came
	seen  [8]uint64
	late  []lateGroup
	run   uint32 // frames that are missing up to next
}

// A session is one with a relay, or the attempt at one.
type session struct {
	id       hop.Session
	relay    int32
	life     int32
	in       bool // the relay counts it
	up       bool // the client knows
	trip     time.Duration
	shown    bool          // the address, to the relay's doors
	again    time.Duration // how long it has waited to send its first packet again
	track    bool          // subscribed to
	tick     bool
	from     time.Duration // since when the relay sends
	tickFrom time.Duration
	next     uint64
	newest   bool // next is not known yet: the newest there is
	sent     time.Duration
	arrived  time.Duration
}

func (l *listener) packet() time.Duration {
	if l.long {
		return lengths[1]
	}
	return lengths[0]
}

// delay is the playout's: a longer packet is waited for longer.
func (w *world) delayOf(l *listener) time.Duration {
	return w.s.Rooms.Delay.get() + playout.DefaultDelay(l.packet()) - playout.DefaultDelay(lengths[0])
}

// tripTo is a client's round trip to a relay.
func (w *world) tripTo(l *listener, r *node) time.Duration { return w.clientTrips[l.zone][r.zone] }

func (a *awake) session(id hop.Session) *session {
	for i := range a.sessions {
		if a.sessions[i].id == id {
			return &a.sessions[i]
		}
	}
	return nil
}

// with is the session with a relay, if there is one that is up.
func (a *awake) with(relay int32) *session {
	for i := range a.sessions {
		if s := &a.sessions[i]; s.relay == relay && s.up {
			return s
		}
	}
	return nil
}

// step tells a listener's machine what happened and does what it says.
func (w *world) step1(id int32, at time.Duration, e hop.Event) {
	l := &w.people[id]
	w.res.Messages.Steps++
	for _, effect := range l.awake.m.Step(at, e) {
		w.do(id, l, at, effect)
	}
}

// do carries out an effect, as client/roam.go does.
func (w *world) do(id int32, l *listener, at time.Duration, e hop.Effect) {
	a := l.awake
	switch e.Kind {
	case hop.Dial:
		r := w.relays[w.byName[e.Candidate.Name]]
		s := session{id: e.Session, relay: r.id, life: r.life, trip: w.tripTo(l, r)}
		a.sessions = append(a.sessions, s)
		w.tell(id, e.Session, reached, at+s.trip/2+time.Duration(scatter(uint64(id), uint64(e.Session))*float64(w.jitter)))
	case hop.Subscribe:
		s := a.session(e.Session)
		if e.Track == hop.Tick {
			s.tick, s.tickFrom = true, at+s.trip/2
			w.tell(id, s.id, listed, at+s.trip)
			return
		}
		s.track, s.from, s.newest = true, at+s.trip/2, !e.Resume
		s.next = e.Start / uint64(l.packet()/frame)
	case hop.Unsubscribe:
		if s := a.session(e.Session); e.Track == hop.Tick {
			s.tick = false
		} else {
			s.track = false
		}
	case hop.Close:
		w.end(l, a.session(e.Session))
	case hop.AskLobby:
		w.askLobby(id, l, at)
	case hop.Hopped:
		w.hopped(e)
	}
}

// end forgets a session, at both ends.
func (w *world) end(l *listener, s *session) {
	a := l.awake
	if s == nil {
		return
	}
	if r := w.relays[s.relay]; s.in && s.life == r.life {
		r.sessions--
		w.wants(r, w.rooms[l.room], -1)
	}
	for i := range a.sessions {
		if &a.sessions[i] == s {
			a.sessions = append(a.sessions[:i], a.sessions[i+1:]...)
			return
		}
	}
}

// place keeps the relays' lists of who is there up to date.
func (w *world) place(id int32, l *listener) {
	primary, standby := nobody, nobody
	a := l.awake
	if _, s, ok := a.m.Primary(); ok {
		primary = a.session(s).relay
	}
	if _, s, ok := a.m.Standby(); ok {
		standby = a.session(s).relay
	}
	if primary != l.primary {
		w.move(id, l, primary)
	}
	if standby != l.standby {
		w.moveStandby(id, l, standby)
	}
}

// move notes that somebody listens at another relay, or nowhere.
func (w *world) move(id int32, l *listener, to int32) {
	rm := l.room
	if l.primary != nobody {
		r := w.relays[l.primary]
		last := len(r.primaries) - 1
		moved := r.primaries[last]
		r.primaries[l.inPrimary] = moved
		w.people[moved].inPrimary = l.inPrimary
		r.primaries = r.primaries[:last]
		if r.serves[rm]--; r.serves[rm] == 0 {
			delete(r.serves, rm)
		}
		r.listening[index(l.long)]--
		w.listening--
	}
	if l.primary = to; to != nobody {
		r := w.relays[to]
		l.inPrimary = int32(len(r.primaries))
		r.primaries = append(r.primaries, id)
		r.serves[rm]++
		r.listening[index(l.long)]++
		l.asked = false
		w.listening++
	}
}

func (w *world) moveStandby(id int32, l *listener, to int32) {
	if l.standby != nobody {
		r := w.relays[l.standby]
		last := len(r.standbys) - 1
		moved := r.standbys[last]
		r.standbys[l.inStandby] = moved
		w.people[moved].inStandby = l.inStandby
		r.standbys = r.standbys[:last]
	}
	if l.standby = to; to != nobody {
		r := w.relays[to]
		l.inStandby = int32(len(r.standbys))
		r.standbys = append(r.standbys, id)
	}
}

func index(long bool) int {
	if long {
		return 1
	}
	return 0
}

// clientTrip is the round trip of a client in one zone to a relay in another.
func (w *world) clientTrip(from, to int) time.Duration {
	own := w.c.Time(cost.RTTClient)
	return own + w.trips[from][to] - w.trips[from][from]
}
