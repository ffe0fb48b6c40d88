package sim

import (
	"cmp"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay/admission"
)

// What a listener may be told, as an event's c.
const (
	reached   int32 = iota // a handshake is at the relay
	up                     // the session stands
	failed                 // it will not
	timedOut               // nobody answers
	announced              // what there is to hear
	listed                 // the relay's list of relays
	ended                  // the session is over
	drained                // the relay asks to leave
	loaded                 // it asks, for load
	missing                // a relay is said to be gone
	answered               // the lobby's answer
	asks                   // it is time to ask the lobby again
	chilled                // the relay asks to stand by without a session, or no longer
)

const (
	// dialFor is how long a client waits for a relay (client/options.go, Timeout),
	// and idleEnd when it gives up a session over which nothing comes.
	dialFor = 5 * time.Second
	idleEnd = 6 * time.Second
	// setupTrips is how many round trips a session takes: a handshake and the
	// relay's SETUP; announceTrips is until the client can subscribe to what there is
	// to hear: the announcements and the track's TRACK_INFO. Whoever hears nothing yet
	// has no catalog either, which is a TRACK_INFO and a subscription before that.
	setupTrips    = 2
	announceTrips = 2
	catalogTrips  = 2
)

// tell has something happen to a listener.
func (w *world) tell(id int32, s hop.Session, what int32, at time.Duration) {
	w.people[id].awake.pending++
	w.push(event{at: max(at, w.now), kind: tell, a: id, b: int32(s), c: what})
}

// told is that it happens.
func (w *world) told(id int32, sid hop.Session, what int32) {
	l := &w.people[id]
	a := l.awake
	if a == nil || l.left {
		return
	}
	a.pending--
	w.advance(id, w.now)
	s := a.session(sid)
	if s == nil && what != answered && what != asks {
		w.rest(id)
		return
	}
	a.until = max(a.until, w.now+roused/2)
	switch what {
	case reached:
		w.reached(id, l, s)
	case up:
		w.isUp(id, l, s)
	case failed, timedOut:
		w.drop(l, s)
		w.step1(id, w.now, hop.Event{Kind: hop.DialFailed, Session: sid})
	case announced:
		if w.heard(s) {
			w.step1(id, w.now, hop.Event{Kind: hop.Announced, Session: sid, Track: 1})
		}
	case listed:
		if w.heard(s) {
			w.list(id, l, s)
		}
	case ended:
		w.drop(l, s)
		w.step1(id, w.now, hop.Event{Kind: hop.Closed, Session: sid})
	case drained, loaded:
		w.goaway(id, l, s, what)
	case missing:
		w.step1(id, w.now, hop.Event{Kind: hop.Gone, Session: sid})
	case answered:
		w.isAnswered(id, l)
	case asks:
		w.askLobby(id, l, w.now)
	}
	w.place(id, l)
	w.rest(id)
}

// heard reports whether what the relay said a moment ago has been sent.
func (w *world) heard(s *session) bool {
	r := w.relays[s.relay]
	return s.life == r.life && w.now-s.trip/2 < r.mute && r.up
}

// reached is a handshake at a relay: it is not answered, refused, or begun.
func (w *world) reached(id int32, l *listener, s *session) {
	r := w.relays[s.relay]
	back := w.now + s.trip/2
	switch {
	case !r.up && r.mute == never, !r.alive():
		w.res.Joins.Unanswered++
		w.tell(id, s.id, timedOut, w.now-s.trip/2+dialFor)
		return
	case r.told.State != membership.Ready:
		w.res.Joins.Full++
		w.tell(id, s.id, failed, back)
		return
	}
	w.arriveAt(r, id, s)
}

// handshake is the time that a join takes on the relay's processors: what it costs,
// and what waits before it. Where all share a machine, those of all relays wait for
// each other, and for what they are to their clients.
func (w *world) handshake(r *node) time.Duration {
	if n := w.s.Network.Shared; n > 0 {
		work := w.perJoin + w.c.Time(cost.JoinClientCPU).Seconds()
		w.busyUntil = max(w.busyUntil, w.now) + time.Duration(work/n*float64(time.Second))
		return w.busyUntil - w.now
	}
	own := time.Duration(w.perJoin * float64(time.Second))
	if r.rho < 0.95 {
		return time.Duration(float64(own) / (1 - r.rho))
	}
	return 20 * own
}

// isUp is a session that stands, as the client sees it.
func (w *world) isUp(id int32, l *listener, s *session) {
	r := w.relays[s.relay]
	if s.life != r.life || w.now-s.trip/2 >= r.mute {
		w.tell(id, s.id, timedOut, w.now+dialFor)
		return
	}
	s.up, l.met = true, true
	if l.first < 0 && l.primary == nobody {
		ladder := admission.At(float64(r.step), r.loads.Work())
		l.long = cmp.Or(w.s.Rooms.Packet.get(), ladder.Packet) > lengths[0]
	}
	sid := s.id
	w.step1(id, w.now, hop.Event{Kind: hop.Dialled, Session: sid, Ticks: true})
	if s := l.awake.session(sid); s != nil {
		trips := time.Duration(announceTrips)
		if !l.awake.begun {
			trips += catalogTrips
		}
		w.tell(id, sid, announced, w.now+trips*s.trip)
	}
}

// drop forgets a session that has ended by itself, at the relay.
func (w *world) drop(l *listener, s *session) { w.end(l, s) }

// list gives a client what its relay says of the relays there are.
func (w *world) list(id int32, l *listener, s *session) {
	r := w.relays[s.relay]
	rm := w.rooms[l.room]
	list := w.listOf(r, rm, l)
	l.awake.informed = true
	w.step1(id, w.now, hop.Event{Kind: hop.Candidates, Candidates: list})
	if r.cold != l.cold {
		l.cold = r.cold
		w.step1(id, w.now, hop.Event{Kind: hop.SetCold, Cold: r.cold})
	}
}

// listOf is a relay's list for a listener: itself, while it takes newcomers, and
// those that stand in for it.
func (w *world) listOf(r *node, rm *room, l *listener) []hop.Candidate {
	others := w.standIns(r, rm, l.who)
	list := make([]hop.Candidate, 0, len(others)+1)
	if r.ready() {
		list = append(list, bare(r.candidate))
	}
	for _, c := range others {
		list = append(list, bare(c))
	}
	return list
}

// bare is a candidate without its address: the machine knows relays by their
// names, and compares addresses only where it has some.
func bare(c hop.Candidate) hop.Candidate {
	c.URL = ""
	return c
}

// goaway asks a listener to go elsewhere.
func (w *world) goaway(id int32, l *listener, s *session, what int32) {
	r := w.relays[s.relay]
	sid := s.id
	e := hop.Event{Kind: hop.Goaway, Session: sid, Cause: hop.CauseDrain, URIs: []string{w.successor(r, l)}}
	if what == loaded {
		e.Cause = hop.CauseLoad
	}
	// Only the address of a candidate is followed, so here they have theirs.
	if l.primary == s.relay {
		var list []hop.Candidate
		if r.ready() {
			list = append(list, r.candidate)
		}
		list = append(list, w.standIns(r, w.rooms[l.room], l.who)...)
		w.step1(id, w.now, hop.Event{Kind: hop.Candidates, Candidates: list})
	}
	w.step1(id, w.now, e)
}

// askLobby is a question to a lobby, unless one is under way or a relay tells who
// there is anyhow.
func (w *world) askLobby(id int32, l *listener, at time.Duration) {
	a := l.awake
	if a.asking || a.informed && w.listening1(a) {
		return
	}
	a.asking = true
	w.people[id].awake.pending++
	w.push(event{at: max(at, w.now) + w.askTime()*2/3, kind: lobby, a: id})
}

// listening1 reports whether a relay that is alive sends its list.
func (w *world) listening1(a *awake) bool {
	for i := range a.sessions {
		if s := &a.sessions[i]; s.up && s.tick && w.now-s.arrived < time.Second {
			return true
		}
	}
	return false
}

// atLobby is a question that has arrived.
func (w *world) atLobby(id int32) {
	l := &w.people[id]
	a := l.awake
	if a == nil || l.left {
		return
	}
	a.pending--
	at := w.lobbyAt(int32(l.zone))
	if at == nil {
		a.answer = answer{wait: 2 * time.Second, first: nobody}
		w.tell(id, 0, answered, w.now+2*time.Second)
		return
	}
	var exclude []string
	for i := range a.sessions {
		if a.sessions[i].up {
			exclude = append(exclude, w.relays[a.sessions[i].relay].name)
		}
	}
	a.answer = w.ask(at, w.rooms[l.room], int32(l.zone), exclude, w.chances.Uint64())
	w.tell(id, 0, answered, w.now+w.c.Time(cost.RTTClient)/2)
}

// isAnswered is the lobby's answer at the client.
func (w *world) isAnswered(id int32, l *listener) {
	a := l.awake
	a.asking = false
	l.waits = len(a.answer.to) == 0
	if len(a.answer.to) > 0 {
		list := make([]hop.Candidate, 0, len(a.answer.to))
		for _, c := range a.answer.to {
			list = append(list, bare(c))
		}
		w.step1(id, w.now, hop.Event{Kind: hop.Candidates, Candidates: list})
		return
	}
	w.res.Joins.Waits++
	l.told = int32(w.now / time.Millisecond)
	if len(a.sessions) == 0 {
		// Each waits a little longer by its own measure (web/src/client/roamer.ts).
		w.tell(id, 0, asks, w.now+time.Duration(float64(a.answer.wait)*(1+float64(l.jitter)/4)))
	}
}

// come is somebody who comes.
func (w *world) come(rm *room, zone int32) {
	id := int32(len(w.people))
	w.people = append(w.people, listener{
		room: rm.id, primary: nobody, standby: nobody, came: int32(w.now / time.Millisecond), first: -1, told: -1 << 30,
		jitter: w.luck.Float32(), who: uint8(w.luck.IntN(whos)), zone: uint8(zone),
	})
	l := &w.people[id]
	l.awake = w.rise(l)
	w.res.Joins.Arrived++
	w.step1(id, w.now, hop.Event{})
	w.rest(id)
	w.push(event{at: w.now + connectFor, kind: patience, a: id})
	if stay := w.s.Stay.get(); stay > 0 {
		w.push(event{at: w.now + time.Duration(w.luck.ExpFloat64()*float64(stay)), kind: leave, a: id})
	}
}

// connectFor is how long a page tries to get its first session before it shows an
// error, unless it is told to wait or was within crowdedFor; and answeredFor, while a
// lobby says where to go (web/src/client/roamer.ts, CONNECT_TIMEOUT, CROWDED_FOR and
// ANSWERED_TIMEOUT).
const (
	connectFor  = 10 * time.Second
	answeredFor = 30 * time.Second
	crowdedFor  = time.Minute
)

// impatient is a page that has no session yet after a while: one that waits for its
// turn goes on, and one that was refused when it came; another shows an error.
func (w *world) impatient(id int32) {
	l := &w.people[id]
	since := func(ms int32) time.Duration { return w.now - time.Duration(ms)*time.Millisecond }
	switch {
	case l.met || l.left:
	case l.waits, since(l.told) < crowdedFor, len(l.awake.answer.to) > 0 && since(l.came) < answeredFor:
		w.push(event{at: w.now + connectFor, kind: patience, a: id})
	default:
		w.res.Joins.Failed++
		w.goHome(id)
	}
}

// rise makes a listener's machine.
func (w *world) rise(l *listener) *awake {
	w.awakes++
	w.mostAwake = max(w.mostAwake, w.awakes)
	return &awake{m: *hop.New(hop.Options{Jitter: float64(l.jitter), Cold: l.cold}), wakeAt: never}
}

// goHome is a listener that leaves.
func (w *world) goHome(id int32) {
	l := &w.people[id]
	if l.left {
		return
	}
	if l.awake == nil {
		w.wakeUp(id)
	}
	w.advance(id, w.now)
	a := l.awake
	w.giveUp(l, w.now)
	for len(a.sessions) > 0 {
		w.end(l, &a.sessions[0])
	}
	w.move(id, l, nobody)
	w.moveStandby(id, l, nobody)
	l.left = true
	w.expected(l)
	w.res.Joins.Gone++ // those who were shown an error included
	w.sleep(l)
}

// expected counts what a listener was to hear until now.
func (w *world) expected(l *listener) {
	if l.first >= 0 {
		w.res.Expected += int64((w.now - time.Duration(l.first)*time.Millisecond) / frame)
	}
}
