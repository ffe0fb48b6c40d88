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

// A lateGroup came when some of its frames should have been played.
type lateGroup struct {
	group uint64
	lost  uint32
}

// A session is one with a relay, or the attempt at one.
type session struct {
	id       hop.Session
	relay    int32
	life     int32
	in       bool // the relay counts it
	up       bool // the client knows
	trip     time.Duration
	track    bool // subscribed to
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
		w.tell(id, e.Session, reached, at+s.trip/2)
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

// coming is what comes next over a session: when, and whether it is a tick; never
// if nothing does as things are.
func (w *world) coming(id int32, l *listener, s *session) (at time.Duration, tick bool) {
	r := w.relays[s.relay]
	if !s.up || s.life != r.life || !s.track && !s.tick {
		return never, false
	}
	at = never
	if s.track {
		at = w.groupAt(l, r, s)
	}
	if s.tick {
		beat := max(s.sent, s.tickFrom) + w.tickEvery + time.Duration(scatter(uint64(id), uint64(s.sent))*float64(tickLook))
		if beat < at {
			at, tick = beat, true
		}
	}
	if at == never || at >= r.mute || s.from >= r.mute {
		return never, false
	}
	late := time.Duration(scatter(uint64(id), s.next<<1) * float64(w.jitter))
	if tick {
		late = 0
	}
	return max(at+s.trip/2+late, s.arrived), tick
}

// tickLook is how often a relay looks whom it has sent nothing (relay/deliver).
const tickLook = 50 * time.Millisecond

// groupAt is when the relay sends the session's next group.
func (w *world) groupAt(l *listener, r *node, s *session) time.Duration {
	p := w.rooms[l.room].parts[r.id]
	if p == nil || !p.ever {
		return never
	}
	packet := l.packet()
	if s.newest {
		s.newest = false
		s.next = uint64(max(max(s.from, p.fedSince)-p.latency, packet)/packet) - 1
	}
	// What is older than the ring is not there any more.
	if oldest := s.from - ringOf - p.latency; oldest > time.Duration(s.next+1)*packet {
		s.next = uint64(oldest / packet)
	}
	for range 1024 {
		complete := time.Duration(s.next+1) * packet
		at := p.available(complete)
		if at != never {
			return max(at, s.from)
		}
		if !p.fed || complete+p.latency >= w.now {
			return never
		}
		s.next++ // it will not come any more
	}
	return never
}

// soonest is the session over which something comes first.
func (w *world) soonest(id int32, l *listener) (s *session, at time.Duration, tick bool) {
	at = never
	a := l.awake
	for i := range a.sessions {
		if t, is := w.coming(id, l, &a.sessions[i]); t < at {
			s, at, tick = &a.sessions[i], t, is
		}
	}
	return s, at, tick
}

// advance lets a listener hear what comes until a time, and its machine's clock go.
func (w *world) advance(id int32, until time.Duration) {
	l := &w.people[id]
	a := l.awake
	for {
		s, at, tick := w.soonest(id, l)
		due, ok := a.m.Deadline()
		if !ok {
			due = never
		}
		switch {
		case at <= until && at <= due:
			w.deliver(id, l, s, at, tick)
		case due <= until:
			w.step1(id, due, hop.Event{})
			if next, ok := a.m.Deadline(); ok && next <= due {
				w.violate("a listener's machine wants to be asked at %v, which is over", next)
				return
			}
		default:
			w.place(id, l)
			return
		}
	}
}

// deliver hands a group or a tick to the listener's machine.
func (w *world) deliver(id int32, l *listener, s *session, at time.Duration, tick bool) {
	s.arrived = at
	s.sent = at - s.trip/2
	if tick {
		w.step1(id, at, hop.Event{Kind: hop.Ticked, Session: s.id})
		return
	}
	g, frames := s.next, uint64(l.packet()/frame)
	s.next++
	w.count(id, l, s, g, at)
	w.step1(id, at, hop.Event{
		Kind: hop.Arrived, Session: s.id, Track: 1, Sequence: g * frames, Frames: int(frames),
		Timestamp: time.Duration(g) * l.packet(),
	})
}

// schedule asks for the listener's next turn.
func (w *world) schedule(id int32) {
	l := &w.people[id]
	a := l.awake
	at, ok := a.m.Deadline()
	if !ok {
		at = never
	}
	if !w.calm(a) {
		if _, next, _ := w.soonest(id, l); next < at {
			at = next
		}
	}
	if at == never || at == a.wakeAt {
		return
	}
	a.wakeAt = max(at, w.now)
	w.push(event{at: a.wakeAt, kind: wake, a: id})
}

// calm reports whether what comes until the machine's next deadline can as well be
// handed to it then: nothing is to be decided by it.
func (w *world) calm(a *awake) bool {
	if w.exact {
		return false
	}
	listened := 0
	for i := range a.sessions {
		s := &a.sessions[i]
		if !s.up {
			return false
		}
		if s.track {
			listened++
		}
	}
	return listened <= 1 && a.begun
}

// turnOf is a listener's turn.
func (w *world) turnOf(id int32) {
	w.advance(id, w.now)
	w.rest(id)
}

// rest lets a listener sleep to whom nothing happens any more, or sees to its next
// turn.
func (w *world) rest(id int32) {
	l := &w.people[id]
	if l.awake == nil {
		return
	}
	if w.settled(l) {
		w.sleep(l)
		return
	}
	w.schedule(id)
}

// roused is how long a listener stays awake after something has happened.
const roused = 1500 * time.Millisecond

// settled reports whether nothing is happening to a listener.
func (w *world) settled(l *listener) bool {
	a := l.awake
	if w.exact || !a.begun || a.pending > 0 || w.now < a.until || a.next < a.top || l.primary == nobody {
		return false
	}
	r := w.relays[l.primary]
	p := w.rooms[l.room].parts[r.id]
	if !r.alive() || r.drain != nil || p == nil || !p.fed || a.run > 0 {
		return false
	}
	want := 1
	if l.standby != nobody {
		want++
		if s := a.with(l.standby); s == nil || s.track || s.tick {
			return false
		}
	} else if !l.cold && w.now < a.until+patienceForStandby {
		return false
	}
	primary := a.with(l.primary)
	return len(a.sessions) == want && primary != nil && primary.track && primary.tick && primary.life == r.life
}

// patienceForStandby is how long a listener stays awake for want of a standby.
const patienceForStandby = 5 * time.Second

// sleep ends a listener's machine.
func (w *world) sleep(l *listener) {
	l.awake = nil
	w.awakes--
}

// hopped counts a hop.
func (w *world) hopped(e hop.Effect) {
	w.hops++
	w.hopTimes[e.Cause].note(e.Took)
	if w.last != nil {
		w.last.hops.note(e.Took)
	}
}

// first audio of a listener, and every group after it.
func (w *world) count(id int32, l *listener, s *session, g uint64, at time.Duration) {
	a := l.awake
	if !a.begun {
		a.begun, a.next, a.top = true, g, g
		a.base = w.rooms[l.room].parts[s.relay].latency + s.trip/2
		a.until = at + 100*time.Millisecond
		if l.first < 0 {
			l.first = int32(at / time.Millisecond)
			w.firstAudio.note(at - time.Duration(l.came)*time.Millisecond)
			w.res.Joins.Admitted++
			w.lastIn = at
		}
	}
	if g < a.next {
		return
	}
	for g >= a.next+uint64(64*len(a.seen)) {
		w.conclude(l, a)
	}
	at2 := g % uint64(64*len(a.seen))
	word, bit := &a.seen[at2/64], uint64(1)<<(at2%64)
	if *word&bit != 0 {
		return
	}
	*word |= bit
	a.top = max(a.top, g+1)
	if lost := w.lateFrames(l, a, g, at); lost > 0 {
		a.late = append(a.late, lateGroup{g, lost})
	}
	for a.next < a.top && a.has(a.next) {
		w.conclude(l, a)
	}
}

func (a *awake) has(g uint64) bool {
	at := g % uint64(64*len(a.seen))
	return a.seen[at/64]&(1<<(at%64)) != 0
}

// lateFrames is how many frames of a group should have been played by a time.
func (w *world) lateFrames(l *listener, a *awake, g uint64, at time.Duration) (lost uint32) {
	packet := l.packet()
	due := time.Duration(g)*packet + frame + a.base + w.delayOf(l)
	if at <= due {
		return 0
	}
	return min(uint32((at-due-1)/frame)+1, uint32(packet/frame))
}

// conclude counts what became of the next group.
func (w *world) conclude(l *listener, a *awake) {
	g := a.next
	lost := uint32(l.packet() / frame)
	whole := lost
	if a.has(g) {
		lost = 0
		for i, late := range a.late {
			if late.group == g {
				lost = late.lost
				a.late = append(a.late[:i], a.late[i+1:]...)
				break
			}
		}
	}
	at := g % uint64(64*len(a.seen))
	a.seen[at/64] &^= 1 << (at % 64)
	a.next++
	a.top = max(a.top, a.next)
	if lost == 0 {
		a.run = 0
		return
	}
	a.run += lost
	l.gap = max(l.gap, a.run)
	l.lost += lost
	w.lost1(l, g, lost)
	if lost < whole {
		a.run = 0
	}
}

// lost1 counts lost frames by what they were lost to.
func (w *world) lost1(l *listener, g uint64, lost uint32) {
	w.lostNow += int64(lost)
	if l.primary != nobody && w.relays[l.primary].alive() {
		if p := w.rooms[l.room].parts[l.primary]; p != nil {
			at := time.Duration(g+1)*l.packet() + p.latency
			for _, o := range p.outages {
				if at >= o.from && at < o.to {
					w.res.LostAt.Starved += int64(lost)
					return
				}
			}
		}
	}
	w.res.LostAt.Hops += int64(lost)
}

// giveUp counts as lost what should have been played by now and has not come.
func (w *world) giveUp(l *listener, now time.Duration) {
	a := l.awake
	if !a.begun {
		return
	}
	for {
		last := time.Duration(a.next+1)*l.packet() + a.base + w.delayOf(l)
		if last >= now {
			return
		}
		w.conclude(l, a)
	}
}

// clientTrip is the round trip of a client in one zone to a relay in another.
func (w *world) clientTrip(from, to int) time.Duration {
	own := w.c.Time(cost.RTTClient)
	return own + w.trips[from][to] - w.trips[from][from]
}
