package room

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// cache is the ring of a track: its newest groups by sequence. It is plain data;
// the track that owns it locks.
type cache struct {
	keep      time.Duration // how long a group that is not the newest stays
	maxGroups int
	maxBytes  int64

	groups map[uint64]*Group
	order  []*Group // by arrival; order[first:] are held
	first  int
	bytes  atomic.Int64

	any    bool
	newest uint64
	floor  uint64 // sequences below are past: held once, or too late to matter
}

// verdict is what became of a group that a source brought.
type verdict int

const (
	accepted verdict = iota
	duplicate
	tooOld
)

func (c *cache) insert(g *Group) verdict {
	if held, ok := c.groups[g.Sequence]; ok && !held.cut() {
		return duplicate
	}
	if c.any && g.Sequence < c.floor {
		return tooOld
	}
	if c.groups == nil {
		c.groups = make(map[uint64]*Group)
	}
	c.groups[g.Sequence] = g
	c.order = append(c.order, g)
	g.attach(&c.bytes)
	if !c.any || g.Sequence > c.newest {
		c.newest, c.any = g.Sequence, true
	}
	c.evict(g.Arrived)
	return accepted
}

// evict lets go of what is too old or too much, but never of the newest group:
// a catalog may stay the same for hours.
func (c *cache) evict(now time.Time) {
	for len(c.order)-c.first > 1 {
		oldest := c.order[c.first]
		stale := now.Sub(oldest.Arrived) > c.keep
		if !stale && len(c.order)-c.first <= c.maxGroups && c.bytes.Load() <= c.maxBytes {
			break
		}
		c.order[c.first] = nil
		c.first++
		if oldest == c.groups[c.newest] {
			c.order = append(c.order, oldest) // it came before a straggler; it stays
			continue
		}
		oldest.detach()
		if c.groups[oldest.Sequence] == oldest {
			delete(c.groups, oldest.Sequence)
			c.floor = max(c.floor, oldest.Sequence+1)
		}
	}
	if c.first > 64 && c.first > len(c.order)/2 {
		c.order = append(c.order[:0], c.order[c.first:]...)
		c.first = 0
	}
}

// from returns the held groups a subscription with the given start begins with,
// oldest first: the newest alone where it names no start.
func (c *cache) from(start protocol.OptSeq) []*Group {
	if !c.any {
		return nil
	}
	if !start.OK {
		return []*Group{c.groups[c.newest]}
	}
	if start.Value > c.newest {
		return nil
	}
	var out []*Group
	if c.newest-start.Value < uint64(len(c.groups)) {
		for seq := start.Value; seq <= c.newest; seq++ {
			if g, ok := c.groups[seq]; ok {
				out = append(out, g)
			}
		}
		return out
	}
	for _, g := range c.order[c.first:] {
		if g.Sequence >= start.Value && c.groups[g.Sequence] == g {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b *Group) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return out
}
