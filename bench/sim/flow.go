package sim

import (
	"slices"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/relay/plan"
)

// Between two events the audio is a closed form: a relay has a room's audio since a
// time, so much later than it was spoken, or has had none since a time.

// dirty has the flow of a room worked out anew, once everything that happens now
// has happened.
func (w *world) dirty(rm *room) {
	if !rm.flowing {
		rm.flowing = true
		w.push(event{at: w.now, kind: flow, a: rm.id})
	}
}

// isLead reports whether a relay takes what is spoken first hand from others: it is
// a root, by the plan or for want of one.
func (w *world) isLead(p *part) bool {
	if pl := p.mover.Plan(); pl != nil {
		return pl.Root(plan.Red) == p.r.name || pl.Root(plan.Blue) == p.r.name
	}
	roots := w.directoryRoots(p)
	return roots[0] == p.r.name || roots[1] == p.r.name
}

// work out who has a room's audio, and how late.
func (w *world) workOut(rm *room) {
	rm.flowing = false
	add := w.c.Time(cost.Delay50)
	children := make(map[*part][]*part, len(rm.list))
	for _, p := range rm.list {
		p.reached, p.feeds = never, 0
	}
	for _, p := range rm.list {
		for _, v := range p.ways {
			if from := rm.parts[v.parent.id]; from != nil && w.carries(p, v) {
				children[from] = append(children[from], p)
				from.feeds++
			}
		}
	}
	var todo []*part
	reach := func(p *part, at time.Duration) {
		if at < p.reached && p.r.alive() && p.life == p.r.life {
			p.reached = at
			todo = append(todo, p)
		}
	}
	for i, s := range rm.voices {
		for _, at := range s.ingests(w) {
			p := rm.parts[at.id]
			if p == nil {
				continue
			}
			reach(p, w.c.Time(cost.RTTClient)/2+add)
			for _, root := range rm.list {
				if root != p && w.isLead(root) && w.linked(root.r, at) {
					if i == 0 { // one speaks at a time
						p.feeds++
					}
					reach(root, w.c.Time(cost.RTTClient)/2+w.trip(root.r, at)/2+2*add)
				}
			}
		}
	}
	for i := 0; i < len(todo); i++ {
		p := todo[i]
		for _, child := range children[p] {
			reach(child, p.reached+w.trip(p.r, child.r)/2+add)
		}
	}
	for _, p := range slices.Clone(rm.list) {
		w.fed(p, p.reached)
	}
}

// maxOutages is how many outages of a relay are remembered: none of them matters
// any more when the fifth begins.
const maxOutages = 4

// fed notes whether a part has audio, and how late; never: it has none.
func (w *world) fed(p *part, latency time.Duration) {
	switch is := latency != never; {
	case is && !p.ever:
		p.fed, p.ever, p.fedSince, p.latency = true, true, w.now, latency
		w.rouse(p, false)
	case is && !p.fed:
		p.fed, p.latency = true, latency
		// What it missed comes out of its parents' rings, a round trip later.
		p.outages[len(p.outages)-1].to = w.now + w.c.RTT("", "-")
		w.rouse(p, false)
	case is:
		p.latency = latency
	case p.fed:
		p.fed = false
		if len(p.outages) == maxOutages {
			p.outages = append(p.outages[:0], p.outages[1:]...)
		}
		p.outages = append(p.outages, outage{w.now, never})
		if p.r.alive() {
			w.rouse(p, true)
		}
		w.turnAt(p, w.now)
	}
}

// ringOf is how much of the past a relay has.
const ringOf = 5 * time.Second

// available is when a relay has what was complete at a time, for those who ask from
// then on; never if it has not and nothing has changed.
func (p *part) available(complete time.Duration) time.Duration {
	if !p.ever {
		return never
	}
	at := complete + p.latency
	if complete < p.fedSince-ringOf {
		return never
	}
	if at < p.fedSince {
		return p.fedSince
	}
	for _, o := range p.outages {
		if at < o.from || at >= o.to {
			continue
		}
		if o.to == never || complete < o.to-ringOf {
			return never
		}
		return o.to
	}
	return at
}
