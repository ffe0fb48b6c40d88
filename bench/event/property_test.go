package event

import (
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stentor-audio/stentor/bench/cost"
)

func drawOptions(t *rapid.T) Options {
	return Options{
		Listeners: rapid.IntRange(1, 300_000).Draw(t, "listeners"),
		Arrive:    time.Duration(rapid.IntRange(0, 600).Draw(t, "arrive")) * time.Second,
		Zones:     rapid.IntRange(2, 5).Draw(t, "zones"),
		Cores:     rapid.IntRange(1, 32).Draw(t, "cores"),
		Memory:    float64(rapid.IntRange(1, 64).Draw(t, "GiB")) * (1 << 30),
		Egress:    float64(rapid.IntRange(1, 100).Draw(t, "Gbps")) * 1e9,
		Packet:    rapid.SampledFrom(cost.Packets[:]).Draw(t, "packet"),
		Transport: rapid.SampledFrom([]cost.Transport{cost.QUIC, cost.WebTransport}).Draw(t, "transport"),
		Speakers:  rapid.IntRange(1, 3).Draw(t, "speakers"),
		ZoneLoss:  rapid.Bool().Draw(t, "zone loss"),
	}
}

// needed is how many relays an event needs, more than any if there is no such
// number.
func needed(t *rapid.T, o Options) int {
	t.Helper()
	o = o.withDefaults()
	if err := o.check(); err != nil {
		t.Fatalf("%v", err)
	}
	needs, err := o.needs(o.limits())
	if errors.Is(err, ErrTooBig) {
		return none
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	return binding(needs).Relays
}

// More to do never needs fewer relays, and more to do it with never more.
func TestNeedsGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOptions(t)
		n := needed(t, o)
		for name, harder := range map[string]func(*Options){
			"more listeners": func(o *Options) { o.Listeners += rapid.IntRange(1, 100_000).Draw(t, "more") },
			"more speakers":  func(o *Options) { o.Speakers++ },
			"a zone to lose": func(o *Options) { o.ZoneLoss = true },
			"more room":      func(o *Options) { o.Load = DefaultLoad - 20 },
			"fewer cores":    func(o *Options) { o.Cores = max(1, o.Cores/2) },
			"less memory":    func(o *Options) { o.Memory = max(1<<30, o.Memory/2) },
			"a thinner line": func(o *Options) { o.Egress = max(1e9, o.Egress/2) },
			"fewer packets":  func(o *Options) { o.Packets = 50_000 },
		} {
			h := o
			harder(&h)
			if m := needed(t, h); m < n {
				t.Fatalf("%s: %d relays, were %d", name, m, n)
			}
		}
	})
}

// A fleet that is planned does what it is planned for.
func TestPlannedFleetFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOptions(t)
		r, err := Make(o)
		if errors.Is(err, ErrTooBig) {
			return
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
		if !r.Fits || r.PerRelay.Load > DefaultLoad+1e-6 || r.Tree.Relays != r.Relays {
			t.Fatalf("%+v", r)
		}
		relays, listeners, left := 0, 0, r.ZoneLoss.Listeners
		for _, z := range r.Zones {
			relays, listeners = relays+z.Relays, listeners+z.Listeners
		}
		for _, s := range r.ZoneLoss.To {
			left -= s.Listeners
		}
		if relays != r.Relays || math.Abs(float64(listeners-o.Listeners)) > float64(o.Zones) || left != 0 {
			t.Fatalf("%d relays in zones of %d, %d listeners of %d, %d have nowhere to go", relays, r.Relays, listeners, o.Listeners, left)
		}
		if a := r.Arrival; a.AllIn == Never || a.Longest > Time(30*time.Second) || a.LeftOut != 0 || a.Mean > a.AllIn {
			t.Fatalf("%+v", a)
		}
		if l := r.ZoneLoss; o.ZoneLoss && (!l.Carried || l.Short > 0) || l.NoFeed > 0 || l.Gap > 0 {
			t.Fatalf("%+v", l)
		}

		// One relay less is one too few, and says so.
		o.Relays = r.Relays - 1
		if o.Relays < max(o.Zones, 1) {
			return
		}
		if r, err = Make(o); err != nil || r.Fits {
			t.Fatalf("one relay less fits as well, or %v", err)
		}
	})
}

// Everybody who comes is let in or waits, at each moment and in the end.
func TestArrivalsAreConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOptions(t).withDefaults()
		relays := rapid.IntRange(1, 200).Draw(t, "relays")
		a := o.arrive(relays)
		b := o.arrive(relays + rapid.IntRange(1, 50).Draw(t, "more relays"))
		if a.Waiting > o.Listeners || a.Waiting < 0 || a.LeftOut > a.Waiting {
			t.Fatalf("%+v", a)
		}
		if a.AllIn != Never && (a.AllIn < Time(o.Arrive) || b.AllIn == Never || b.AllIn > a.AllIn+Time(10*time.Second)) {
			t.Fatalf("%+v, with more relays %+v", a, b)
		}
		if (a.AllIn == Never) != (a.LeftOut > 0) {
			t.Fatalf("%+v", a)
		}
	})
}
