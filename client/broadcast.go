package client

import (
	"context"
	"sync"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// A broadcast is what one speaker publishes, to however many sessions: its last
// frames and its catalog. Whoever publishes never waits for whoever serves:
// every subscription reads the ring at its own pace, and one that falls behind
// by more than the ring holds loses the oldest.
type broadcast struct {
	hopID   uint64
	catalog []byte

	mu      sync.Mutex
	ring    ring
	ended   bool
	serving int           // subscriptions that are being served
	changed chan struct{} // closed and replaced at every change

	dropped dropCounts
	levels  reports // how loud the speaker is
	guard   reports // what was found of an echo
}

func newBroadcast(hopID uint64, catalog protocol.Catalog) *broadcast {
	return &broadcast{hopID: hopID, catalog: catalog.JSON(), changed: make(chan struct{})}
}

// add publishes a frame and returns its sequence.
func (b *broadcast) add(timestamp uint64, opus []byte) uint64 {
	payload := protocol.AppendLegacy(make([]byte, 0, len(opus)+8), timestamp, opus)
	b.mu.Lock()
	defer b.mu.Unlock()
	seq := b.ring.add(held{timestamp: timestamp, payload: payload})
	b.wake()
	return seq
}

// end says that no frame comes any more.
func (b *broadcast) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		b.ended = true
		b.wake()
	}
}

func (b *broadcast) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// A view is what a broadcast holds at one moment.
type view struct {
	oldest, next uint64
	ended        bool
	serving      int
	changed      <-chan struct{} // closed once the view is out of date
}

func (b *broadcast) view() view {
	b.mu.Lock()
	defer b.mu.Unlock()
	return view{oldest: b.ring.oldest(), next: b.ring.next, ended: b.ended, serving: b.serving, changed: b.changed}
}

func (b *broadcast) frame(seq uint64) (held, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ring.at(seq)
}

// serve counts the subscriptions that are being served, by +1 and -1.
func (b *broadcast) serve(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.serving += n
	b.wake()
}

// drain waits until every subscription was given all there is, or ctx ends.
func (b *broadcast) drain(ctx context.Context) {
	for {
		now := b.view()
		if now.serving == 0 {
			return
		}
		select {
		case <-now.changed:
		case <-ctx.Done():
			return
		}
	}
}

// A publication is a broadcast as one session sees it: under the path that it
// has there.
type publication struct {
	*broadcast
	path protocol.Path
}

var _ session.Publisher = publication{}

var (
	catalogInfo = protocol.TrackInfo{MaxLatency: ringMillis, Timescale: 1000}
	audioInfo   = protocol.TrackInfo{MaxLatency: ringMillis, Timescale: protocol.AudioTimescale}
)

// ringMillis is how long groups stay to be had, in the words of TRACK_INFO.
const ringMillis = 5000

// Announce announces the broadcast while it lives.
func (p publication) Announce(ctx context.Context, w *session.AnnounceWriter) error {
	suffix, below := p.path.TrimPrefix(w.Request.Prefix)
	wanted := below && w.Request.ExcludeHop != p.hopID
	now := p.view()
	if !wanted || now.ended {
		if err := w.Initial(p.hopID, nil); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
	// No hops: this end is the source, and its id stands in ANNOUNCE_OK.
	active := []protocol.Announce{{Status: protocol.AnnounceActive, Suffix: suffix}}
	if err := w.Initial(p.hopID, active); err != nil {
		return err
	}
	if !p.untilEnded(ctx) {
		return nil
	}
	// A relay drops what comes behind the announcement of the end, and that must
	// not overtake the last frames.
	p.drain(ctx)
	if err := w.Announce(protocol.Announce{Status: protocol.AnnounceEnded, Suffix: suffix}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// untilEnded waits for the end of the broadcast; false if ctx ends first.
func (b *broadcast) untilEnded(ctx context.Context) bool {
	for {
		now := b.view()
		if now.ended {
			return true
		}
		select {
		case <-now.changed:
		case <-ctx.Done():
			return false
		}
	}
}

// Track says how the tracks are timed.
func (p publication) Track(_ context.Context, req protocol.TrackRequest) (protocol.TrackInfo, error) {
	if err := p.knows(req.Broadcast, req.Track); err != nil {
		return protocol.TrackInfo{}, err
	}
	switch req.Track {
	case protocol.TrackCatalog:
		return catalogInfo, nil
	case protocol.TrackLevel, protocol.TrackGuard:
		return reportInfo, nil
	}
	return audioInfo, nil
}

// knows refuses what is not published here. The bundles that the catalog offers
// are made by relays.
func (p publication) knows(path protocol.Path, track string) error {
	switch {
	case path != p.path:
		return session.Refuse(protocol.CodeNotFound, "broadcast %q is not here", path)
	case track != protocol.TrackCatalog && track != protocol.TrackAudio && p.reports(track) == nil:
		return session.Refuse(protocol.CodeNotFound, "track %q is not here", track)
	}
	return nil
}

// fetchAhead is how far beyond the newest frame a FETCH may wait for its group.
const fetchAhead = 50

// Fetch writes one group, if need be once it exists.
func (p publication) Fetch(ctx context.Context, req protocol.Fetch, w *session.GroupWriter) error {
	if err := p.knows(req.Broadcast, req.Track); err != nil {
		return err
	}
	if req.Track == protocol.TrackCatalog {
		if req.Group != 0 {
			return session.Refuse(protocol.CodeNotFound, "the catalog has one group")
		}
		return w.Write(protocol.Frame{Payload: p.catalog})
	}
	if p.reports(req.Track) != nil {
		return session.Refuse(protocol.CodeNotFound, "what is reported is not kept")
	}
	for {
		now := p.view()
		switch {
		case req.Group < now.oldest:
			return session.Refuse(protocol.CodeTooOld, "group %d is older than %d", req.Group, now.oldest)
		case req.Group < now.next:
			f, ok := p.frame(req.Group)
			if !ok {
				continue // left the ring just now
			}
			return w.Write(protocol.Frame{Timestamp: f.timestamp, Payload: f.payload})
		case now.ended, req.Group > now.next+fetchAhead:
			return session.Refuse(protocol.CodeNotFound, "group %d does not exist", req.Group)
		}
		select {
		case <-now.changed:
		case <-ctx.Done():
			return nil
		}
	}
}
