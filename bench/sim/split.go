package sim

import (
	"slices"
	"time"
)

// split parts the network: some zones neither hear nor feed the others. Clients
// reach both sides.
func (w *world) split(h *Strike) {
	n := 0
	for i, name := range w.zones {
		w.side[i] = 0
		if slices.Contains(h.Zones, name) {
			w.side[i] = 1
			n += len(w.byZone[i])
		}
	}
	w.happen("split", n, 0)
	w.splitAt = w.now
	for _, rm := range w.rooms {
		rm.newest[1] = rm.newest[0]
		rm.unsettled = true
		w.dirty(rm)
	}
	for _, r := range w.relays {
		if r.alive() {
			w.vanish(r, func(zone int32) bool { return !w.hears(zone, r.zone) })
			for _, p := range slices.Clone(r.parts) {
				at := p
				for _, after := range []time.Duration{hush, linkIdle + time.Millisecond} {
					w.after(after, func() {
						if at.rm.parts[at.r.id] == at {
							w.turnAt(at, w.now)
						}
					})
				}
			}
		}
	}
	w.after(h.Down.get(), w.heal)
}

// healFor is how long directories take to find each other again after a split:
// relays tell those that they have given up (membership/tuning.go).
const healFor = 3 * time.Second

// heal ends a split.
func (w *world) heal() {
	short := w.now-w.splitAt < linkIdle
	for i := range w.side {
		w.side[i] = 0
	}
	w.happen("heal", len(w.relays), 0)
	delay := healFor
	if short {
		delay = 0
	}
	w.after(delay, func() {
		for zone, v := range w.views {
			for _, r := range w.relays {
				if r.alive() {
					told := r.told
					w.after(w.gossip(int32(zone), r.zone), func() { v.hear(r.id, told); v.hush(r.id, false) })
				}
			}
		}
		w.after(time.Second, w.reunite)
	})
	for _, rm := range w.rooms {
		rm.unsettled = true
		w.dirty(rm)
	}
}

// reunite lets the newer of two plans go on: roots ask those that the directory
// would have in their place, and they each other (relay/uplink/following.go).
func (w *world) reunite() {
	for _, rm := range w.rooms {
		newest := rm.newest[0]
		if other := rm.newest[1]; other != nil && (newest == nil || other.Version().Newer(newest.Version())) {
			newest = other
		}
		rm.newest[0], rm.newest[1] = newest, nil
		for _, p := range rm.list {
			if newest != nil {
				w.take(p, newest)
			}
			w.turnAt(p, w.now+50*time.Millisecond)
		}
	}
}
