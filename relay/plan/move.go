package plan

import (
	"cmp"
	"slices"
	"time"
)

// Health is how a parent does, in the judgement of whoever holds it.
type Health uint8

// A parent is Trying until it first delivers, Working while what it sends keeps up
// with the other colour, and Dead once it does not, or once a Trying one has had
// time enough. Duplicates of what came otherwise count: a parent that is only
// ever late is Working. One that has what it sends from us is not, however much
// that is; the hops of its announcements tell.
const (
	Trying Health = iota
	Working
	Dead
)

// A Way is a parent that is held, and how it does. Without a name there is none.
type Way struct {
	Parent string
	Health Health
}

// Held is what a relay has in one colour: the parent it takes from, and in the
// middle of a move the one that is to follow it, taken in addition. When Old is
// let go, New becomes Old; there is never a New alone.
type Held struct{ Old, New Way }

// A Step is what a Move does.
type Step uint8

// What there is to do.
const (
	Stay Step = iota // nothing, until Move.At or until something changes
	Take             // open the way from Move.Parent, in addition to what is held
	Drop             // close the way from Move.Parent, which is held
)

// A Move is the next step of a relay from the parents it has to those it should
// have. The same relay may be parent in both colours; then to drop it in one is
// not to close its session.
type Move struct {
	Step   Step
	Colour Colour
	Parent string

	// At is when to ask again although nothing has changed. Zero means never.
	At time.Time

	// Ask is Want.Ask: a newer plan is needed.
	Ask bool
}

// A Mover decides in which order a relay changes its parents in one room. It is
// a value without clock or lock; whoever owns it tells the time.
//
//   - A parent that is dead, or missing, is replaced at once.
//   - If nothing works in either colour the roots themselves are taken: whatever
//     went wrong in between, a ring or two deaths, ends there.
//   - A working parent is left only for one that works already, or because the
//     relay has become root.
//   - One working parent is left at a time, the other colour working meanwhile,
//     and then none for HoldDown.
//   - No relay becomes a parent that is below this one in that colour, be it in
//     the plan held or in one so recent that the relay may not have followed the
//     newer one yet. Without that, two relays that change places could end up
//     feeding only each other.
type Mover struct {
	// Room and Self are the room's name and the relay's.
	Room, Self string

	// HoldDown is how long after leaving a working parent no other one is left.
	// Zero means 5 s: a new parent that dies of being one is noticed before the
	// next move relies on it, for relays give up a silent session after 4 s.
	HoldDown time.Duration

	plan *Plan
	past []superseded
	shun []shunned
	left time.Time // when a working parent was last left
}

// A superseded plan may still be what others follow.
type superseded struct {
	plan  *Plan
	until time.Time
}

// A shunned relay was found dead as a parent and is not tried again at once.
type shunned struct {
	relay  string
	colour Colour
	until  time.Time
}

// settling is for how many hold-downs others may follow an older plan: each
// needs one a colour, and one more for hearing of it late. A dead parent is
// shunned for as long.
const settling = 3

func (m *Mover) holdDown() time.Duration { return cmp.Or(m.HoldDown, 5*time.Second) }

// Plan is the newest plan the relay has heard of, or nil.
func (m *Mover) Plan() *Plan { return m.plan }

// Adopt takes a plan into use. It fails with ErrRoom or ErrOld, and then
// everything stays as it was.
func (m *Mover) Adopt(now time.Time, p *Plan) error {
	if err := p.Replaces(m.plan, m.Room); err != nil {
		return err
	}
	until := now.Add(settling * m.holdDown())
	// In a burst of plans most are in force too briefly for a working parent to
	// be left for their sake, so two in a hold-down are enough to remember.
	if n := len(m.past); m.plan != nil && (n == 0 || until.Sub(m.past[n-1].until) >= m.holdDown()/2) {
		m.past = append(m.past, superseded{m.plan, until})
	}
	m.plan = p
	return nil
}

// Next is the next step towards the parents that the plan wants, given those
// that are held. It counts on the step being taken, and wants to be asked again
// after it, when the health of a parent changes, and at Move.At. alive says
// whether a relay is worth trying, as far as others say: whether it is in the
// directory. Before the first plan there is nothing to do: who has none yet takes
// from the roots that the directory gives.
func (m *Mover) Next(now time.Time, held [2]Held, alive func(relay string) bool) Move {
	if m.plan == nil {
		return Move{}
	}
	m.forget(now)
	well := func(relay string, c Colour) bool {
		return relay != m.Self && alive(relay) && !m.shuns(relay, c) && !held[c].dead(relay)
	}
	goal := m.plan.Want(m.Self, well)
	want := m.plan.Want(m.Self, func(relay string, c Colour) bool {
		return well(relay, c) && !m.wasBelow(relay, c)
	})
	if lost(held) {
		for _, c := range Colours {
			if root := m.plan.Root(c); well(root, c) {
				want.Parents[c] = root
			}
		}
	}
	move, ok := m.finish(now, held, want)
	if !ok {
		move, ok = replace(held, want)
	}
	if !ok {
		move = m.improve(now, held, want, goal)
	}
	if move.Step == Stay {
		move.At = m.wake(move.At)
	}
	move.Ask = goal.Ask
	return move
}

// lost reports whether a relay that had the room has it no more: nothing works
// and something is dead.
func lost(held [2]Held) bool {
	dead := false
	for _, h := range held {
		if h.Old.Health == Working || h.New.Health == Working {
			return false
		}
		dead = dead || h.Old.Health == Dead
	}
	return dead
}

// finish goes on with a move that has begun.
func (m *Mover) finish(now time.Time, held [2]Held, want Want) (Move, bool) {
	for _, c := range Colours {
		was, next := held[c].Old, held[c].New
		if next.Parent == "" {
			continue
		}
		wanted := next.Parent == want.Parents[c]
		switch {
		case next.Health == Dead:
			return m.drop(now, c, next), true
		case was.Health == Working && !wanted,
			next.Health == Trying && !wanted && want.Parents[c] != "":
			return Move{Step: Drop, Colour: c, Parent: next.Parent}, true
		case next.Health == Working && was.Health != Working,
			next.Health == Working && held[c.Other()].sound(want, c.Other()):
			return m.drop(now, c, was), true
		}
	}
	return Move{}, false
}

// drop closes a way and remembers why.
func (m *Mover) drop(now time.Time, c Colour, w Way) Move {
	switch w.Health {
	case Working:
		m.left = now
	case Dead:
		m.shun = append(m.shun, shunned{w.Parent, c, now.Add(settling * m.holdDown())})
	}
	return Move{Step: Drop, Colour: c, Parent: w.Parent}
}

// replace finds another parent where none works.
func replace(held [2]Held, want Want) (Move, bool) {
	for _, c := range Colours {
		is, to := held[c].Old, want.Parents[c]
		switch {
		case held[c].New.Parent != "" || is.Health == Working:
		case to != "" && to != is.Parent:
			return Move{Step: Take, Colour: c, Parent: to}, true
		case want.Root[c] && is.Parent != "":
			return Move{Step: Drop, Colour: c, Parent: is.Parent}, true
		}
	}
	return Move{}, false
}

// improve begins to leave a working parent for the one that the plan wants, if
// this is the time for it. Where only an older plan speaks against that one it
// waits, rather than going to another first. A parent that is not in the plan any
// more is left before one that is: it may drain, and has not much time.
func (m *Mover) improve(now time.Time, held [2]Held, want, goal Want) Move {
	ready := m.left.Add(m.holdDown())
	colours := Colours
	if m.goes(held[Blue].Old.Parent) && !m.goes(held[Red].Old.Parent) {
		slices.Reverse(colours[:])
	}
	for _, c := range colours {
		is, to := held[c].Old, want.Parents[c]
		other := held[c.Other()]
		switch {
		case is.Parent == to || is.Health != Working || goal.Parents[c] != to:
		case to == "" && !want.Root[c]: // nobody will do, but this one works
		case other.New.Parent != "" || held[c].New.Parent != "" || !other.sound(want, c.Other()):
		case !m.left.IsZero() && now.Before(ready):
			return Move{At: ready}
		case to == "":
			return m.drop(now, c, is)
		default:
			return Move{Step: Take, Colour: c, Parent: to}
		}
	}
	return Move{}
}

// goes reports whether a parent is no longer in the plan.
func (m *Mover) goes(parent string) bool { return parent != "" && !m.plan.Has(parent) }

// sound reports whether a colour can be relied on while the other one moves.
func (h Held) sound(want Want, c Colour) bool { return h.Old.Health == Working || want.Root[c] }

func (h Held) dead(relay string) bool {
	return h.Old == Way{relay, Dead} || h.New == Way{relay, Dead}
}

func (m *Mover) shuns(relay string, c Colour) bool {
	return slices.ContainsFunc(m.shun, func(s shunned) bool { return s.relay == relay && s.colour == c })
}

func (m *Mover) wasBelow(relay string, c Colour) bool {
	return slices.ContainsFunc(m.past, func(s superseded) bool { return s.plan.Below(relay, m.Self, c) })
}

// forget lets go of what no longer counts.
func (m *Mover) forget(now time.Time) {
	m.past = slices.DeleteFunc(m.past, func(s superseded) bool { return !now.Before(s.until) })
	m.shun = slices.DeleteFunc(m.shun, func(s shunned) bool { return !now.Before(s.until) })
}

// wake is the earliest time at which something that counts now will not.
func (m *Mover) wake(at time.Time) time.Time {
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	for _, s := range m.past {
		sooner(s.until)
	}
	for _, s := range m.shun {
		sooner(s.until)
	}
	return at
}
