package room

import (
	"context"
	"slices"
	"sync"

	"github.com/stentor-audio/stentor/protocol"
)

// A Watch tells one peer which broadcasts are live below a prefix. It holds only
// which paths have changed and what it said last, so a peer that reads slowly
// costs no more than one entry a path.
type Watch struct {
	origin  *Origin
	prefix  protocol.Path
	exclude uint64
	first   bool // only what is published at this relay itself

	notify chan struct{}

	mu      sync.Mutex
	changed map[protocol.Path]struct{}

	said map[protocol.Path][]uint64 // owned by the caller of Next
}

// Watch watches a prefix for a peer that must not be told of routes through the
// hop exclude (zero excludes none). Close it.
func (o *Origin) Watch(prefix protocol.Path, exclude uint64) *Watch {
	return o.watch(prefix, exclude, false)
}

// WatchFirstHand is [Origin.Watch] for what is published at this relay itself.
func (o *Origin) WatchFirstHand(prefix protocol.Path, exclude uint64) *Watch {
	return o.watch(prefix, exclude, true)
}

func (o *Origin) watch(prefix protocol.Path, exclude uint64, firstHand bool) *Watch {
	w := &Watch{
		origin:  o,
		prefix:  prefix,
		exclude: exclude,
		first:   firstHand,
		notify:  make(chan struct{}, 1),
		changed: make(map[protocol.Path]struct{}),
		said:    make(map[protocol.Path][]uint64),
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.watches[prefix] == nil {
		o.watches[prefix] = make(map[*Watch]struct{})
	}
	o.watches[prefix][w] = struct{}{}
	for path := range o.broadcasts {
		if path.HasPrefix(prefix) {
			w.mark(path)
		}
	}
	return w
}

// Close ends the watch.
func (w *Watch) Close() {
	o := w.origin
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.watches[w.prefix], w)
	if len(o.watches[w.prefix]) == 0 {
		delete(o.watches, w.prefix)
	}
}

// changed marks a path for everybody who watches a prefix of it. o.mu is held.
func (o *Origin) changed(path protocol.Path) {
	segments := path.Segments()
	prefix := protocol.Path("")
	for i := 0; ; i++ {
		for w := range o.watches[prefix] {
			w.mark(path)
		}
		if i == len(segments) {
			return
		}
		prefix = prefix.Join(protocol.Path(segments[i]))
	}
}

func (w *Watch) mark(path protocol.Path) {
	w.mu.Lock()
	w.changed[path] = struct{}{}
	w.mu.Unlock()
	select {
	case w.notify <- struct{}{}:
	default:
	}
}

// Poll returns what has changed since the last call, possibly nothing: paths
// relative to the prefix, in order.
func (w *Watch) Poll() []protocol.Announce {
	w.mu.Lock()
	paths := make([]protocol.Path, 0, len(w.changed))
	for path := range w.changed {
		paths = append(paths, path)
	}
	clear(w.changed)
	w.mu.Unlock()
	slices.Sort(paths)
	var out []protocol.Announce
	for _, path := range paths {
		if a, ok := w.difference(path); ok {
			out = append(out, a)
		}
	}
	return out
}

// WaitAny waits until one of the watches has something to poll.
func WaitAny(ctx context.Context, first *Watch, more ...*Watch) error {
	if len(more) == 0 { // by far the most common
		select {
		case <-first.notify:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	ctx, stop := context.WithCancel(ctx)
	var waiters sync.WaitGroup
	defer waiters.Wait()
	defer stop()
	found := make(chan error, 1+len(more))
	for _, w := range append([]*Watch{first}, more...) {
		waiters.Go(func() { found <- WaitAny(ctx, w) })
	}
	return <-found
}

// difference compares a path's state with what the peer was told last.
func (w *Watch) difference(path protocol.Path) (protocol.Announce, bool) {
	said, known := w.said[path]
	hops, live := w.state(path, said)
	suffix, _ := path.TrimPrefix(w.prefix)
	switch {
	case live && (!known || !slices.Equal(said, hops)):
		w.said[path] = hops
		return protocol.Announce{Status: protocol.AnnounceActive, Suffix: suffix, Hops: hops}, true
	case !live && known:
		delete(w.said, path)
		return protocol.Announce{Status: protocol.AnnounceEnded, Suffix: suffix}, true
	}
	return protocol.Announce{}, false
}

// state is the route to announce. A broadcast that waits for its next source
// stays as it was announced: its listeners keep their subscriptions.
func (w *Watch) state(path protocol.Path, said []uint64) (hops []uint64, live bool) {
	b, err := w.origin.Broadcast(path)
	if err != nil {
		return nil, false
	}
	if hops, ok := b.route(w.exclude, w.first); ok {
		return hops, true
	}
	if said != nil && b.lingering() && said[0] == b.Publisher {
		return said, true
	}
	return nil, false
}
