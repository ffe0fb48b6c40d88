package sim

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/relay/admission"
	"github.com/stentor-audio/stentor/relay/plan"
)

// sample adds how things are now to the series.
func (w *world) sample() {
	s := &w.res.Series
	waiting := int64(w.res.Joins.Arrived - w.res.Joins.Gone - w.listening)
	ready := 0
	for len(s.Zones) < len(w.zones) {
		s.Zones = append(s.Zones, ZoneLoads{Zone: w.zones[len(s.Zones)], Relays: []string{}, Load: [][]int16{}})
	}
	count := len(s.T)
	var loads []float64
	for zone, ids := range w.byZone {
		z := &s.Zones[zone]
		for i, id := range ids {
			r := w.relays[id]
			if len(z.Relays) <= i {
				z.Relays = append(z.Relays, r.name)
				z.Load = append(z.Load, slices.Repeat([]int16{-1}, count))
			}
			v := int16(-1)
			if r.alive() {
				load := w.loadOf(r)
				v = int16(math.Round(load))
				if len(r.primaries) > 0 {
					loads = append(loads, load)
				}
				if r.ready() {
					ready++
				}
			}
			z.Load[i] = append(z.Load[i], v)
		}
	}
	if w.listening >= w.bestCount {
		w.bestCount, w.bestLoad = w.listening, loads
	}
	s.T = append(s.T, (w.now - warmUp).Milliseconds())
	s.Arrived = append(s.Arrived, int64(w.res.Joins.Arrived))
	s.Listening = append(s.Listening, int64(w.listening))
	s.Waiting = append(s.Waiting, waiting)
	s.Told = append(s.Told, w.res.Joins.Waits)
	s.Refused = append(s.Refused, w.res.Joins.Refused+w.res.Joins.Full)
	s.Lost = append(s.Lost, w.lostNow+w.overloaded)
	s.Hops = append(s.Hops, w.hops)
	s.Relays = append(s.Relays, int64(ready))
}

// loadOf is a relay's load as it would say it now.
func (w *world) loadOf(r *node) float64 {
	loads := r.loads
	loads[admission.Sessions] = admission.Measure(admission.Use{Sessions: r.sessions}, w.limit())[admission.Sessions]
	total, _ := loads.Total()
	return total
}

// snapshotTree is the tree of the largest room as it is now.
func (w *world) snapshotTree() *Tree {
	var rm *room
	for _, o := range w.rooms {
		if rm == nil || len(o.list) > len(rm.list) {
			rm = o
		}
	}
	t := &Tree{AtMS: (w.now - warmUp).Milliseconds(), Nodes: []TreeNode{}}
	if rm == nil {
		return t
	}
	t.Room = rm.name
	newest := rm.newest[0]
	if newest == nil {
		return t
	}
	depth := make(map[string]int)
	at := make(map[string]int)
	for _, c := range plan.Colours {
		for _, n := range newest.Tree(c) {
			depth[n.Relay] = max(depth[n.Relay], n.Depth)
			i, ok := at[n.Relay]
			if !ok {
				i = len(t.Nodes)
				at[n.Relay] = i
				r := w.relays[w.byName[n.Relay]]
				load := math.Round(10*w.loadOf(r)) / 10
				t.Nodes = append(t.Nodes, TreeNode{
					Relay: n.Relay, Zone: n.Zone, Load: load, Listeners: r.listeners(rm), Standbys: len(r.standbys),
				})
			}
			if c == plan.Red {
				t.Nodes[i].Red = n.Parent
			} else {
				t.Nodes[i].Blue = n.Parent
			}
			t.Nodes[i].Depth = depth[n.Relay]
		}
	}
	return t
}

// finish makes the result of what was counted.
func (w *world) finish(short *Shortfall) {
	res := w.res
	struck, others := Gaps{Who: "struck"}, Gaps{Who: "others"}
	var struckGaps, othersGaps, struckHurt, othersHurt histogram
	for id := range w.people {
		l := &w.people[id]
		if l.awake != nil && !l.left {
			w.advance(int32(id), w.now)
			w.giveUp(l, w.now)
		}
		if !l.left {
			w.expected(l)
			if !w.served(l) {
				res.Unserved++
			}
		}
		g, all, hurt := &others, &othersGaps, &othersHurt
		if l.struck {
			g, all, hurt = &struck, &struckGaps, &struckHurt
		}
		if l.first < 0 {
			continue
		}
		g.Listeners++
		g.Lost += int64(l.lost)
		gap := time.Duration(l.gap) * frame
		all.note(gap)
		if l.lost > 0 {
			g.Hurt++
			hurt.note(gap)
		}
	}
	w.reckon()
	res.Unserved += res.Joins.Failed // they came to listen, too
	others.Lost += w.overloaded
	struck.Gap, struck.Bins = struckGaps.times(), struckHurt.bins()
	others.Gap, others.Bins = othersGaps.times(), othersHurt.bins()
	res.Gaps = []Gaps{struck, others}
	for _, s := range w.speakers {
		if s.outSince != never {
			w.out(w.now - s.outSince)
		}
	}
	res.Speakers.Speakers = len(w.speakers)
	res.Listeners = res.Joins.Arrived
	res.Lost = w.lostNow + w.overloaded
	res.EndMS = (w.now - warmUp).Milliseconds()
	w.finishJoins()
	for cause := range w.hopTimes {
		if h := &w.hopTimes[cause]; h.n > 0 {
			res.Hops = append(res.Hops, Hops{Cause: hop.Cause(cause).String(), Count: h.n, Took: h.times(), Bins: h.bins()})
		}
	}
	for _, h := range w.events {
		h.AtMS -= warmUp.Milliseconds()
		res.Happened = append(res.Happened, h.Happening)
	}
	res.Load = spreadOf(w.bestLoad)
	w.finishSpreads()
	w.finishTrees()
	if res.Unserved > 0 {
		res.Shortfall = short
	}
	for _, f := range w.c.Figures() {
		res.Constants = append(res.Constants, Constant{Name: string(f.Key), Value: f.Value, Unit: f.Unit, Source: f.Source})
	}
	res.Promises = w.promises()
}

// served reports whether somebody hears something: there is a relay, and it has the
// room.
func (w *world) served(l *listener) bool {
	if l.first < 0 || l.primary == nobody || !w.relays[l.primary].alive() {
		return false
	}
	p := w.rooms[l.room].parts[l.primary]
	return p != nil && p.fed
}

func (w *world) finishJoins() {
	j := &w.res.Joins
	j.FirstAudio = w.firstAudio.times()
	j.AllInMS = -1
	if w.res.Unserved == 0 {
		from := w.readyAt
		if from == 0 || !w.adds() {
			for _, v := range w.waves {
				from = max(from, warmUp+v.From.get()+v.Over.get())
			}
		}
		j.AllInMS = max(0, (w.lastIn - from).Milliseconds())
	}
}

func (w *world) adds() bool {
	return slices.ContainsFunc(w.s.Happenings, func(h Strike) bool { return h.Do == "add" })
}

// finishSpreads is how evenly the relays of each zone are used at the end.
func (w *world) finishSpreads() {
	for zone, ids := range w.byZone {
		var loads []float64
		for _, id := range ids {
			if r := w.relays[id]; r.ready() && len(r.primaries) > 0 {
				loads = append(loads, w.loadOf(r))
			}
		}
		w.res.Spreads = append(w.res.Spreads, ZoneSpread{Zone: w.zones[zone], Relays: len(loads), Spread: spreadOf(loads)})
	}
}

// finishTrees is how the rooms get around at the end.
func (w *world) finishTrees() {
	after := w.snapshotTree()
	before := w.before
	if before == nil {
		before = &Tree{Room: after.Room, Nodes: []TreeNode{}}
	}
	w.res.Before, w.res.After = *before, *after
	for _, rm := range w.rooms {
		newest := rm.newest[0]
		if newest == nil {
			continue
		}
		feeds := make(map[string]int)
		depth := make(map[string]int)
		for _, c := range plan.Colours {
			for _, n := range newest.Tree(c) {
				feeds[n.Relay] += len(n.Children)
				depth[n.Relay] = max(depth[n.Relay], n.Depth)
			}
		}
		for _, r := range newest.Relays() {
			w.res.Degrees = tallied(w.res.Degrees, feeds[r.Name])
			w.res.Depths = tallied(w.res.Depths, depth[r.Name])
		}
	}
}

func tallied(counts []int, i int) []int {
	for len(counts) <= i {
		counts = append(counts, 0)
	}
	counts[i]++
	return counts
}

func spreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	sum := 0.0
	for _, v := range sorted {
		sum += v
	}
	at := func(q float64) float64 {
		return round(sorted[min(max(int(math.Ceil(q*float64(len(sorted))-1e-9))-1, 0), len(sorted)-1)])
	}
	return Spread{P50: at(0.5), P99: at(0.99), Max: at(1), Mean: round(sum / float64(len(sorted)))}
}

func round(v float64) float64 { return math.Round(100*v) / 100 }

// shortfall says what a scenario lacks, if its listeners do not fit on its relays
// with the longest packets; nil if they do, or if they do not stay.
func (w *world) shortfall() *Shortfall {
	if w.s.Stay > 0 {
		return nil
	}
	listeners := 0
	for _, a := range w.s.Arrivals {
		listeners += a.Listeners
	}
	each, limit := w.s.Network.Capacity, "capacity"
	if n := int(0.85 * float64(w.s.Network.Cores) / w.perListener[1]); n < each {
		each, limit = n, "processors"
	}
	if egress := w.s.Network.Egress; egress > 0 {
		if n := int(float64(egress) / cost.Rate(lengths[1])); n < each {
			each, limit = n, "egress"
		}
	}
	places := each * w.totalRelays()
	if listeners <= places {
		return nil
	}
	more := (listeners - places + each - 1) / max(each, 1)
	return &Shortfall{
		Listeners: listeners - places, Capacity: places, Relays: more, Limit: limit,
		Text: fmt.Sprintf("%d listeners and places for %d: %d have none. A relay has %d by its %s; %d more of the same would do",
			listeners, places, listeners-places, each, limit, more),
	}
}
