package room

import (
	"context"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// kept are the tracks that Keep takes: what a listener needs to go on.
var kept = []string{protocol.TrackAudio, protocol.TrackCatalog}

// keepRetry is how long Keep waits before it asks again for a track that could
// not be had.
const keepRetry = time.Second

// maxKept is how many broadcasts Keep takes at once. Rooms have few speakers at
// a time; who publishes more is served on demand.
const maxKept = 64

// Keep takes every audio track and catalog below prefix, although nobody here
// listens, until ctx ends. A listener who hops to this relay then finds in its
// rings what it missed, without a way to anywhere else.
func (o *Origin) Keep(ctx context.Context, prefix protocol.Path) {
	w := o.Watch(prefix, 0)
	defer w.Close()
	var tasks sync.WaitGroup
	defer tasks.Wait()
	live := make(map[protocol.Path]context.CancelFunc)
	defer func() {
		for _, stop := range live {
			stop()
		}
	}()
	for {
		for _, a := range w.Poll() {
			path := prefix.Join(a.Suffix)
			stop, known := live[path]
			if a.Status == protocol.AnnounceEnded {
				if known {
					stop()
					delete(live, path)
				}
				continue
			}
			if known || len(live) >= maxKept {
				continue
			}
			child, stop := context.WithCancel(ctx)
			live[path] = stop
			for _, name := range kept {
				tasks.Go(func() { o.keepTrack(child, path, name) })
			}
		}
		if WaitAny(ctx, w) != nil {
			return
		}
	}
}

// keepTrack takes one track until ctx ends, again whenever it ends: its
// publisher may have begun anew.
func (o *Origin) keepTrack(ctx context.Context, path protocol.Path, name string) {
	for ctx.Err() == nil {
		o.keepOnce(ctx, path, name)
		select {
		case <-time.After(keepRetry):
		case <-ctx.Done():
		}
	}
}

func (o *Origin) keepOnce(ctx context.Context, path protocol.Path, name string) {
	b, err := o.Broadcast(path)
	if err != nil {
		return
	}
	t, err := b.Track(ctx, name)
	if err != nil {
		return
	}
	k := &standIn{ended: make(chan struct{})}
	m, err := t.Join(k, protocol.Delivery{Priority: keepPriority, MaxLatency: uint64(minKeep / time.Millisecond)})
	if err != nil {
		return
	}
	defer m.Leave()
	select {
	case <-k.ended:
	case <-ctx.Done():
	}
}

// keepPriority is that of a listener to speech: between relays a kept track may
// become one that is listened to at any moment.
const keepPriority = 80

// A standIn is a member that wants the groups to come, and does nothing with them.
type standIn struct {
	once  sync.Once
	ended chan struct{}
}

func (k *standIn) Begin([]*Group) {}
func (k *standIn) Push(*Group)    {}
func (k *standIn) End(uint64)     { k.once.Do(func() { close(k.ended) }) }
