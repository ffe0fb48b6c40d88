package room

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// Config tunes an origin. The zero value is a working one.
type Config struct {
	// HopID is this relay's: routes that contain it are reflections.
	HopID uint64

	// Linger is how long a broadcast outlives its last source, and a track its
	// last listener. Zero means 5 s.
	Linger time.Duration

	// ResolveTimeout bounds the wait for TRACK_INFO. Zero means 5 s; clients give
	// up after 10 s.
	ResolveTimeout time.Duration

	// Logger receives what an operator should see. Nil discards it.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Linger == 0 {
		c.Linger = 5 * time.Second
	}
	if c.ResolveTimeout == 0 {
		c.ResolveTimeout = 5 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// An Origin is all broadcasts a relay knows. Its methods may be called from
// anywhere.
type Origin struct {
	cfg   Config
	ctx   context.Context
	stop  context.CancelFunc
	tasks sync.WaitGroup

	mu         sync.Mutex
	broadcasts map[protocol.Path]*Broadcast
	watches    map[protocol.Path]map[*Watch]struct{} // by prefix
}

// NewOrigin returns an origin without broadcasts. Close it.
func NewOrigin(cfg Config) *Origin {
	ctx, stop := context.WithCancel(context.Background())
	return &Origin{
		cfg:        cfg.withDefaults(),
		ctx:        ctx,
		stop:       stop,
		broadcasts: make(map[protocol.Path]*Broadcast),
		watches:    make(map[protocol.Path]map[*Watch]struct{}),
	}
}

// Close ends every broadcast and waits for what the origin started.
func (o *Origin) Close() {
	o.stop()
	o.mu.Lock()
	all := make([]*Broadcast, 0, len(o.broadcasts))
	for _, b := range o.broadcasts {
		all = append(all, b)
	}
	clear(o.broadcasts)
	o.mu.Unlock()
	for _, b := range all {
		b.retire()
	}
	o.tasks.Wait()
}

// A Publication is one source's hold on a broadcast.
type Publication struct {
	Broadcast *Broadcast

	origin *Origin
	source *source
}

// Publish says that src offers the broadcast at path by a route: the hop ids it
// came by, the original publisher's first. It returns [ErrTaken] while another
// publisher's broadcast of that path is live, and [ErrUnknown] for a route that
// runs through this relay.
func (o *Origin) Publish(path protocol.Path, hops []uint64, src Source) (*Publication, error) {
	if len(hops) == 0 || len(hops) > protocol.MaxHops || slices.Contains(hops, o.cfg.HopID) {
		return nil, ErrUnknown
	}
	ctx, stop := context.WithCancel(o.ctx)
	s := &source{Source: src, hops: slices.Clone(hops), ctx: ctx, stop: stop}

	o.mu.Lock()
	b := o.broadcasts[path]
	var replaced *Broadcast
	if b != nil && (b.Publisher != hops[0] || hops[0] == 0) {
		if b.alive() {
			o.mu.Unlock()
			stop()
			return nil, ErrTaken
		}
		replaced, b = b, nil
	}
	if b == nil {
		b = &Broadcast{
			Path:      path,
			Publisher: hops[0],
			origin:    o,
			tracks:    make(map[string]*Track),
			arrived:   make(chan struct{}),
		}
		o.broadcasts[path] = b
	}
	b.add(s)
	o.changed(path)
	o.mu.Unlock()

	if replaced != nil {
		replaced.retire()
	}
	return &Publication{Broadcast: b, origin: o, source: s}, nil
}

// Reroute says that the source now has the broadcast by another route of the
// same publisher.
func (p *Publication) Reroute(hops []uint64) {
	p.origin.mu.Lock()
	defer p.origin.mu.Unlock()
	p.Broadcast.reroute(p.source, slices.Clone(hops))
	p.origin.changed(p.Broadcast.Path)
}

// Close takes the source out of the broadcast. Its last source gone, the
// broadcast waits a while for the next before it ends.
func (p *Publication) Close() {
	o, b := p.origin, p.Broadcast
	o.mu.Lock()
	defer o.mu.Unlock()
	if left := b.remove(p.source); left == 0 && o.broadcasts[b.Path] == b {
		b.mu.Lock()
		b.linger = time.AfterFunc(o.cfg.Linger, func() { o.expire(b) })
		b.mu.Unlock()
	}
	o.changed(b.Path)
}

// expire ends a broadcast that no source has come back for.
func (o *Origin) expire(b *Broadcast) {
	o.mu.Lock()
	if len(b.snapshot()) > 0 || o.broadcasts[b.Path] != b {
		o.mu.Unlock()
		return
	}
	delete(o.broadcasts, b.Path)
	o.changed(b.Path)
	o.mu.Unlock()
	b.retire()
}

// Broadcast returns the broadcast that is live at path, or [ErrUnknown].
func (o *Origin) Broadcast(path protocol.Path) (*Broadcast, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if b := o.broadcasts[path]; b != nil {
		return b, nil
	}
	return nil, ErrUnknown
}

// Await returns the broadcast at path, waiting for it until ctx ends; the error
// is then ctx's cause.
func (o *Origin) Await(ctx context.Context, path protocol.Path) (*Broadcast, error) {
	if b, err := o.Broadcast(path); err == nil {
		return b, nil
	}
	w := o.Watch(path, 0)
	defer w.Close()
	for {
		if b, err := o.Broadcast(path); err == nil {
			return b, nil
		}
		if err := WaitAny(ctx, w); err != nil {
			return nil, err
		}
	}
}

// Broadcasts returns what is live below prefix, by path.
func (o *Origin) Broadcasts(prefix protocol.Path) []*Broadcast {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []*Broadcast
	for path, b := range o.broadcasts {
		if path.HasPrefix(prefix) {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b *Broadcast) int {
		switch {
		case a.Path < b.Path:
			return -1
		case a.Path > b.Path:
			return 1
		}
		return 0
	})
	return out
}
