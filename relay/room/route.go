package room

import (
	"cmp"
	"slices"
)

// add puts a source in, the shortest route first and of two equals the newer.
func (b *Broadcast) add(s *source) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.linger != nil {
		b.linger.Stop()
		b.linger = nil
	}
	b.sources = append([]*source{s}, b.sources...)
	b.sort()
	close(b.arrived)
	b.arrived = make(chan struct{})
	b.reconcileAll()
}

// reconcileAll follows a change of the sources. b.mu is held.
func (b *Broadcast) reconcileAll() {
	for _, t := range b.tracks {
		select {
		case <-t.ready:
			b.reconcile(t)
		default: // its first member does that
		}
	}
}

func (b *Broadcast) sort() {
	slices.SortStableFunc(b.sources, func(x, y *source) int { return cmp.Compare(len(x.hops), len(y.hops)) })
}

func (b *Broadcast) reroute(s *source, hops []uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.hops = hops
	b.sort()
	b.reconcileAll()
}

// remove takes a source out and returns how many are left.
func (b *Broadcast) remove(s *source) int {
	s.stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sources = slices.DeleteFunc(slices.Clone(b.sources), func(o *source) bool { return o == s })
	b.reconcileAll()
	return len(b.sources)
}

// alive reports whether any source's session is heard from.
func (b *Broadcast) alive() bool {
	return slices.ContainsFunc(b.snapshot(), func(s *source) bool { return s.Alive() })
}

// route is the best way to the broadcast for a peer: the shortest that does not
// run through the hop exclude (zero excludes none), and the publisher's own
// session if only first-hand ways count.
func (b *Broadcast) route(exclude uint64, firstHand bool) (hops []uint64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sources {
		if firstHand && !s.FirstHand() {
			continue
		}
		if exclude == 0 || !slices.Contains(s.hops, exclude) {
			return s.hops, true
		}
	}
	return nil, false
}

// lingering reports whether the broadcast waits for its next source.
func (b *Broadcast) lingering() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.linger != nil && !b.retired
}

// FirstHand reports whether the broadcast is published at this relay itself.
func (b *Broadcast) FirstHand() bool {
	return slices.ContainsFunc(b.snapshot(), func(s *source) bool { return s.FirstHand() })
}
