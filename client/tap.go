package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/client/hop"
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

	called toggle          // the machine wants it subscribed to
	from   protocol.OptSeq // the first frame wanted; guarded by the Listener's mu

	// What can be subscribed to and fetched; nil until it is known.
	ready atomic.Pointer[intake]
}

// call subscribes or ends the subscription, as the machine says. The Listener's
// mu is held.
func (p *tap) call(e hop.Effect) {
	p.from = protocol.OptSeq{}
	if e.Resume {
		p.from = protocol.Seq(e.Start)
	}
	p.called.set(e.Kind == hop.Subscribe)
}

// An intake is what a tap can subscribe to. It is constant.
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
			p.complain(err)
		}
		if sleep(ctx, pause.next(time.Since(begun), rand.Float64())) != nil {
			return
		}
	}
}

// complain says why the speaker cannot be heard, if by this session he should.
func (p *tap) complain(err error) {
	level := slog.LevelDebug
	if called, _ := p.called.get(); called {
		level = slog.LevelWarn
	}
	p.feed.l.log.Log(context.Background(), level, "speaker cannot be heard",
		"speaker", p.track.key.speaker, "relay", p.feed.session.Relay(), "cause", err)
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

// known returns the speaker's catalog, whichever session brought it.
func (p *tap) known(ctx context.Context) (protocol.Catalog, error) {
	patience := time.NewTicker(catalogPatience)
	defer patience.Stop()
	for {
		select {
		case <-p.track.known:
			p.feed.l.mu.Lock()
			defer p.feed.l.mu.Unlock()
			return *p.track.catalog, nil
		case c := <-p.catalogs:
			return c, nil
		case <-patience.C:
			if used, _ := p.feed.inUse.get(); used {
				return protocol.Catalog{}, errNoCatalog
			}
		case <-ctx.Done():
			return protocol.Catalog{}, context.Cause(ctx)
		}
	}
}

// catalogPatience is how long to wait for a catalog before saying so.
const catalogPatience = 10 * time.Second

var errNoCatalog = errors.New("no usable catalog.json came")

// listenTo listens, whenever it is called, to what it chooses from a catalog. It
// returns a newer catalog when that offers something else.
func (p *tap) listenTo(ctx context.Context, c protocol.Catalog) (*protocol.Catalog, error) {
	chosen, err := choose(c, p.wanted())
	if err != nil {
		p.feed.l.log.Warn("speaker cannot be heard", "speaker", p.track.key.speaker, "cause", err)
		return p.otherCatalog(ctx)
	}
	in, err := p.prepare(ctx, chosen)
	if err != nil {
		return nil, err
	}
	if err := p.begin(in, c); err != nil {
		return nil, err
	}
	p.ready.Store(in)
	defer p.ready.Store(nil)
	for {
		if p.called.wanted(ctx) != nil {
			return nil, nil
		}
		if newer := p.outdated(in); newer != nil {
			return newer, nil
		}
		sub, err := p.subscribe(ctx, in)
		if err != nil {
			return nil, err
		}
		newer, err := p.follow(ctx, in, sub)
		sub.Close()
		if !errors.Is(err, errUncalled) {
			return newer, err
		}
	}
}

// differs reports whether something else would be chosen from a catalog, or
// nothing.
func (p *tap) differs(in *intake, c protocol.Catalog) bool {
	other, err := choose(c, p.wanted())
	return err != nil || !in.choice.same(other)
}

// otherCatalog waits for one, after one that was of no use.
func (p *tap) otherCatalog(ctx context.Context) (*protocol.Catalog, error) {
	select {
	case c := <-p.catalogs:
		return &c, nil
	case <-ctx.Done():
		return nil, nil
	}
}

// outdated returns the catalog that another session has brought, if something
// else would be chosen from it.
func (p *tap) outdated(in *intake) *protocol.Catalog {
	p.feed.l.mu.Lock()
	c := *p.track.catalog
	p.feed.l.mu.Unlock()
	if other, err := choose(c, p.wanted()); err == nil && !in.choice.same(other) {
		return &c
	}
	return nil
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

// wanted is the packet length to ask for: what the user wants, or the first
// relay did, or what is usual. Relays that want other packets of newcomers get
// what the buffers were made for from one who hops.
func (p *tap) wanted() time.Duration {
	p.feed.l.mu.Lock()
	defer p.feed.l.mu.Unlock()
	return p.feed.l.packet
}

// begin makes sure that the track has a buffer.
func (p *tap) begin(in *intake, c protocol.Catalog) error {
	l := p.feed.l
	l.mu.Lock()
	if p.track.catalog == nil {
		close(p.track.known)
	}
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

// subscribe begins at the first frame that no session has brought.
func (p *tap) subscribe(ctx context.Context, in *intake) (*session.Subscription, error) {
	size := uint64(in.format.size)
	p.feed.l.mu.Lock()
	start := p.track.resume(in.format.size)
	if p.from.OK && !start.OK {
		start = protocol.Seq(p.from.Value / size)
	}
	p.feed.l.mu.Unlock()
	return p.feed.session.Subscribe(ctx, protocol.Subscribe{
		Broadcast: p.path,
		Track:     in.track.Track,
		Delivery:  protocol.Delivery{Priority: audioPriority, Start: start},
	}, audioSink{in})
}

// errUncalled ends a subscription that is not wanted for now.
var errUncalled = errors.New("not called any more")

// follow waits until a catalog comes from which something else would be chosen,
// which it returns, or the subscription is over.
func (p *tap) follow(ctx context.Context, in *intake, sub *session.Subscription) (*protocol.Catalog, error) {
	for {
		called, changed := p.called.get()
		if !called {
			return nil, errUncalled
		}
		select {
		case <-changed:
		case c := <-p.catalogs:
			if p.differs(in, c) {
				return &c, nil
			}
		case <-sub.Done():
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
