package placement

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/stentor-audio/stentor/membership"
)

// weight is the number that a relay draws for a room, given the hash of the
// room's name. The last lines are the finalizer of MurmurHash3, which makes
// each bit depend on each.
func weight(room uint64, relay string) uint64 {
	x := room ^ bits.RotateLeft64(xxhash.Sum64String(relay), 32)
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

func hash(room string) uint64 { return xxhash.Sum64String(room) }

// A candidate is a relay of a snapshot, by its index, and how it ranks.
type candidate struct {
	at     int
	class  int    // the lower first
	weight uint64 // within a class, the higher first
	name   string // of two with the same weight, the first
}

func compare(x, y candidate) int {
	return cmp.Or(cmp.Compare(x.class, y.class), cmp.Compare(y.weight, x.weight), cmp.Compare(x.name, y.name))
}

// never is the class of a relay that is not to be chosen.
const never = -1

// first appends the first n relays in a room's order to chosen, those of lower
// classes before others, and returns them. It goes through the snapshot once,
// and makes nothing for a relay that is not chosen.
func first(n int, chosen []candidate, room uint64, relays []membership.Relay, class func(*membership.Relay) int) []candidate {
	start := len(chosen)
	for i := range relays {
		c := candidate{at: i, class: class(&relays[i]), name: relays[i].Name}
		if c.class == never {
			continue
		}
		full := len(chosen)-start == n
		if full && c.class > chosen[len(chosen)-1].class {
			continue
		}
		c.weight = weight(room, c.name)
		if full {
			if compare(c, chosen[len(chosen)-1]) > 0 {
				continue
			}
			chosen = chosen[:len(chosen)-1]
		}
		at, _ := slices.BinarySearchFunc(chosen[start:], c, compare)
		chosen = slices.Insert(chosen, start+at, c)
	}
	return chosen
}

// Order returns the indices of relays in a room's order, the first first: that of
// rendezvous hashing alone, whatever their zones, states and loads.
func Order(room string, relays []membership.Relay) []int {
	h := hash(room)
	all := make([]candidate, len(relays))
	for i := range relays {
		all[i] = candidate{at: i, weight: weight(h, relays[i].Name), name: relays[i].Name}
	}
	slices.SortFunc(all, compare)
	order := make([]int, len(all))
	for i, c := range all {
		order[i] = c.at
	}
	return order
}
