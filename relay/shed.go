package relay

import (
	"context"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay/admission"
)

const (
	// ShedEvery is how long the load has to show what the last time has helped.
	ShedEvery = 2 * time.Second
	// forLoad marks the URI of a GOAWAY that is for load: the session may stay
	// (docs/wire.md, goaway).
	forLoad = "#load"
)

// shed asks the newest listeners to go to emptier relays, if there is too much to
// do here.
func (r *Relay) shed(ctx context.Context, loads admission.Loads, now time.Time) {
	total, _ := loads.Total()
	ladder := admission.At(total, loads.Work())
	if !ladder.Shed || r.mesh == nil || r.State() != Ready || now.Sub(r.shedAt) < ShedEvery {
		return
	}
	var others []float64
	for _, o := range r.reachable() {
		if o.Name != r.cfg.Name && o.State == membership.Ready {
			others = append(others, float64(o.Load))
		}
	}
	listeners := r.newest()
	n := admission.ToShed(ladder, len(listeners), others)
	if n == 0 {
		return
	}
	r.shedAt = now
	r.log.Warn("too much to do here: the newest listeners are asked to go elsewhere", "load", int(total), "listeners", n)
	for _, p := range listeners[:n] {
		p.askedForLoad.Store(true)
		r.tasks.Go(func() {
			ctx, stop := context.WithTimeout(ctx, time.Second)
			defer stop()
			if err := p.session.Goaway(ctx, r.successor(p)+forLoad); err != nil {
				p.log.Debug("cannot be asked to go elsewhere", "cause", err) // it stays
			}
		})
	}
}

// newest are the listeners that have not been asked to leave yet and understand
// it, the newest first.
func (r *Relay) newest() []*peer {
	var out []*peer
	for _, p := range r.clients() {
		room, listens := p.purpose()
		setup, said := p.session.Peer()
		if listens && p.deliver.Takes(room) && said && setup.Goaway && !p.askedForLoad.Load() {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *peer) int { return b.since.Compare(a.since) })
	return out
}
