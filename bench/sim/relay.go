package sim

import (
	"math"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/admission"
)

// A node is a relay: a machine with so many processors, of which only what is
// done on it and whether it runs are made up.
type node struct {
	id        int32
	name      string
	zone      int32
	told      membership.Relay // as it describes itself
	candidate hop.Candidate

	// What it is in truth.
	up     bool // the process runs
	frozen bool // it runs, and nothing moves
	life   int32
	since  time.Duration // of its process
	mute   time.Duration // when it last ceased to send anything; never while it does
	drain  *drain        // nil: it does not

	// Who is there. Listeners are counted by the length of their packets.
	sessions  int
	primaries []int32
	standbys  []int32
	listening [2]int
	serves    map[int32]int // who listens, by room
	parts     []*part

	// Its load, as the relay measures it.
	loads     admission.Loads
	gauge     membership.Meter
	step      uint8
	own       membership.Meter
	announced time.Duration
	due       bool // an announcement is under way
	urgent    bool
	cold      bool
	shedAt    time.Duration
	rho       float64 // what is asked of its processors, in processors that it has

	// Its doors.
	pace             admission.Pace
	line             admission.Line[guest, guest]
	turning          bool // it is known when it is the next one's turn
	public, reserved admission.Bucket
	taken, refused   int
	share, rate      float64
	begun            float64 // handshakes a second, as share and rate by the last look
	sent             relay.Sent
	lists            listCache
}

// alive reports whether anything sent to it is answered.
func (r *node) alive() bool { return r.up && !r.frozen }

// ready reports whether it takes newcomers.
func (r *node) ready() bool { return r.up && r.told.State == membership.Ready }

// start begins a process on the machine, which is ready after a while.
func (w *world) start(r *node) {
	cores := w.s.Network.Cores
	w.cease(r)
	*r = node{
		id: r.id, name: r.name, zone: r.zone, told: r.told, candidate: r.candidate, life: r.life + 1,
		up: true, since: w.now, mute: never, serves: make(map[int32]int),
		announced: -time.Hour, shedAt: -time.Hour,
		pace: admission.Pace{Processors: cores, Rate: float64(w.s.Network.JoinRate)},
		// Those who had sessions with the process before do not know yet.
		primaries: r.primaries, standbys: r.standbys, listening: r.listening,
	}
	for _, id := range r.primaries {
		r.serves[w.people[id].room]++
	}
	r.reserved = admission.Bucket{Rate: 20, Burst: 20} // relay/doors.go, reservedRate
	r.told.State, r.told.Load = membership.Starting, 0
	if w.s.Network.JoinRate == 0 {
		r.pace.Step(admission.Use{})
	}
	w.setRate(r)
	w.openDoors(r)
	life := r.life
	w.introduce(r)
	w.after(w.s.Network.Start.get(), func() {
		if r.life == life && r.up {
			w.setState(r, membership.Ready)
			w.readyAt = w.now
		}
	})
	w.push(event{at: w.now + time.Duration(w.clocks.Int64N(int64(w.every))), kind: measure, a: r.id, b: r.life})
}

func (w *world) setRate(r *node) {
	r.public.Rate, r.public.Burst = r.pace.Rate, admission.Burst(r.pace.Rate)
	r.line.Turns.Rate, r.line.Turns.Burst = r.pace.Rate, admission.Turns(r.pace.Rate)
}

// enter is the relay's doors for those who do not stand in line: whether a handshake
// begins.
func (r *node) enter(now time.Duration) bool {
	if r.public.Take(now - r.since) {
		r.taken++
		return true
	}
	r.refused++
	return false
}

// doorsWait is how long newcomers to it have to wait.
func (r *node) doorsWait(chance float64) time.Duration {
	if r.share == 0 {
		return 0
	}
	return admission.Wait(r.rate, r.public.Rate, chance)
}

func (w *world) limit() admission.Limit {
	return admission.Limit{Sessions: w.s.Network.Capacity, Packets: float64(w.s.Network.Egress)}
}

// demand is what is asked of a relay's processors by those who are there, in
// processors, and how many packets it sends a second. Other relays take packets of
// 20 ms from it.
func (w *world) demand(r *node) (processors, packets float64) {
	for i, packet := range lengths {
		n := float64(r.listening[i])
		processors += n * w.perListener[i]
		packets += n * cost.Rate(packet)
	}
	for _, p := range r.parts {
		processors += float64(p.feeds) * w.perFeed
		packets += float64(p.feeds) * cost.Rate(frame)
	}
	processors += float64(len(r.standbys)) * w.perStandby
	return processors, packets
}

// look is what a relay does twice a second: it measures its load, sets its doors,
// tells the network, and asks listeners to leave if it has too many.
func (w *world) look(r *node) {
	span := w.every
	processors, packets := w.demand(r)
	processors += float64(r.taken) * w.perJoin / span.Seconds()
	r.rho = processors / float64(w.s.Network.Cores)
	w.overload(r, span)
	use := admission.Use{Sessions: r.sessions, CPU: math.Min(r.rho, 1), Late: lateness(r.rho), Packets: packets}
	r.share, r.rate = 0, float64(r.refused)/span.Seconds()
	if r.refused > 0 {
		r.share = float64(r.refused) / float64(r.refused+r.taken)
	}
	r.begun = float64(r.taken) / span.Seconds()
	r.taken, r.refused = 0, 0
	use.Refused = r.share
	use.Begun, use.Stood = r.begun, float64(r.line.Waited())/max(1, r.begun*span.Seconds())
	if w.s.Network.JoinRate == 0 {
		r.pace.Step(use)
		w.setRate(r)
	}
	now := admission.Measure(use, w.limit())
	r.loads = r.loads.Follow(now, span)
	total, _ := r.loads.Total()
	r.step, _ = r.gauge.Report(total)
	ladder := admission.At(float64(r.step), r.loads.Work())
	if cold := relay.Cold(ladder, w.firstStandIn(r)); cold != r.cold {
		r.cold = cold
		w.chill(r)
	}
	w.report(r, total)
	w.shed(r, total)
}

// lateness is how late things happen on a machine of which so much is asked: a
// little while there is something to spare, and as late as a relay counts for full
// when there is nothing.
func lateness(rho float64) time.Duration {
	const good, full = 5 * time.Millisecond, 60 * time.Millisecond
	switch {
	case rho <= 0.7:
		return time.Duration(rho / 0.7 * float64(good))
	case rho >= 1.5:
		return 2 * full
	}
	return good + time.Duration((rho-0.7)/0.3*float64(full-good))
}

// overload loses what a relay cannot send because more is asked of it than it has.
func (w *world) overload(r *node, span time.Duration) {
	if r.rho <= 1 {
		return
	}
	n := r.listening[0] + r.listening[1]
	lost := int64(float64(n) * span.Seconds() * 50 * (1 - 1/r.rho))
	w.res.LostAt.Overload += lost
	w.overloaded += lost
}

// report tells the directory of a load; others hear of it in steps, and when it is
// time.
func (w *world) report(r *node, total float64) {
	step, changed := r.own.Report(total)
	turned := membership.Turned(r.told.Load, step)
	r.told.Load = step
	if changed {
		w.changed(r, turned)
	}
}

// setState tells the network what a relay does.
func (w *world) setState(r *node, s membership.State) {
	r.told.State = s
	r.lists.forget()
	w.changed(r, true)
}

// changed sees to it that a change is announced when the directory's pace allows.
func (w *world) changed(r *node, urgent bool) {
	if r.due && (r.urgent || !urgent) {
		return
	}
	at := since(membership.NextUpdate(clock(r.announced), len(w.views[r.zone].known), urgent))
	r.due, r.urgent = true, urgent
	w.push(event{at: max(at, w.now), kind: announce, a: r.id, b: r.life})
}

// announce tells the network what a relay says of itself now.
func (w *world) announce(r *node) {
	if !r.due || !r.alive() {
		return
	}
	r.due, r.urgent, r.announced = false, false, w.now
	told := r.told
	for zone := range w.views {
		if !w.hears(int32(zone), r.zone) {
			continue
		}
		delay := w.gossip(int32(zone), r.zone)
		v := w.views[zone]
		w.after(delay, func() { v.hear(r.id, told) })
	}
}
