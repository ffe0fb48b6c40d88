package event

import (
	"fmt"
	"math"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/client/playout"
	"github.com/stentor-audio/stentor/relay/admission"
	"github.com/stentor-audio/stentor/relay/plan"
)

// A Loss is what happens when the largest zone dies with all in it.
type Loss struct {
	Zone      string `json:"zone"`
	Relays    int    `json:"relays"`    // that die
	Listeners int    `json:"listeners"` // that were there

	To []Share `json:"to"` // where they go

	Before  float64 `json:"load_before"` // percent, of the relays that are left
	After   float64 `json:"load_after"`
	Of      string  `json:"load_of"`      // what is busiest then
	Carried bool    `json:"carried"`      // nobody is asked to leave, nothing is above 100 %
	Short   int     `json:"relays_short"` // that the other zones would have to have more

	// Warm says that listeners were connected with a standby. Gap is what 99 in 100
	// of them hear of it, and Again when the last of them hears something again.
	Warm  bool `json:"warm_standby"`
	Gap   Time `json:"gap_ms"`
	Again Time `json:"all_hear_again_ms"`

	// Standbys are dialled anew, by those who went and by those whose standby was
	// there, and Restored is when all have one; unless the load forbids.
	Standbys int  `json:"standbys_dialled"`
	Restored Time `json:"standbys_restored_ms"`

	// The relays that are left, by how many of the two trees still reach them until
	// there is a new plan, and the depth of that.
	BothFeeds int `json:"relays_with_both_feeds"`
	OneFeed   int `json:"relays_with_one_feed"`
	NoFeed    int `json:"relays_with_no_feed"`
	Depth     int `json:"depth_after"`

	Shown []string `json:"arithmetic"`
}

// A Share is what a zone takes over.
type Share struct {
	Zone      string `json:"zone"`
	Relays    int    `json:"relays"`
	Listeners int    `json:"listeners"`
}

// loseZone looks at what becomes of a fleet without its first zone, which is the
// largest.
func (o Options) loseZone(relays int, limits []Limit, p *plan.Plan) (*Loss, error) {
	dead := inZone(relays, o.Zones, 0)
	left := relays - dead
	l := &Loss{Zone: zoneName(0), Relays: dead, Listeners: share(o.Listeners, dead, relays)}
	l.Before, _ = busiest(limits, float64(o.Listeners)/float64(relays))
	l.After, l.Of = busiest(limits, float64(o.Listeners)/float64(left))
	l.Carried = l.After <= admission.Shed
	if most := bearable(limits, admission.Shed); most > 0 {
		l.Short = max(0, relaysFor(o.Listeners, most)-left)
	}
	l.show("%s with %s die; %s are left", some(dead, "relay"), some(l.Listeners, "listener"), thousands(left))
	l.show("load of those: %s / %s: %.0f %% of %s, was %.0f %%", some(o.Listeners, "listener"), some(left, "relay"), l.After, l.Of, l.Before)
	rest := l.Listeners
	for i := 1; i < o.Zones; i++ {
		n := inZone(relays, o.Zones, i)
		to := share(l.Listeners, n, left)
		if i == o.Zones-1 {
			to = rest
		}
		rest -= to
		l.To = append(l.To, Share{zoneName(i), n, to})
	}
	o.hear(l, left)
	o.standbys(l, left)
	return l, l.trees(p)
}

// share is part of the listeners, as its relays are of all.
func share(listeners, part, all int) int {
	return int(math.Round(float64(listeners) * float64(part) / float64(all)))
}

func (l *Loss) show(format string, args ...any) {
	l.Shown = append(l.Shown, fmt.Sprintf(format, args...))
}

// hear is what those listeners notice: the arithmetic of docs/hops.md.
func (o Options) hear(l *Loss, left int) {
	c := o.Constants
	late := c.Time(cost.Jitter)
	due := playout.DefaultDelay(o.Packet) + cost.Packets[0]
	l.Warm = l.Before < admission.ColdStandby
	if l.Warm {
		overdue := c.Overdue(o.Packet, late)
		back := overdue + c.Time(cost.Hop99)
		l.Gap, l.Again = frames(back-due), Time(back)
		l.show("the next packet is overdue %v after the last one; 99 of 100 standbys have brought it %v later: %v. It is due at %v: %s", overdue, c.Time(cost.Hop99), back, due, l.gap())
		return
	}
	// Without a standby the line is given up a tick after it has fallen silent,
	// and a handshake and the subscription are three round trips.
	given := c.Silent(late) + c.Time(cost.Tick)
	dial := 3*c.Time(cost.RTTClient) + c.Time(cost.FirstAudio99)
	in := o.letIn(left, float64(o.Listeners-l.Listeners), float64(l.Listeners), 0, o.cpu().Each)
	l.Gap, l.Again = frames(given+dial-due), Never
	l.show("at %.0f %% there are no standbys (from %d %% on): the line is given up %v after the last packet, another relay answers after %v, and the packet was due at %v: a gap of %v at least",
		l.Before, admission.ColdStandby, given, dial, due, l.Gap)
	if in.AllIn != Never {
		l.Again = in.AllIn + Time(given)
		l.Gap = max(l.Gap, frames(time.Duration(l.Again)+dial-due))
		l.show("all dial at once, and the doors of %s let %s a second in: the last hears something after %v", some(left, "relay"), thousands(int(in.Fastest)), l.Again)
	}
}

func (l *Loss) gap() string {
	if l.Gap == 0 {
		return "no gap"
	}
	return fmt.Sprintf("a gap of %v", l.Gap)
}

// frames rounds a gap up to whole frames; what is in time is none.
func frames(gap time.Duration) Time {
	frame := cost.Packets[0]
	return Time(max(0, (gap+frame-1)/frame*frame))
}

// standbys are dialled anew, where there are any.
func (o Options) standbys(l *Loss, left int) {
	if !l.Warm {
		return
	}
	if l.After >= admission.ColdStandby {
		l.show("at %.0f %% clients are asked to do without a standby (from %d %% on): whatever dies next is heard", l.After, admission.ColdStandby)
		return
	}
	// A zone's standbys are as many as its listeners.
	l.Standbys = min(2*l.Listeners, o.Listeners)
	c := o.Constants
	over := c.Time(cost.StandbyMost) - c.Time(cost.StandbyLeast)
	in := o.letIn(left, float64(o.Listeners), float64(l.Standbys), over, micros(c.CPUPerStandby(o.Transport)))
	l.Restored = Never
	if in.AllIn != Never {
		l.Restored = in.AllIn + Time(c.Time(cost.StandbyLeast))
	}
	l.show("%s new standbys are dialled, by those who went and by those whose standby was there; the doors let %s a second in: all have one after %v", thousands(l.Standbys), thousands(int(in.Fastest)), l.Restored)
}

// trees asks the plan.
func (l *Loss) trees(p *plan.Plan) error {
	c := without(p, l.Zone)
	l.BothFeeds, l.OneFeed, l.NoFeed = c.both, c.one, c.none
	for _, r := range p.Relays() {
		if r.Zone != l.Zone {
			continue
		}
		var err error
		if p, _, err = p.Leave(r.Name); err != nil {
			return fmt.Errorf("plan without a zone: %w", err)
		}
	}
	l.Depth = p.Depth()
	l.show("of the relays that are left, %s still have both feeds, %s one, %s none, until there is a new plan, %s deep", thousands(c.both), thousands(c.one), thousands(c.none), some(l.Depth, "hop"))
	return nil
}
