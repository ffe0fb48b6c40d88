package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A LatencyResult is what [Latency] found.
type LatencyResult struct {
	Setting

	Expected  uint64 `json:"expected"` // Opus packets, over all listeners
	Delivered uint64 `json:"delivered"`
	Lost      uint64 `json:"lost"`

	// Latency is from the moment the last Opus packet of a datagram left its
	// speaker to the moment a listener had it, through the relay. Direct is the
	// same without one, by a single connection from the speaker to a listener.
	Latency Quantiles `json:"latency_ms"`
	Direct  Quantiles `json:"direct_ms"`

	// Added is the difference of the two for every datagram of every listener
	// whose packet came both ways.
	Added Quantiles `json:"added_ms"`

	// Baseline is what the plain loop takes to reach as many listeners.
	Baseline *Quantiles `json:"baseline_latency_ms,omitempty"`

	Compared int `json:"compared"` // datagrams in Added

	run   *run
	added []int64
}

// Latency measures how much later listeners hear through a relay than directly.
// It ends early like [Fanout].
func Latency(ctx context.Context, o Options) (*LatencyResult, error) {
	o, err := o.withDefaults(100, 30*time.Second)
	if err != nil {
		return nil, err
	}
	if o.Freeze > 0 {
		return nil, fmt.Errorf("%w: frozen listeners are for a fan-out", ErrOptions)
	}
	r, err := measure(ctx, o, true)
	if r == nil {
		return nil, err
	}
	return r.latency(err), err
}

func (r *run) latency(err error) *LatencyResult {
	c := r.relay.count()
	l := &LatencyResult{
		Setting:   r.setting(err),
		Expected:  c.expected,
		Delivered: c.delivered,
		Lost:      c.lost,
		Latency:   quantilesOf(r.relay.grid.Delays(0, r.relay.grid.Groups())),
		Direct:    quantilesOf(r.direct.grid.Delays(0, r.direct.grid.Groups())),
		run:       r,
		added:     r.added(),
	}
	l.Added, l.Compared = quantilesOf(l.added), len(l.added)
	if r.baseline != nil && len(r.baseline.slices) > 0 {
		q := quantilesOf(r.baseline.grid.Delays(0, r.baseline.grid.Groups()))
		l.Baseline = &q
	}
	return l
}

// added is, for each listener and datagram, how much later it came than its last
// packet came directly; in µs, ascending. It is negative where it came sooner.
func (r *run) added() []int64 {
	grid, direct := r.relay.grid, r.direct.grid
	var out []int64
	for column := range grid.Groups() {
		last := column*r.relay.slots + r.relay.slots - 1
		if last >= direct.Groups() {
			break
		}
		without, ok := direct.Delay(0, last)
		if !ok {
			continue
		}
		for listener := range grid.Listeners() {
			if with, ok := grid.Delay(listener, column); ok {
				out = append(out, (with - without).Microseconds())
			}
		}
	}
	slices.Sort(out)
	return out
}

// merge joins two ascending lists.
func merge(a, b []int64) []int64 {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return out
}
