package plan

// A Want is whom a relay should take a room from.
type Want struct {
	// Parents are red's and blue's. Empty where the relay is the root of that
	// colour, and where nobody on the way to the root will do.
	Parents [2]string

	// Root says of which colours the relay is the root: it needs no parent there
	// and takes what is spoken from the ingest relays.
	Root [2]bool

	// Ask says that the plan does not fit what this relay knows: it is not in
	// it, or a parent will not do. Whoever sees that should ask a root for a
	// newer plan, and to be let in, while it makes do with Parents.
	Ask bool
}

// Want is whom a relay should take the room from, as far as they will do: will
// says whether a relay may be taken as a parent in a colour now. That is for the
// caller to know: it is in the directory, and has not just been found dead; see
// also [Mover].
//
// In place of a parent that will not do stands the next relay on the way from
// there to the root. It is never one below us, and it is nearer than the root,
// which otherwise all orphans of a room would run to. A relay that is not in the
// plan takes from both roots until it is.
func (p *Plan) Want(self string, will func(relay string, c Colour) bool) Want {
	at, member := p.find(self)
	want := Want{Ask: !member}
	for _, c := range Colours {
		up, ok := p.root(c), true
		if member {
			up, ok = p.parent(at, c)
			want.Root[c] = !ok
		}
		for ; ok; up, ok = p.parent(up, c) {
			if will(p.name(up), c) {
				want.Parents[c] = p.name(up)
				break
			}
			want.Ask = true
		}
	}
	return want
}
