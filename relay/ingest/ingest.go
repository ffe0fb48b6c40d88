package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

// Config says what a session may publish.
type Config struct {
	// Root is where the session's paths hang in the relay's.
	Root protocol.Path
	// Prefixes may be published, relative to Root. Empty means nothing.
	Prefixes []protocol.Path
	// Path is what a broadcast that the session calls name is called here. Nil
	// hangs it below Root.
	Path func(name protocol.Path) protocol.Path
	// Relay says that the session is another relay's. What it forwards was
	// checked where it came in, and what it may not forward is left out without
	// ending the session, which carries other rooms.
	Relay bool
	// HopID is this relay's.
	HopID uint64
	// MaxBroadcasts is how many broadcasts the session may have live at once.
	// Zero means 64.
	MaxBroadcasts int
	// Reserved reports whether a path is the relay's own. Nil reserves nothing.
	Reserved func(protocol.Path) bool
	// OnOffers is called when the peer has told what it has, and whenever the number
	// of broadcasts that are taken from it has changed. Nil is called for none.
	OnOffers func(broadcasts int)
	// OnLive is called when a broadcast begins, and what it returns when it ends.
	// Nil is called for none.
	OnLive func(protocol.Path) (ended func())
	// Gate is called when a broadcast begins. While the flag that it returns is set,
	// nothing of the broadcast is taken but its catalog; release is called when the
	// broadcast ends. Nil never shuts.
	Gate func(protocol.Path) (shut *atomic.Bool, release func())
	// OnDrop counts a group that was not taken. Nil counts nothing.
	OnDrop func(Drop)
	// Logger receives what an operator should see. Nil discards it.
	Logger *slog.Logger
}

// Ingest is what one session publishes.
type Ingest struct {
	cfg     Config
	origin  *room.Origin
	session *session.Session
	started time.Time
	heard   heard

	accepted atomic.Uint64
	bad      atomic.Uint64 // in a row
	lastLog  atomic.Int64

	mu      sync.Mutex
	live    map[protocol.Path]*room.Publication
	release map[protocol.Path]func() // what OnLive and Gate returned
}

// New makes the ingest of a session.
func New(origin *room.Origin, s *session.Session, cfg Config) *Ingest {
	if cfg.MaxBroadcasts == 0 {
		cfg.MaxBroadcasts = 64
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Ingest{
		cfg:     cfg,
		origin:  origin,
		session: s,
		started: time.Now(),
		live:    make(map[protocol.Path]*room.Publication),
		release: make(map[protocol.Path]func()),
	}
}

// Run follows the session's announcements until ctx or the session ends, or the
// peer does something that ends it, which is the error.
func (in *Ingest) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer in.closeAll()
	var tasks sync.WaitGroup
	for _, prefix := range in.cfg.Prefixes {
		tasks.Go(func() {
			if err := in.follow(ctx, prefix); err != nil {
				stop(err)
			}
		})
	}
	tasks.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (in *Ingest) closeAll() {
	in.mu.Lock()
	defer in.mu.Unlock()
	for name, p := range in.live {
		in.drop(name, p)
	}
}

// follow reads the announcements below one prefix.
func (in *Ingest) follow(ctx context.Context, prefix protocol.Path) error {
	a, err := in.session.Announced(ctx, prefix, in.cfg.HopID)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, a.Close)()
	defer a.Close()
	initial, err := a.Initial()
	for told := uint64(0); err == nil; told++ {
		if told >= initial {
			in.offers()
		}
		var msg protocol.Announce
		msg, err = a.Next()
		if err != nil {
			break
		}
		name := prefix.Join(msg.Suffix)
		if msg.Status == protocol.AnnounceEnded {
			in.end(name)
			continue
		}
		if err := in.begin(name, msg.Hops); err != nil {
			return err
		}
	}
	if errors.Is(err, io.EOF) || ctx.Err() != nil {
		return nil
	}
	return err
}

// offers tells how many broadcasts are taken from the session.
func (in *Ingest) offers() {
	if in.cfg.OnOffers == nil {
		return
	}
	in.mu.Lock()
	live := len(in.live)
	in.mu.Unlock()
	in.cfg.OnOffers(live)
}

func (in *Ingest) begin(name protocol.Path, hops []uint64) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	path := in.path(name)
	if in.cfg.Reserved != nil && in.cfg.Reserved(path) {
		return session.Refuse(protocol.CodeUnauthorized, "broadcast %q: the name is the relay's own", path)
	}
	if len(path.Segments()) > protocol.MaxSegments {
		return session.Refuse(protocol.CodeBounds, "broadcast %q: more than %d segments below the session's root", path, protocol.MaxSegments)
	}
	if len(path.Segments()) == 0 {
		return session.Refuse(protocol.CodeProtocol, "a broadcast needs a name, such as ROOM/SPEAKER")
	}
	if p, ok := in.live[name]; ok {
		if len(hops) > 0 && p.Broadcast.Publisher == hops[0] && hops[0] != 0 {
			p.Reroute(hops)
			return nil
		}
		in.drop(name, p) // another publisher took the path over there
	}
	if len(in.live) >= in.cfg.MaxBroadcasts && !in.cfg.Relay {
		return session.Refuse(protocol.CodeBounds, "more than %d live broadcasts in one session", in.cfg.MaxBroadcasts)
	}
	src := &source{ingest: in, path: path, name: name}
	release := func() {}
	if in.cfg.Gate != nil {
		src.shut, release = in.cfg.Gate(path)
	}
	p, err := in.origin.Publish(path, hops, src)
	if err != nil {
		release()
	}
	switch {
	case errors.Is(err, room.ErrTaken) && in.cfg.Relay:
		in.cfg.Logger.Warn("another publisher's broadcast of the same name is live here", "broadcast", path)
		return nil
	case errors.Is(err, room.ErrTaken):
		return session.Refuse(protocol.CodeDuplicate, "broadcast %q is live from another publisher; choose another name", path)
	case err != nil:
		return nil // a reflection of what this relay announced itself
	}
	in.live[name] = p
	in.cfg.Logger.Info("broadcast live", "broadcast", path)
	in.release[name] = release
	if in.cfg.OnLive != nil {
		ended := in.cfg.OnLive(path)
		in.release[name] = func() { ended(); release() }
	}
	return nil
}

func (in *Ingest) path(name protocol.Path) protocol.Path {
	if in.cfg.Path != nil {
		return in.cfg.Path(name)
	}
	return in.cfg.Root.Join(name)
}

// drop ends a broadcast's publication here. in.mu is held.
func (in *Ingest) drop(name protocol.Path, p *room.Publication) {
	p.Close()
	delete(in.live, name)
	if release := in.release[name]; release != nil {
		release()
		delete(in.release, name)
	}
}

func (in *Ingest) end(name protocol.Path) {
	in.mu.Lock()
	defer in.mu.Unlock()
	p, ok := in.live[name]
	if !ok {
		return
	}
	in.drop(name, p)
	in.cfg.Logger.Info("broadcast ended by its publisher", "broadcast", in.path(name))
}

func (in *Ingest) alive() bool {
	return in.session.Context().Err() == nil &&
		in.heard.update(in.session.Conn().Stats().PacketsReceived, time.Now())
}

// maxBad is how many groups in a row may be refused before the publisher is told
// and sent away: one second of nonsense.
const maxBad = 50

// dropped counts a refused group. A publisher that sends nothing else is closed
// with the reason: it can mend itself only if it hears of it.
func (in *Ingest) dropped(path protocol.Path, why Drop) {
	if in.cfg.OnDrop != nil {
		in.cfg.OnDrop(why)
	}
	if good := in.accepted.Swap(0); good > 0 {
		in.bad.Store(0)
	}
	n := in.bad.Add(1)
	now := time.Now().UnixNano()
	if last := in.lastLog.Load(); now-last > int64(time.Second) && in.lastLog.CompareAndSwap(last, now) {
		in.cfg.Logger.Warn("publisher's groups refused", "broadcast", path, "reason", string(why), "in_a_row", n)
	}
	if n >= maxBad && why != Flood {
		in.session.Close(protocol.CodeProtocol, fmt.Sprintf("%s of %s: %s", protocol.TrackAudio, path, advice[why]))
	}
}

// advice tells a publisher what to do about its refused groups.
var advice = map[Drop]string{
	NotOpus:   "not an Opus packet (RFC 6716) behind a timestamp; send 20 ms Opus packets in the legacy container",
	TooLarge:  "packets above 1176 bytes; lower the bitrate",
	Jump:      "the group sequence jumps; number groups consecutively",
	Backwards: "timestamps step back; use a monotonic clock",
}

// broken counts a group stream that could not be read.
func (in *Ingest) broken(path protocol.Path, err error) {
	if errors.Is(err, protocol.ErrMalformed) {
		in.dropped(path, NotOpus)
	}
}
