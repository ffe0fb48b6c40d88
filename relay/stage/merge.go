package stage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Merge makes one state of two copies of the same room's that may have grown apart:
// of each field, what was set last. It makes no difference which is a and which b,
// nor how often or in what order copies are merged.
func Merge(a, b State) (State, error) {
	if a.Room != b.Room {
		return a, fmt.Errorf("%w: state of room %.40q, not %.40q", ErrMalformed, b.Room, a.Room)
	}
	m := a.clone()
	m.Clock = max(a.Clock, b.Clock)
	m.Phase = phase(a.Phase, b.Phase)
	m.Title = later(a.Title, b.Title)
	m.Starts = later(a.Starts, b.Starts)
	m.Acting = later(a.Acting, b.Acting)
	for subject, theirs := range b.People {
		ours := m.People[subject]
		m.People[subject] = Person{
			Name:   later(ours.Name, theirs.Name),
			Role:   later(ours.Role, theirs.Role),
			Host:   later(ours.Host, theirs.Host),
			Muted:  later(ours.Muted, theirs.Muted),
			Banned: later(ours.Banned, theirs.Banned),
			Out:    later(ours.Out, theirs.Out),
		}
	}
	for subject, theirs := range b.Hands {
		if ours := m.Hands[subject]; theirs.Stamp.Compare(ours.Stamp) > 0 {
			m.Hands[subject] = theirs
		}
	}
	m.trim()
	return m, nil
}

// trim keeps two copies that were both full from making one that nobody would
// take. Of the hands those that are down go, then the last that were raised; of
// the people those of whom least would be forgotten.
func (s *State) trim() {
	if len(s.Hands) > MaxHands {
		s.forget()
	}
	if len(s.Hands) > MaxHands {
		for _, subject := range s.RaisedHands()[MaxHands:] {
			delete(s.Hands, subject)
		}
	}
	if len(s.People) <= MaxPeople {
		return
	}
	weight := func(p Person) int {
		switch {
		case p.Host.Value:
			return 5
		case p.Banned.Value:
			return 4
		case p.Muted.Value == ByHost:
			return 3
		}
		return rank(p.Role.Value)
	}
	subjects := slices.SortedFunc(maps.Keys(s.People), func(a, b string) int {
		return cmp.Or(cmp.Compare(weight(s.People[b]), weight(s.People[a])), cmp.Compare(a, b))
	})
	for _, subject := range subjects[MaxPeople:] {
		delete(s.People, subject)
	}
}

// phase is the further of two: no room goes back, whatever was said where it was
// not known that it had ended.
func phase(a, b Field[Phase]) Field[Phase] {
	switch order := map[Phase]int{"": 0, Announced: 1, Live: 2, Ended: 3}; {
	case order[a.Value] > order[b.Value]:
		return a
	case order[b.Value] > order[a.Value]:
		return b
	}
	return later(a, b)
}

// Same reports whether two states say the same.
func Same(a, b State) bool {
	if a.Room != b.Room || a.Clock != b.Clock || a.Phase != b.Phase || a.Title != b.Title ||
		a.Starts != b.Starts || a.Acting != b.Acting || len(a.People) != len(b.People) || len(a.Hands) != len(b.Hands) {
		return false
	}
	for subject, p := range a.People {
		if q, ok := b.People[subject]; !ok || p != q {
			return false
		}
	}
	for subject, hand := range a.Hands {
		if other, ok := b.Hands[subject]; !ok || hand != other {
			return false
		}
	}
	return true
}
