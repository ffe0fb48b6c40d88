package room

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

var (
	// ErrUnknown says that no such broadcast or track is live here.
	ErrUnknown = errors.New("not live here")
	// ErrTaken says that another publisher's broadcast of that name is live.
	ErrTaken = errors.New("live from another publisher")
)

// A Broadcast is what one publisher publishes under a path, by whatever routes
// it reaches this relay. Another publisher's broadcast under the same path is
// another Broadcast.
type Broadcast struct {
	Path protocol.Path
	// Publisher is the hop id of the original publisher: with Path, the identity
	// that stays the same over every route.
	Publisher uint64

	origin *Origin

	mu      sync.Mutex
	sources []*source // fewest hops first
	tracks  map[string]*Track
	voice   *protocol.Voice // what of it is for listeners; nil: everything
	arrived chan struct{}   // closed and made anew when a source comes, or the end
	retired bool
	linger  *time.Timer // runs while there is no source
}

// Track returns a track of the broadcast, asking a source what it is where that
// is not known yet. Derived tracks (audio/60ms, audio/120ms) are made here.
func (b *Broadcast) Track(ctx context.Context, name string) (*Track, error) {
	b.mu.Lock()
	if b.retired {
		b.mu.Unlock()
		return nil, ErrUnknown
	}
	t := b.tracks[name]
	if t == nil {
		t = newTrack(b, name)
		t.hear(b.voice)
		b.tracks[name] = t
		b.origin.tasks.Go(func() { b.resolve(t) })
	}
	b.mu.Unlock()
	select {
	case <-t.ready:
		return t, t.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// resolve finds out what a track is.
func (b *Broadcast) resolve(t *Track) {
	ctx, stop := context.WithTimeout(b.origin.ctx, b.origin.cfg.ResolveTimeout)
	defer stop()
	info, err := b.lookUp(ctx, t)
	if err != nil {
		b.drop(t)
		t.err = fmt.Errorf("track %s of %s: %w", t.Name, b.Path, err)
		close(t.ready)
		return
	}
	t.setInfo(info)
	b.idle(t) // nobody has joined yet; if nobody does, it goes again
}

func (b *Broadcast) lookUp(ctx context.Context, t *Track) (protocol.TrackInfo, error) {
	if size := protocol.BundleSize(t.Name); size > 1 {
		base, err := b.Track(ctx, protocol.TrackAudio)
		if err != nil {
			return protocol.TrackInfo{}, err
		}
		t.bundler = newBundler(base, t, size)
		info := base.Info()
		info.Timescale = protocol.AudioTimescale
		return info, nil
	}
	if err := b.awaitSource(ctx); err != nil {
		return protocol.TrackInfo{}, err
	}
	err := ErrUnknown
	for _, src := range b.snapshot() {
		info, failed := src.TrackInfo(ctx, t.Name)
		if failed == nil {
			return info, nil
		}
		err = failed
		if src.FirstHand() && !errors.Is(failed, context.DeadlineExceeded) && ctx.Err() == nil {
			break // its publisher knows; relays would only ask each other in a circle
		}
	}
	return protocol.TrackInfo{}, err
}

// awaitSource waits until there is somewhere to take the broadcast from: its
// speaker may be between two relays.
func (b *Broadcast) awaitSource(ctx context.Context) error {
	for {
		b.mu.Lock()
		n, arrived, retired := len(b.sources), b.arrived, b.retired
		b.mu.Unlock()
		switch {
		case retired:
			return ErrUnknown
		case n > 0:
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (b *Broadcast) snapshot() []*source {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sources)
}

// Tracks returns the tracks that are open at this relay.
func (b *Broadcast) Tracks() []*Track {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]*Track, 0, len(b.tracks))
	for _, t := range b.tracks {
		select {
		case <-t.ready:
			if t.err == nil {
				out = append(out, t)
			}
		default:
		}
	}
	return out
}

// activate starts feeding a track that has its first member.
func (b *Broadcast) activate(t *Track) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reconcile(t)
}

// maxFeeds is how many sources a track takes at once: two, so that either may die
// unheard. Further ones wait for their turn.
const maxFeeds = 2

// feedHold is how long a feed goes on that a better source has made superfluous:
// longer than the better one takes to deliver.
const feedHold = 2 * time.Second

// reconcile starts feeds at the best sources and lets superfluous ones run out.
// b.mu is held.
func (b *Broadcast) reconcile(t *Track) {
	if t.bundler != nil || b.retired {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || len(t.members) == 0 {
		return
	}
	maps.DeleteFunc(t.feeds, func(src *source, f *running) bool { return f.over && src.ctx.Err() != nil })
	wanted := 0
	for _, src := range b.sources {
		f := t.feeds[src]
		switch {
		case src.ctx.Err() != nil:
			// it is about to leave
		case f != nil && f.over:
			// the track has ended there
		case wanted < maxFeeds:
			wanted++
			if f == nil {
				b.startFeed(t, src)
			} else if f.leaving != nil {
				f.leaving.Stop()
				f.leaving = nil
			}
		case f != nil && f.leaving == nil:
			f.leaving = time.AfterFunc(feedHold, f.stop)
		}
	}
}

// A running is a feed of a track at one source, or the memory that the track is
// over there. The track's lock guards it.
type running struct {
	stop    context.CancelFunc
	changed chan struct{} // what the members want has changed
	leaving *time.Timer   // runs while the feed is superfluous
	over    bool
}

// startFeed runs a feed. b.mu and t.mu are held.
func (b *Broadcast) startFeed(t *Track, src *source) {
	ctx, stop := context.WithCancel(src.ctx)
	f := &running{stop: stop, changed: make(chan struct{}, 1)}
	t.feeds[src] = f
	b.origin.tasks.Go(func() {
		defer stop()
		over := t.feed(ctx, src, f.changed)
		b.feedEnded(t, src, f, over)
	})
}

// feedEnded lets the next source take the place of one that is done, and ends a
// track that is over at all of them.
func (b *Broadcast) feedEnded(t *Track, src *source, f *running, over bool) {
	t.mu.Lock()
	if f.leaving != nil {
		f.leaving.Stop()
	}
	if over {
		f.over = true
	} else if t.feeds[src] == f {
		delete(t.feeds, src)
	}
	t.mu.Unlock()
	b.mu.Lock()
	b.reconcile(t) // a feed that was on its way out may have become wanted again
	t.mu.Lock()
	live := !over || slices.ContainsFunc(b.sources, func(s *source) bool { return t.feeds[s] != nil && !t.feeds[s].over })
	t.mu.Unlock()
	b.mu.Unlock()
	if !live {
		b.drop(t)
		t.finish()
	}
}

// idle gives a track without members some seconds, then lets it go: a listener
// that comes back in time finds the ring and the numbering as they were.
func (b *Broadcast) idle(t *Track) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.members) > 0 || t.ended || t.linger != nil {
		return
	}
	t.linger = time.AfterFunc(b.origin.cfg.Linger, func() {
		t.mu.Lock()
		t.linger = nil
		t.mu.Unlock()
		if t.finishIdle() {
			b.drop(t)
		}
	})
}

// drop forgets a track, so that the next to ask for it starts anew.
func (b *Broadcast) drop(t *Track) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tracks[t.Name] == t {
		delete(b.tracks, t.Name)
	}
}

// Fetch returns a group: from the ring, or from a source where the ring has a
// hole, or by waiting for it where it is expected next.
func (b *Broadcast) Fetch(ctx context.Context, track string, sequence uint64) (*Group, error) {
	t, err := b.Track(ctx, track)
	if err != nil {
		return nil, err
	}
	// In this order: a group that arrives between the two questions is found by
	// the second.
	if t.expects(sequence) {
		return t.await(ctx, sequence)
	}
	if g := t.group(sequence); g != nil {
		return g, nil
	}
	return b.repair(ctx, t, sequence)
}

// repair takes a missing group from a source and keeps it for the others who
// miss it.
func (b *Broadcast) repair(ctx context.Context, t *Track, sequence uint64) (*Group, error) {
	if t.bundler != nil || !t.inRing(sequence) {
		return nil, ErrUnknown
	}
	for _, src := range b.snapshot() {
		var frames []protocol.Frame
		err := src.Fetch(ctx, t.Name, sequence, func(f protocol.Frame) error {
			frames = append(frames, f)
			return nil
		})
		if err != nil || len(frames) != 1 {
			continue
		}
		t.Write(NewWhole(sequence, frames[0], time.Now()))
		if g := t.group(sequence); g != nil {
			return g, nil
		}
	}
	return nil, ErrUnknown
}

// retire ends the broadcast and all of its tracks.
func (b *Broadcast) retire() {
	b.mu.Lock()
	if b.retired {
		b.mu.Unlock()
		return
	}
	b.retired = true
	close(b.arrived)
	if b.linger != nil {
		b.linger.Stop()
	}
	tracks := make([]*Track, 0, len(b.tracks))
	for _, t := range b.tracks {
		tracks = append(tracks, t)
	}
	clear(b.tracks)
	sources := b.sources
	b.sources = nil
	b.mu.Unlock()
	for _, src := range sources {
		src.stop()
	}
	for _, t := range tracks {
		t.finish()
	}
}
