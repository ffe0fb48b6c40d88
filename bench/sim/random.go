package sim

import (
	"math/rand/v2"
	"time"
)

// What chance is for. Each has a source of its own, so that a change in one part
// of the model does not change all others.
const (
	forClocks uint64 = iota + 1 // when relays look, how long news take
	forChances
	forArrivals
	forPeople
	forStrikes
)

func source(seed, purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, purpose)) }

// scatter is a number from 0 to 1 that belongs to two numbers for ever.
func scatter(a, b uint64) float64 {
	x := a*0x9e3779b97f4a7c15 ^ b
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}

// never is later than all times.
const never = time.Duration(1<<63 - 1)

// epoch is when simulations begin, for functions that want a moment and not a time
// since one.
var epoch = time.Unix(1_800_000_000, 0)

func clock(now time.Duration) time.Time { return epoch.Add(now) }

// since is clock, back; never for no time at all.
func since(t time.Time) time.Duration {
	if t.IsZero() {
		return never
	}
	return t.Sub(epoch)
}
