package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// Priorities of subscriptions; the values that other players use.
const (
	catalogPriority = 100
	audioPriority   = 80
)

// A tap is one speaker's way through one session.
type tap struct {
	feed  *feed
	path  protocol.Path // of the broadcast within the session
	track *track        // set before start

	cancel context.CancelFunc
	tasks  sync.WaitGroup

	catalogs chan protocol.Catalog // the newest; holds one

	// What is subscribed to; nil while nothing is.
	using atomic.Pointer[intake]
}

// An intake is what a tap is subscribed to. It is constant.
type intake struct {
	tap    *tap
	choice choice
	track  protocol.Rendition // the one of choice that is subscribed to
	format format
}

func newTap(f *feed, speaker string) *tap {
	return &tap{
		feed:     f,
		path:     f.room.Join(protocol.Path(speaker)),
		catalogs: make(chan protocol.Catalog, 1),
	}
}

// start follows the speaker in the background.
func (p *tap) start(ctx context.Context) {
	ctx, p.cancel = context.WithCancel(ctx)
	p.tasks.Go(func() { p.run(ctx) })
}

// close ends the tap, waits for it and takes it off its track.
func (p *tap) close() {
	p.cancel()
	p.tasks.Wait()
	p.feed.l.leave(p.track, p)
}

// run subscribes, and again whenever that fails, while the speaker is announced.
func (p *tap) run(ctx context.Context) {
	p.tasks.Go(func() { p.keepCatalog(ctx) })
	var pause backoff
	for {
		begun := time.Now()
		err := p.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			p.feed.l.log.Warn("speaker cannot be heard", "speaker", p.track.key.speaker, "cause", err)
		}
		if sleep(ctx, pause.next(time.Since(begun), rand.Float64())) != nil {
			return
		}
	}
}

// listen subscribes once and returns when the subscription is over, or another
// is wanted.
func (p *tap) listen(ctx context.Context) error {
	catalog, err := p.known(ctx)
	if err != nil {
		return err
	}
	for {
		again, err := p.listenTo(ctx, catalog)
		if again == nil {
			return err
		}
		catalog = *again
	}
}

// known returns the speaker's catalog: from another session, or this one's.
func (p *tap) known(ctx context.Context) (protocol.Catalog, error) {
	p.feed.l.mu.Lock()
	known := p.track.catalog
	p.feed.l.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	patience := time.NewTimer(catalogPatience)
	defer patience.Stop()
	select {
	case c := <-p.catalogs:
		return c, nil
	case <-patience.C:
		return protocol.Catalog{}, errNoCatalog
	case <-ctx.Done():
		return protocol.Catalog{}, context.Cause(ctx)
	}
}

// catalogPatience is how long to wait for a catalog before saying so.
const catalogPatience = 10 * time.Second

var errNoCatalog = errors.New("no usable catalog.json came")

// listenTo listens to what it chooses from a catalog. It returns a newer catalog
// when that offers something else.
func (p *tap) listenTo(ctx context.Context, c protocol.Catalog) (*protocol.Catalog, error) {
	chosen, err := choose(c, p.wanted())
	if err != nil {
		return p.nextCatalog(ctx, chosen, nil, err)
	}
	in, err := p.prepare(ctx, chosen)
	if err != nil {
		return nil, err
	}
	if err := p.begin(in, c); err != nil {
		return nil, err
	}
	select {
	case <-p.feed.inUse:
	case <-ctx.Done():
		return nil, nil
	}
	p.using.Store(in)
	defer p.using.Store(nil)
	sub, err := p.subscribe(ctx, in)
	if err != nil {
		return nil, err
	}
	defer sub.Close()
	return p.nextCatalog(ctx, in.choice, sub, nil)
}

// prepare asks about the chosen track, or about the single packets if there
// are no bundles: not every relay makes them.
func (p *tap) prepare(ctx context.Context, chosen choice) (*intake, error) {
	track, size := chosen.source, 1
	if chosen.bundle.Track != "" {
		track, size = chosen.bundle, protocol.BundleSize(chosen.bundle.Track)
	}
	info, err := p.feed.session.TrackInfo(ctx, p.path, track.Track)
	if err != nil && size > 1 && ctx.Err() == nil {
		track, size, chosen.bundle = chosen.source, 1, protocol.Rendition{}
		info, err = p.feed.session.TrackInfo(ctx, p.path, track.Track)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", track.Track, err)
	}
	return &intake{
		tap:    p,
		choice: chosen,
		track:  track,
		format: format{container: track.Container, size: size, timescale: info.Timescale},
	}, nil
}

// wanted is the packet length to ask for: what the user wants, or the relay, or
// what is usual.
func (p *tap) wanted() time.Duration {
	if want := p.feed.l.o.Packet; want != 0 {
		return want
	}
	if setup, _ := p.feed.session.Peer(); setup.Packet != 0 {
		return setup.Packet
	}
	return defaultPacket
}

// begin makes sure that the track has a buffer.
func (p *tap) begin(in *intake, c protocol.Catalog) error {
	l := p.feed.l
	l.mu.Lock()
	p.track.catalog = &c
	l.mu.Unlock()
	return l.begin(p.track, Track{
		Room:       l.o.Room,
		Speaker:    p.track.key.speaker,
		Origin:     p.track.key.origin,
		SampleRate: int(in.track.SampleRate),
		Channels:   int(in.track.Channels),
		Packet:     time.Duration(in.format.size) * FrameDuration,
	})
}

func (p *tap) subscribe(ctx context.Context, in *intake) (*session.Subscription, error) {
	p.feed.l.mu.Lock()
	start := p.track.resume(in.format.size)
	p.feed.l.mu.Unlock()
	return p.feed.session.Subscribe(ctx, protocol.Subscribe{
		Broadcast: p.path,
		Track:     in.track.Track,
		Delivery:  protocol.Delivery{Priority: audioPriority, Start: start},
	}, audioSink{in})
}

// nextCatalog waits until a catalog comes from which something else would be
// chosen, or the subscription is over; without one, reason is why there is none.
func (p *tap) nextCatalog(ctx context.Context, chosen choice, sub *session.Subscription, reason error) (*protocol.Catalog, error) {
	var done <-chan struct{}
	if sub != nil {
		done = sub.Done()
	} else {
		p.feed.l.log.Warn("speaker cannot be heard", "speaker", p.track.key.speaker, "cause", reason)
	}
	for {
		select {
		case c := <-p.catalogs:
			if other, err := choose(c, p.wanted()); sub == nil || err != nil || !chosen.same(other) {
				return &c, nil
			}
		case <-done:
			if err := sub.Err(); !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("%s: %w", sub.Request.Track, err)
			}
			return nil, nil
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// same reports whether two choices mean the same tracks. A relay that makes no
// bundles has cut them from the choice that is in use.
func (ch choice) same(other choice) bool {
	return ch.source == other.source && (ch.bundle == other.bundle || ch.bundle.Track == "")
}
