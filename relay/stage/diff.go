package stage

// Diff returns what b says that a does not, as a state of which [Merge] makes b
// again: Merge(a, Diff(a, b)) is the same as b where b was made of a by commands
// and merges.
func Diff(a, b State) State {
	d := State{Room: b.Room, Clock: b.Clock}
	if a.Phase != b.Phase {
		d.Phase = b.Phase
	}
	if a.Title != b.Title {
		d.Title = b.Title
	}
	if a.Starts != b.Starts {
		d.Starts = b.Starts
	}
	if a.Acting != b.Acting {
		d.Acting = b.Acting
	}
	for subject, p := range b.People {
		if q, ok := a.People[subject]; !ok || p != q {
			if d.People == nil {
				d.People = make(map[string]Person)
			}
			d.People[subject] = p
		}
	}
	for subject, hand := range b.Hands {
		if other, ok := a.Hands[subject]; !ok || hand != other {
			if d.Hands == nil {
				d.Hands = make(map[string]Hand)
			}
			d.Hands[subject] = hand
		}
	}
	return d
}

// Size is about how large a state is: how many people and hands are in it.
func (s State) Size() int { return len(s.People) + len(s.Hands) }
