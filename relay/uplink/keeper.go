package uplink

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/relay/plan"
)

const (
	// foundAfter is how long the root of a room that has no plan asks around for
	// one before it makes the first.
	foundAfter = time.Second
	// gather is how long changes are gathered for one plan.
	gather = 200 * time.Millisecond
	// absentFor is how long a relay may not be heard of before it is out of the
	// plan: sessions break, and are made anew.
	absentFor = 3 * time.Second
	// deafFor is how long the blue root may not hear the red one before it takes
	// over. A link is idle for 4 s before it counts as dead.
	deafFor = 4 * time.Second
	// orphanedFor is how long both roots may be gone from the directory before the
	// first relay of the room's order takes over.
	orphanedFor = time.Second
)

// A situation is what the decision about a room's next plan hangs on.
type situation struct {
	self, room string
	degree     int
	plan       *plan.Plan         // the newest; nil if there is none
	roots      []string           // by the directory, red first
	known      []membership.Relay // by name
	asking     map[string]bool    // who follows the plan here, and whether it takes part
	hearing    bool               // the plan's red root is followed, and its session lives
}

// A keeper decides when a relay writes a plan. It is a value without clock or
// lock; its owner tells the time and asks again when something has changed, or at
// the time that it was told.
type keeper struct {
	without, deaf, gone, orphaned, changed since
	absent                                 map[string]*since
}

// A since is how long something has been so.
type since struct{ at time.Time }

// due reports whether it has been so for a time, and if not, when it will.
func (s *since) due(now time.Time, is bool, after time.Duration) (due bool, at time.Time) {
	if !is {
		s.at = time.Time{}
		return false, time.Time{}
	}
	if s.at.IsZero() {
		s.at = now
	}
	if at = s.at.Add(after); now.Before(at) {
		return false, at
	}
	return true, time.Time{}
}

// next returns the plan that is to be written now, or nil and when to ask again.
func (k *keeper) next(now time.Time, s situation) (p *plan.Plan, at time.Time, err error) {
	if s.plan == nil {
		return k.found(now, s)
	}
	k.without = since{}
	switch red, blue := s.plan.Roots(); s.self {
	case red:
		return k.keep(now, s)
	case blue:
		return k.standIn(now, s)
	}
	return k.rescue(now, s)
}

// found makes the first plan. Only the red root that the directory names does.
func (k *keeper) found(now time.Time, s situation) (*plan.Plan, time.Time, error) {
	first := len(s.roots) > 0 && s.roots[0] == s.self
	due, at := k.without.due(now, first, foundAfter)
	if !due {
		return nil, at, nil
	}
	p, err := s.first(now, 0)
	return p, time.Time{}, err
}

// first is a plan of the roots that the directory names.
func (s situation) first(now time.Time, epoch uint64) (*plan.Plan, error) {
	var roots [2]plan.Relay
	for c, name := range s.roots[:min(len(s.roots), 2)] {
		r, _ := membership.Find(s.known, name)
		roots[c] = plan.Relay{Name: name, Zone: r.Zone}
	}
	return plan.New(s.room, roots[0], roots[1], plan.Options{Degree: s.degree, Epoch: max(uint64(now.Unix()), epoch)})
}

// keep lets relays in and out, as the red root.
func (k *keeper) keep(now time.Time, s situation) (*plan.Plan, time.Time, error) {
	k.deaf, k.gone, k.orphaned = since{}, since{}, since{}
	if s.plan.Version().Keeper != s.self {
		p, _, err := s.plan.TakeOver(s.self)
		return p, time.Time{}, err
	}
	out, at := k.leavers(now, s)
	in := s.joiners(out)
	due, later := k.changed.due(now, len(out)+len(in) > 0, gather)
	if !due {
		return nil, sooner(at, later), nil
	}
	k.changed = since{}
	p := s.plan
	var failed error
	change := func(q *plan.Plan, _ []string, err error) {
		if err == nil {
			p = q
		} else if !errors.Is(err, plan.ErrLast) {
			failed = err
		}
	}
	for _, r := range in { // first, so that who leaves has somebody to take its place
		change(p.Join(r))
	}
	for _, name := range out {
		change(p.Leave(name))
		delete(k.absent, name)
	}
	if p == s.plan {
		return nil, at, failed
	}
	return p, time.Time{}, failed
}

// leavers are the relays of the plan that are not to be in it, this one last.
func (k *keeper) leavers(now time.Time, s situation) (out []string, at time.Time) {
	if k.absent == nil {
		k.absent = make(map[string]*since)
	}
	blue := s.plan.Root(plan.Blue)
	for _, r := range s.plan.Relays() {
		if r.Name == s.self {
			continue
		}
		asks, wants := false, false
		wants, asks = s.asking[r.Name]
		here := wants || asks && r.Name == blue
		if k.absent[r.Name] == nil {
			k.absent[r.Name] = &since{}
		}
		due, later := k.absent[r.Name].due(now, !here, absentFor)
		if due || s.drains(r.Name) {
			out = append(out, r.Name)
		}
		at = sooner(at, later)
	}
	maps.DeleteFunc(k.absent, func(name string, _ *since) bool { return !s.plan.Has(name) })
	if s.drains(s.self) {
		out = append(out, s.self)
	}
	return out, at
}

func (s situation) drains(relay string) bool {
	r, ok := membership.Find(s.known, relay)
	return ok && r.State == membership.Draining
}

// joiners are the relays that are to be in the plan and are not. A red root that
// would be alone takes the other one that the directory has.
func (s situation) joiners(out []string) []plan.Relay {
	var in []plan.Relay
	add := func(name string) {
		r, ok := membership.Find(s.known, name)
		if ok && r.State == membership.Ready && !s.plan.Has(name) {
			in = append(in, plan.Relay{Name: name, Zone: r.Zone})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.asking)) {
		if s.asking[name] {
			add(name)
		}
	}
	if len(in) == 0 && s.plan.Len()-len(out) < 2 {
		left := slices.DeleteFunc(slices.Clone(s.known), func(r membership.Relay) bool { return slices.Contains(out, r.Name) })
		if _, blue := placement.KeepRoots(s.room, left, [2]string{s.self, ""}); blue.Name != s.self {
			add(blue.Name)
		}
	}
	return in
}

// standIn takes over from a red root that has died, as the blue one.
func (k *keeper) standIn(now time.Time, s situation) (*plan.Plan, time.Time, error) {
	red := s.plan.Root(plan.Red)
	_, known := membership.Find(s.known, red)
	gone, at := k.gone.due(now, !known, gather)
	deaf, later := k.deaf.due(now, !s.hearing, deafFor)
	if !gone && !deaf {
		return nil, sooner(at, later), nil
	}
	k.gone, k.deaf = since{}, since{}
	p, _, err := s.plan.TakeOver(s.self, red)
	return p, time.Time{}, err
}

// rescue takes a room over whose roots have both gone, as the relay that the
// directory names first.
func (k *keeper) rescue(now time.Time, s situation) (*plan.Plan, time.Time, error) {
	red, blue := s.plan.Roots()
	_, reds := membership.Find(s.known, red)
	_, blues := membership.Find(s.known, blue)
	first := len(s.roots) > 0 && s.roots[0] == s.self
	due, at := k.orphaned.due(now, first && !reds && !blues, orphanedFor)
	if !due {
		return nil, at, nil
	}
	k.orphaned = since{}
	var p *plan.Plan
	var err error
	if s.plan.Has(s.self) {
		p, _, err = s.plan.TakeOver(s.self, red, blue)
	} else {
		p, err = s.first(now, s.plan.Version().Epoch+1)
	}
	return p, time.Time{}, err
}
