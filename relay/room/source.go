package room

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// A Source is where a broadcast can be taken from: the session of its speaker,
// or of another relay.
type Source interface {
	// TrackInfo asks what a track is.
	TrackInfo(ctx context.Context, track string) (protocol.TrackInfo, error)
	// Subscribe feeds t until the feed is closed or ends. The source checks what
	// comes before it calls t.Write.
	Subscribe(ctx context.Context, t *Track, d protocol.Delivery) (Feed, error)
	// Fetch asks for one group and calls each with its frames.
	Fetch(ctx context.Context, track string, group uint64, each func(protocol.Frame) error) error
	// Alive reports whether the source's session is heard from.
	Alive() bool
	// FirstHand reports that the source is the publisher's own session, and not
	// another relay's.
	FirstHand() bool
	// Restarts reports that groups are numbered from 0 again on each Subscribe,
	// so that a feed cannot be resumed.
	Restarts() bool
}

// A Feed is a running subscription at a source.
type Feed interface {
	Update(d protocol.Delivery) error
	Close()
	// Done is closed when the feed has ended; Err is then io.EOF if the track
	// ended, or why it broke.
	Done() <-chan struct{}
	Err() error
}

// source is a Source in a broadcast.
type source struct {
	Source
	hops []uint64
	ctx  context.Context // ends when the source leaves the broadcast
	stop context.CancelFunc
}

const (
	feedRetryMin = 100 * time.Millisecond
	feedRetryMax = 2 * time.Second
	// feedPatience is how often a feed may fail in a row before its track counts
	// as ended at this source.
	feedPatience = 5
	// updateDelay gathers the changes of many members into one SUBSCRIBE_UPDATE.
	updateDelay = 50 * time.Millisecond
)

// startPatience is how long a feed that asks for a start waits for its first
// group. A start may be ahead of the track, by mistake or on purpose, and then the
// source sends nothing for as long as it is.
const startPatience = 500 * time.Millisecond

// errAhead says that nothing came of a feed that had asked for a start.
var errAhead = errors.New("nothing from the start that was asked for")

// feed keeps a subscription at src running until ctx ends, the track ends there,
// or it cannot be had any more. It reports whether the track is over at src.
// changed says that the members' wishes may have.
func (t *Track) feed(ctx context.Context, src *source, changed <-chan struct{}) (over bool) {
	retry, live := feedRetryMin, false
	for failures := 0; ctx.Err() == nil; failures++ {
		began := time.Now()
		d := t.wants(live)
		f, err := src.Subscribe(ctx, t, d)
		if err == nil {
			err = t.attend(ctx, f, d, changed)
		}
		if ctx.Err() != nil {
			return false
		}
		if errors.Is(err, errAhead) {
			live = true
			failures--
			continue
		}
		if errors.Is(err, io.EOF) || src.Restarts() || failures >= feedPatience {
			return true
		}
		if time.Since(began) > feedRetryMax {
			failures, retry = 0, feedRetryMin
		}
		t.broadcast.origin.cfg.Logger.Debug("feed interrupted", "broadcast", t.broadcast.Path, "track", t.Name, "cause", err)
		select {
		case <-time.After(retry):
		case <-ctx.Done():
			return false
		}
		retry = min(2*retry, feedRetryMax)
	}
	return false
}

// attend passes changes of the members' wishes to a running feed until it ends.
func (t *Track) attend(ctx context.Context, f Feed, asked protocol.Delivery, changed <-chan struct{}) error {
	defer f.Close()
	var ahead <-chan time.Time
	if asked.Start.OK {
		timer := time.NewTimer(startPatience)
		defer timer.Stop()
		ahead = timer.C
	}
	for {
		select {
		case <-f.Done():
			return f.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ahead:
			if ahead = nil; !t.fed() {
				return errAhead
			}
			continue
		case <-changed:
		}
		select {
		case <-time.After(updateDelay):
		case <-f.Done():
			return f.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		d := combine(t.snapshot())
		d.Start = asked.Start // a start only matters at the start
		if d == asked {
			continue
		}
		if err := f.Update(d); err != nil {
			return err
		}
		asked = d
	}
}

// fed reports whether the track has ever had a group.
func (t *Track) fed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cache.any
}

func (t *Track) snapshot() []*Member {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.members
}
