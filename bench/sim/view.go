package sim

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay"
)

// A view is the directory as the relays of one zone have it. Gossip reaches the
// relays of a zone a few tenths of a second apart; they share one view here.
type view struct {
	known   []membership.Relay // by name
	at      []int32            // where a relay is in known, by its id; -1: nowhere
	silent  []bool             // relays that are not heard of on the links any more, by id
	version uint64

	reach   []membership.Relay // known without the silent ones
	reached uint64             // the version it is of

	zones map[string]relay.Zone
	zoned uint64 // the version they are of
}

func newView(relays int) *view {
	v := &view{at: make([]int32, relays), silent: make([]bool, relays), version: 1, zones: make(map[string]relay.Zone)}
	for i := range v.at {
		v.at[i] = -1
	}
	return v
}

// hear takes what a relay says of itself.
func (v *view) hear(id int32, told membership.Relay) {
	v.version++
	if i := v.at[id]; i >= 0 {
		v.known[i] = told
		return
	}
	i, _ := slices.BinarySearchFunc(v.known, told.Name, func(r membership.Relay, name string) int { return cmp.Compare(r.Name, name) })
	v.known = slices.Insert(v.known, i, told)
	for j, at := range v.at {
		if at >= int32(i) {
			v.at[j]++
		}
	}
	v.at[id] = int32(i)
}

// forget takes a relay out.
func (v *view) forget(id int32) {
	i := v.at[id]
	if i < 0 {
		return
	}
	v.version++
	v.known = slices.Delete(v.known, int(i), int(i)+1)
	v.at[id] = -1
	for j, at := range v.at {
		if at > i {
			v.at[j]--
		}
	}
}

// hush notes whether a relay is heard of on the links.
func (v *view) hush(id int32, silent bool) {
	if v.silent[id] != silent {
		v.silent[id] = silent
		v.version++
	}
}

// reachable are the relays that clients are told of. Nobody may change them.
func (v *view) reachable(byName map[string]int32) []membership.Relay {
	if v.reached == v.version {
		return v.reach
	}
	v.reached = v.version
	if !slices.Contains(v.silent, true) {
		v.reach = v.known
		return v.reach
	}
	reach := make([]membership.Relay, 0, len(v.known))
	for i := range v.known {
		if !v.silent[byName[v.known[i].Name]] {
			reach = append(reach, v.known[i])
		}
	}
	v.reach = reach
	return reach
}

// hears reports whether gossip gets from one zone to another.
func (w *world) hears(zone, from int32) bool { return w.side[zone] == w.side[from] }

// gossip is how long news take to a zone.
func (w *world) gossip(zone, from int32) time.Duration {
	all := w.c.Gossip(max(len(w.views[zone].known), 2))
	spread := w.c.Time(cost.GossipInterval)
	return all + time.Duration(w.clocks.Int64N(int64(spread)))
}

// deathKnown is how long gossip takes to declare a relay dead: a probe, and the
// suspicion of membership/tuning.go.
func (w *world) deathKnown(relays int) time.Duration {
	s := math.Max(1, math.Log10(float64(max(relays, 1))))
	return time.Second + time.Duration(8*s*float64(time.Second))
}

// introduce lets a relay be known that has just started: it asks its seeds, and
// gossip takes it from there.
func (w *world) introduce(r *node) {
	life := r.life
	for zone, v := range w.views {
		if !w.hears(int32(zone), r.zone) {
			continue
		}
		delay := w.gossip(int32(zone), r.zone)
		if w.now == 0 {
			v.hear(r.id, r.told)
			continue
		}
		w.after(delay, func() {
			if r.life == life && r.up {
				v.hear(r.id, r.told)
				v.hush(r.id, false)
			}
		})
	}
}

// vanish lets the others find out that a relay is mute, first on the links and
// then by gossip. One that speaks again before is none the worse for it.
func (w *world) vanish(r *node, zones func(zone int32) bool) {
	life, mute := r.life, r.mute
	still := func(zone int32) bool {
		return r.life == life && r.mute == mute && mute != never || !w.hears(zone, r.zone)
	}
	look := time.Duration(w.clocks.Int64N(int64(w.c.Time(cost.PeerLook))))
	w.after(w.c.Time(cost.PeerSilence)+look, func() {
		for zone, v := range w.views {
			if zones(int32(zone)) && still(int32(zone)) {
				v.hush(r.id, true)
			}
		}
		w.gone(r)
	})
	for zone, v := range w.views {
		if !zones(int32(zone)) {
			continue
		}
		w.after(w.deathKnown(len(v.known))+w.gossip(int32(zone), r.zone), func() {
			if still(int32(zone)) {
				v.forget(r.id)
				v.hush(r.id, false)
				w.stirZone(int32(zone))
			}
		})
	}
}

// depart lets a relay that ends by itself say so.
func (w *world) depart(r *node) {
	for zone, v := range w.views {
		if w.hears(int32(zone), r.zone) {
			w.after(w.gossip(int32(zone), r.zone), func() { v.forget(r.id); w.stirZone(int32(zone)) })
		}
	}
}
