package relay

import (
	"context"
	"net/netip"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay/admission"
)

const (
	// loadEvery is how often the relay looks at its load: the network hears of it
	// every half second at the most.
	loadEvery = 500 * time.Millisecond
	// beat is what a timer is set for that tells how late timers are, and beats
	// how many are looked at together: those since the last look.
	beat  = 10 * time.Millisecond
	beats = int(loadEvery / beat)
)

// A gauge is the relay's load as it was measured last.
type gauge struct {
	mu    sync.Mutex
	loads admission.Loads
	step  uint8 // the whole of it, calmed, as clients and relays are told
	meter membership.Meter
}

// set takes what was measured, after so much time.
func (g *gauge) set(now admission.Loads, after time.Duration) admission.Loads {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.loads = g.loads.Follow(now, after)
	total, _ := g.loads.Total()
	g.step, _ = g.meter.Report(total)
	return g.loads
}

func (g *gauge) get() (loads admission.Loads, step int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.loads, int(g.step)
}

// ladder is what is asked for at the present load.
func (g *gauge) ladder() admission.Ladder {
	loads, step := g.get()
	return admission.At(float64(step), loads.Work())
}

// measureLoad looks at the load until ctx ends, and does what it calls for. What a
// process uses is the relay's own only where it has it for itself (TuneProcess).
func (r *Relay) measureLoad(ctx context.Context) {
	var late lateness
	if tuned.Load() {
		r.tasks.Go(func() { late.run(ctx) })
	}
	tick := time.NewTicker(loadEvery)
	defer tick.Stop()
	cold := false
	gc := relaxed{joinHeap: joinHeapOf(memory())}
	var garbage collecting
	last, cpu, sent := time.Now(), processCPU(), r.packetsSent()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		span := now.Sub(last)
		use := admission.Use{Sessions: int(r.inside.Load())}
		packets := r.packetsSent()
		use.Packets = float64(packets-min(sent, packets)) / span.Seconds()
		if tuned.Load() {
			used := processCPU()
			use.CPU = float64(used-cpu) / float64(span) / float64(runtime.GOMAXPROCS(0))
			use.Late = late.look()
			cpu = used
		}
		last, sent = now, packets
		r.doors.setRelays(r.relayAddresses())
		share, begun := r.doors.look(use, span)
		use.Refused = share
		if collects.Load() {
			percent, news, collect := gc.look(begun, readHeap())
			if news {
				debug.SetGCPercent(percent)
			}
			if collect {
				r.tasks.Go(garbage.collect)
			}
		}
		loads := r.gauge.set(admission.Measure(use, r.limit()), span)
		if is := r.gauge.ladder().Cold; is != cold && r.others != nil {
			cold = is
			r.others.bump() // the lists of the sessions say so
		}
		r.shed(ctx, loads, now)
	}
}

func (r *Relay) limit() admission.Limit {
	return admission.Limit{Sessions: r.cfg.Capacity, Packets: float64(r.cfg.Egress)}
}

// load is how much of the relay is used, in percent: the sessions that there are
// now, and the rest as it was measured last.
func (r *Relay) load() float64 {
	loads, _ := r.gauge.get()
	loads[admission.Sessions] = admission.Measure(admission.Use{Sessions: int(r.inside.Load())}, r.limit())[admission.Sessions]
	total, _ := loads.Total()
	return total
}

// step is the load in steps, as it is told.
func (r *Relay) step() uint8 {
	_, step := r.gauge.get()
	return uint8(step)
}

// packetsSent is how many groups have been sent since the relay began.
func (r *Relay) packetsSent() uint64 {
	totals := r.metrics.totals()
	for _, p := range r.snapshot() {
		totals.Add(&p.deliver.Counters)
	}
	return totals.Datagrams + totals.Streams
}

// relayAddresses are where the other relays' packets come from.
func (r *Relay) relayAddresses() map[netip.AddrPort]struct{} {
	if r.mesh == nil {
		return nil
	}
	known := r.mesh.directory.Snapshot()
	out := make(map[netip.AddrPort]struct{}, len(known))
	for i := range known {
		if at, err := netip.ParseAddrPort(known[i].Addr); err == nil {
			out[netip.AddrPortFrom(at.Addr().Unmap(), at.Port())] = struct{}{}
		}
	}
	return out
}
