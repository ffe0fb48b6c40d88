package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/protocol"
)

// A feed is what one session brings to a Listener. It follows the room's
// announcements and prepares every track; what it subscribes to is said by the
// machine, so a feed can stand by at next to no cost.
type feed struct {
	l       *Listener
	line    *line
	session *Session
	room    protocol.Path // as it is called within the session
	inUse   toggle        // all there is is wanted: catalogs, too

	ctx context.Context

	roundTrip atomic.Int64 // ns

	voices map[hop.Track]*tap // guarded by the Listener's mu
	taps   map[string]*tap    // by speaker; owned by run
}

func newFeed(l *Listener, line *line) *feed {
	f := &feed{
		l:       l,
		line:    line,
		session: line.session,
		room:    line.session.Path(protocol.Path(l.o.Room)),
		ctx:     line.ctx,
		voices:  make(map[hop.Track]*tap),
		taps:    make(map[string]*tap),
	}
	f.roundTrip.Store(int64(f.session.Conn().Stats().RTT))
	return f
}

// run follows the room until the session or ctx ends, or the relay stops
// announcing, and waits for everything it started.
func (f *feed) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(f.session.Context(), cancel)
	defer stop()
	var besides sync.WaitGroup
	defer besides.Wait()
	besides.Go(func() { f.followFloor(ctx) })
	besides.Go(func() { f.line.followView(ctx, &f.inUse) })
	if err := f.follow(ctx); err != nil && ctx.Err() == nil {
		f.l.log.Warn("announcements ended", "relay", f.session.Relay(), "cause", err)
	}
	cancel()
	for _, p := range f.taps {
		p.close()
	}
}

// follow reads the announcements of the room.
func (f *feed) follow(ctx context.Context) error {
	a, err := f.session.Announced(ctx, f.room, 0)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, a.Close)()
	defer a.Close()
	if n, err := a.Initial(); err != nil {
		return err
	} else if n == 0 {
		f.l.log.Info("nobody speaks yet, waiting")
	}
	for {
		msg, err := a.Next()
		if err != nil {
			return err
		}
		f.announced(ctx, msg)
	}
}

// announced begins or ends the tap of a speaker.
func (f *feed) announced(ctx context.Context, msg protocol.Announce) {
	speaker := string(msg.Suffix)
	if speaker == "" || f.l.o.Speaker != "" && speaker != f.l.o.Speaker {
		return
	}
	old := f.taps[speaker]
	if msg.Status == protocol.AnnounceEnded {
		if old != nil {
			delete(f.taps, speaker)
			old.close()
		}
		return
	}
	key := trackKey{speaker: speaker}
	if len(msg.Hops) > 0 {
		key.origin = msg.Hops[0]
	}
	if key.origin != 0 && key.origin == f.l.o.self {
		return // one's own voice
	}
	if old != nil {
		if old.track.key == key && key.origin != 0 {
			return // the same voice over another route
		}
		delete(f.taps, speaker)
		old.close()
	}
	p := newTap(f, speaker)
	t, ok := f.l.join(key, p)
	if !ok {
		return
	}
	f.taps[speaker] = p
	p.start(ctx)
	f.l.announced(t, f.line)
}

// fetch asks the session for one group of one frame.
func (f *feed) fetch(ctx context.Context, path protocol.Path, track string, group uint64) (protocol.Frame, error) {
	var got *protocol.Frame
	req := protocol.Fetch{Broadcast: path, Track: track, Priority: audioPriority, Group: group}
	err := f.session.Fetch(ctx, req, func(frame protocol.Frame) error {
		if got == nil {
			got = &frame
		}
		return nil
	})
	if err != nil {
		return protocol.Frame{}, err
	}
	if got == nil {
		return protocol.Frame{}, fmt.Errorf("fetch: %w", errEmptyGroup)
	}
	return *got, nil
}

var errEmptyGroup = errors.New("the group is empty")
