package uplink

import (
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay/plan"
)

// What an attendance decides by, for those who have no sessions: simulations.

// A Situation is what the decision about a room's next plan hangs on, for one
// relay that takes part.
type Situation struct {
	Self, Room string
	Degree     int
	Plan       *plan.Plan         // the newest; nil if there is none
	Roots      []string           // by the directory, red first
	Known      []membership.Relay // by name
	Asking     map[string]bool    // who follows the plan here, and whether it takes part
	Hearing    bool               // the plan's red root is followed, and its session lives
}

// A Keeper decides when a relay writes a room's plan. The zero value is one that
// has just begun to take part.
type Keeper struct{ k keeper }

// Next returns the plan that is to be written now, or nil and when to ask again:
// zero if not before something changes.
func (k *Keeper) Next(now time.Time, s Situation) (*plan.Plan, time.Time, error) {
	return k.k.next(now, situation{
		self: s.Self, room: s.Room, degree: s.Degree, plan: s.Plan,
		roots: s.Roots, known: s.Known, asking: s.Asking, hearing: s.Hearing,
	})
}

// A Verdict is how a way from a parent does, as it goes. The zero value is of a way
// that nobody has opened; see [OpenVerdict].
type Verdict struct{ w way }

// OpenVerdict is of a way that is opened at a time.
func OpenVerdict(now time.Time) Verdict { return Verdict{way{opened: now}} }

// Told notes whether the parent says what it has, and how many broadcasts of the
// room that are.
func (v *Verdict) Told(now time.Time, up bool, live int) {
	if up != v.w.up {
		v.w.since = now
	}
	v.w.up, v.w.ever, v.w.live = up, v.w.ever || up, live
}

// Live is how many broadcasts the parent has, 0 while it says nothing.
func (v *Verdict) Live() int { return v.w.live }

// Assess says how the way does, given how many broadcasts the best of the others
// has.
func (v *Verdict) Assess(now time.Time, most int) plan.Health {
	v.w.assess(now, most)
	return v.w.health
}

// Health is what Assess said last.
func (v *Verdict) Health() plan.Health { return v.w.health }

// Steady reports whether only news can change how the way does, and no time.
func (v *Verdict) Steady() bool { return v.w.steady() }

// LookEvery is how often an attendance looks again while something is not steady,
// and StrandedAfter for how long nothing may work until the roots of the directory
// are tried as well.
const (
	LookEvery     = lookEvery
	StrandedAfter = strandedAfter
)
