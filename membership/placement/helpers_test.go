package placement

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"pgregory.net/rapid"

	"github.com/stentor-audio/stentor/membership"
)

// network returns n ready relays in so many zones.
func network(n, zones int) []membership.Relay {
	relays := make([]membership.Relay, n)
	for i := range relays {
		relays[i] = membership.Relay{
			Name:     fmt.Sprintf("relay-%04d", i),
			Zone:     fmt.Sprintf("zone-%d", i%zones),
			Capacity: 1000,
			State:    membership.Ready,
		}
	}
	return relays
}

// anyNetwork draws up to 12 relays of all kinds.
func anyNetwork(t *rapid.T) []membership.Relay {
	relay := rapid.Custom(func(t *rapid.T) membership.Relay {
		return membership.Relay{
			Name:     rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "name"),
			Zone:     rapid.SampledFrom([]string{"", "par", "fra", "nyc"}).Draw(t, "zone"),
			State:    rapid.SampledFrom([]membership.State{membership.Ready, membership.Ready, membership.Draining, membership.Starting, 9}).Draw(t, "state"),
			Load:     uint8(rapid.IntRange(0, 20).Draw(t, "load") * 5),
			Capacity: rapid.Uint32Max(2000).Draw(t, "capacity"),
		}
	})
	return rapid.SliceOfNDistinct(relay, 0, 12, name).Draw(t, "relays")
}

func name(r membership.Relay) string { return r.Name }

func names(relays []membership.Relay) []string {
	var all []string
	for _, r := range relays {
		all = append(all, r.Name)
	}
	return all
}

// shuffled returns a copy in another order.
func shuffled(relays []membership.Relay) []membership.Relay {
	relays = slices.Clone(relays)
	rand.Shuffle(len(relays), func(i, j int) { relays[i], relays[j] = relays[j], relays[i] })
	return relays
}

// without returns a copy in which a relay is missing.
func without(relays []membership.Relay, gone string) []membership.Relay {
	return slices.DeleteFunc(slices.Clone(relays), func(r membership.Relay) bool { return r.Name == gone })
}

func ready(relays []membership.Relay) int {
	n := 0
	for _, r := range relays {
		if isReady(r) {
			n++
		}
	}
	return n
}
