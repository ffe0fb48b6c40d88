package wire

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Conditions are those of the way between any two hosts. The zero value is a way
// that takes no time and loses nothing.
type Conditions struct {
	// RTT is the round trip, up to 10 s. Half of it is the mean of either way.
	RTT time.Duration

	// Jitter is by how much a round trip may differ from RTT, either way, and at
	// most RTT. It is that of a queue: packets between two hosts keep their order.
	Jitter time.Duration

	// Loss is the share of packets that is lost one way, 0 to 1.
	Loss float64

	// Seed makes what is lost repeatable. Any value is good.
	Seed uint64
}

// ErrConditions says that there is no such way.
var ErrConditions = errors.New("conditions")

func (c Conditions) check() error {
	switch {
	case c.RTT < 0 || c.RTT > 10*time.Second:
		return fmt.Errorf("%w: a round trip of %v: want 0 to 10s", ErrConditions, c.RTT)
	case c.Jitter < 0 || c.Jitter > c.RTT:
		return fmt.Errorf("%w: jitter of %v: want 0 to the round trip of %v", ErrConditions, c.Jitter, c.RTT)
	case !(c.Loss >= 0 && c.Loss <= 1):
		return fmt.Errorf("%w: a loss of %v: want 0 to 1", ErrConditions, c.Loss)
	}
	return nil
}

// A dice decides the fate of one host's packets.
type dice struct {
	Conditions
	r    *rand.Rand
	last [256]time.Time // when the last packet to each host is due
}

func newDice(c Conditions, host byte) *dice {
	return &dice{Conditions: c, r: rand.New(rand.NewPCG(c.Seed, uint64(host)))}
}

// throw says when a packet that leaves at now arrives at a host, if it does.
func (d *dice) throw(now time.Time, to byte) (due time.Time, arrives bool) {
	lost := d.Loss > 0 && d.r.Float64() < d.Loss
	way := d.RTT / 2
	if d.Jitter > 0 {
		way += time.Duration((d.r.Float64() - 0.5) * float64(d.Jitter))
	}
	if lost {
		return time.Time{}, false
	}
	due = now.Add(way)
	if due.Before(d.last[to]) {
		due = d.last[to]
	}
	d.last[to] = due
	return due, true
}
