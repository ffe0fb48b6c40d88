package placement

import (
	"strconv"
	"testing"
)

const benchRelays = 2000

func BenchmarkPlace(b *testing.B) {
	relays := network(benchRelays, 10)
	for _, purpose := range []Purpose{Listen, Speak} {
		b.Run(map[Purpose]string{Listen: "listen", Speak: "speak"}[purpose], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Place("town-hall", relays, Options{Purpose: purpose, Zone: "zone-3", Spread: 5, Who: 12345})
			}
		})
	}
}

// BenchmarkJoin is what a relay does for each room it holds when another comes
// or goes.
func BenchmarkJoin(b *testing.B) {
	relays := network(benchRelays, 10)
	b.Run("live", func(b *testing.B) {
		red, blue := Roots("town-hall", relays)
		b.ReportAllocs()
		for b.Loop() {
			KeepRoots("town-hall", relays, [2]string{red.Name, blue.Name})
		}
	})
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			Roots("room-"+strconv.Itoa(i), relays)
		}
	})
}
