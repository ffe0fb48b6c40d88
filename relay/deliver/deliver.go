package deliver

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/room"
)

// Config says what a session may see.
type Config struct {
	// Root is where the session's paths hang in the relay's.
	Root protocol.Path
	// Prefixes may be subscribed, relative to Root. Empty means nothing.
	Prefixes []protocol.Path
	// HopID is this relay's.
	HopID uint64
	// Want takes part in a room of the network, by its name, until the returned
	// function is called. Nil is a relay that stands alone.
	Want func(room string) (release func())
	// Relay says that the session is another relay's, which may ask for what is
	// published here first-hand.
	Relay bool
	// OnRoom is called when another relay asks for a room's announcements, and
	// what it returns when it no longer does. Nil is called for none.
	OnRoom func(room string) (gone func())
	// OnPlan is called when another relay follows the plan of a room; see
	// [PlanTrack]. Nil refuses it.
	OnPlan func(room string) Following
	// Stage is what may be followed of rooms' states; see [StateTrack]. Nil refuses
	// it.
	Stage Stage
	// Floor returns what says what of a crowded room is sent to listeners, in bytes,
	// and with it a channel that is closed when that changes; and what is to be called
	// when nobody asks any more. Nil refuses who asks.
	Floor func(room string) (floor func() ([]byte, <-chan struct{}), done func())
	// OnStage reports whether the session is that of somebody who speaks in a room,
	// and so gets everything. Nil is nobody's.
	OnStage func(room string) bool
	// Report answers another relay that asks about a room; see [Reports]. Nil
	// answers nobody.
	Report func(ctx context.Context, room, what string) ([]byte, error)
	// Operate does what the operator of another relay asks, with its argument, and
	// returns the answer when it is done; see [Operate]. Nil does nothing.
	Operate func(what string, argument uint64) ([]byte, error)
	// OnListen is called with 1 when the session begins to take audio of a room and
	// with -1 when it has ceased to. Nil is called for none.
	OnListen func(room string, n int)
	// Relays returns where the session may go on, as the JSON of the lobby, and a
	// channel that is closed when that changes. Nil is for a session that goes
	// nowhere.
	Relays func() (list []byte, changed <-chan struct{})
	// Logger receives what an operator should see. Nil discards it.
	Logger *slog.Logger
}

// Deliver serves one session. It implements [session.Publisher].
type Deliver struct {
	origin *room.Origin
	begin  chan struct{} // closed by Start

	// Set by Start, constant afterwards.
	cfg Config

	Counters Counters

	mu     sync.Mutex
	rooms  map[string]int // subscriptions to audio, by room
	floors map[string]int // subscriptions to what of a room is sent, by room
	tick   ticker

	tasks sync.WaitGroup // group streams that are being written
}

// New makes the delivery of a session whose rights are not known yet: requests
// wait for Start.
func New(origin *room.Origin) *Deliver {
	return &Deliver{origin: origin, begin: make(chan struct{})}
}

// Start says what the session may see. It must be called once.
func (d *Deliver) Start(cfg Config) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Prefixes = outermost(cfg.Prefixes)
	d.cfg = cfg
	close(d.begin)
}

// outermost leaves out prefixes that lie within others, so that nothing below
// them is announced twice.
func outermost(prefixes []protocol.Path) []protocol.Path {
	out := slices.Clone(prefixes)
	slices.SortFunc(out, func(a, b protocol.Path) int { return len(a) - len(b) })
	kept := out[:0]
	for _, p := range out {
		if !slices.ContainsFunc(kept, p.HasPrefix) {
			kept = append(kept, p)
		}
	}
	return kept
}

// Wait waits for what the delivery still writes, once the session has ended.
func (d *Deliver) Wait() { d.tasks.Wait() }

// Takes reports whether the session takes audio of a room now; of any if it is
// "". Tracks that belong to the session itself do not count.
func (d *Deliver) Takes(room string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if room == "" {
		return len(d.rooms) > 0
	}
	return d.rooms[room] > 0
}

// take counts a subscription to something in a room.
func (d *Deliver) take(path protocol.Path, n int) {
	segments := path.Segments()
	if len(segments) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rooms == nil {
		d.rooms = make(map[string]int, 1)
	}
	before := d.rooms[segments[0]]
	if d.rooms[segments[0]] += n; d.rooms[segments[0]] == 0 {
		delete(d.rooms, segments[0])
	}
	if d.cfg.OnListen != nil && (before == 0 || before+n == 0) {
		d.cfg.OnListen(segments[0], n)
	}
}

func (d *Deliver) started(ctx context.Context) error {
	select {
	case <-d.begin:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Announce implements [session.Publisher].
func (d *Deliver) Announce(ctx context.Context, w *session.AnnounceWriter) error {
	if err := d.started(ctx); err != nil {
		return err
	}
	if release := d.want(d.cfg.Root.Join(w.Request.Prefix)); release != nil {
		defer release()
	}
	if d.cfg.OnRoom != nil && len(w.Request.Prefix.Segments()) == 1 {
		defer d.cfg.OnRoom(string(w.Request.Prefix))()
	}
	exclude := w.Request.ExcludeHop
	if setup, ok := w.Session().Peer(); ok && exclude == 0 {
		exclude = setup.HopID
	}
	watches := d.watch(w.Request.Prefix, exclude)
	defer func() {
		for _, v := range watches {
			v.Close()
		}
	}()
	var initial []protocol.Announce
	for _, v := range watches {
		initial = append(initial, v.Poll()...)
	}
	if err := w.Initial(d.cfg.HopID, initial); err != nil {
		return err
	}
	return follow(ctx, w, watches)
}

// watched is a watch with the part of the paths that lies between the prefix the
// peer asked for and the watch's own.
type watched struct {
	*room.Watch
	below protocol.Path
}

func (v watched) Poll() []protocol.Announce {
	changes := v.Watch.Poll()
	for i := range changes {
		changes[i].Suffix = v.below.Join(changes[i].Suffix)
	}
	return changes
}

// watch opens a watch for each part of the prefix the session may see.
func (d *Deliver) watch(prefix protocol.Path, exclude uint64) []watched {
	if room, ok := prefix.TrimPrefix(FirstHand); ok && d.cfg.Relay {
		return []watched{{Watch: d.origin.WatchFirstHand(room, exclude)}}
	}
	var out []watched
	for _, granted := range d.cfg.Prefixes {
		switch {
		case prefix.HasPrefix(granted):
			return []watched{{Watch: d.origin.Watch(d.cfg.Root.Join(prefix), exclude)}}
		case granted.HasPrefix(prefix):
			below, _ := granted.TrimPrefix(prefix)
			out = append(out, watched{d.origin.Watch(d.cfg.Root.Join(granted), exclude), below})
		}
	}
	return out
}

// follow passes changes on until ctx ends.
func follow(ctx context.Context, w *session.AnnounceWriter, watches []watched) error {
	if len(watches) == 0 {
		<-ctx.Done()
		return nil
	}
	for {
		_ = room.WaitAny(ctx, watches[0].Watch, rest(watches)...)
		select {
		case <-ctx.Done():
			return nil // the request is over
		default:
		}
		for _, v := range watches {
			for _, a := range v.Poll() {
				if err := w.Announce(a); err != nil {
					return err
				}
			}
		}
	}
}

func rest(watches []watched) []*room.Watch {
	out := make([]*room.Watch, 0, len(watches)-1)
	for _, v := range watches[1:] {
		out = append(out, v.Watch)
	}
	return out
}

// broadcast finds what the session asks for, if it may see it. One that is not
// there yet is waited for: its speaker may be on the way to this relay.
func (d *Deliver) broadcast(ctx context.Context, name protocol.Path) (*room.Broadcast, error) {
	if err := d.started(ctx); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(d.cfg.Prefixes, name.HasPrefix) {
		return nil, session.Refuse(protocol.CodeUnauthorized, "broadcast %q: no right to subscribe", name)
	}
	path := d.cfg.Root.Join(name)
	if own, ok := name.TrimPrefix(FirstHand); ok && d.cfg.Relay {
		path = own
	} else if release := d.want(path); release != nil {
		context.AfterFunc(ctx, release) // as long as the request lives
	}
	ctx, stop := context.WithTimeoutCause(ctx, unknownFor, room.ErrUnknown)
	defer stop()
	b, err := d.origin.Await(ctx, path)
	return b, refusal(err)
}

// FirstHand is the part of the name space below which a relay shows other relays
// what is published at itself (docs/wire.md, between relays).
const FirstHand protocol.Path = ".stentor/ingest"

// want takes part in the room a path lies in. It returns nil where there is none.
func (d *Deliver) want(path protocol.Path) (release func()) {
	segments := path.Segments()
	if d.cfg.Want == nil || len(segments) == 0 || strings.HasPrefix(segments[0], ".") {
		return nil
	}
	return d.cfg.Want(segments[0])
}

// unknownFor is how long a request for a broadcast nobody has announced waits.
const unknownFor = 2 * time.Second

// refusal gives an error of package room the code a peer understands.
func refusal(err error) error {
	if errors.Is(err, room.ErrUnknown) {
		return &session.Error{Code: protocol.CodeUnroutable, Err: err}
	}
	return err
}

// Track implements [session.Publisher].
func (d *Deliver) Track(ctx context.Context, req protocol.TrackRequest) (protocol.TrackInfo, error) {
	if isTick(req.Broadcast, req.Track) {
		return tickInfo, nil
	}
	if isRelays(req.Broadcast, req.Track) {
		if err := d.started(ctx); err != nil || d.cfg.Relays == nil {
			return protocol.TrackInfo{}, errors.Join(err, refusal(room.ErrUnknown))
		}
		return relaysInfo, nil
	}
	if _, ok := stageOf(req.Broadcast, req.Track); ok {
		if err := d.started(ctx); err != nil || d.cfg.Stage == nil {
			return protocol.TrackInfo{}, errors.Join(err, refusal(room.ErrUnknown))
		}
		return stageInfo, nil
	}
	if name, ok := floorOf(req.Broadcast, req.Track); ok {
		return floorInfo, d.mayHearOf(ctx, name)
	}
	b, err := d.broadcast(ctx, req.Broadcast)
	if err != nil {
		return protocol.TrackInfo{}, err
	}
	t, err := b.Track(ctx, req.Track)
	if err != nil {
		return protocol.TrackInfo{}, refusal(err)
	}
	return t.Info(), nil
}

// fetchFor bounds how long a FETCH may wait for its group.
const fetchFor = 5 * time.Second

// Fetch implements [session.Publisher].
func (d *Deliver) Fetch(ctx context.Context, req protocol.Fetch, w *session.GroupWriter) error {
	if is, err := d.operate(ctx, req, w); is {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, fetchFor)
	defer stop()
	if is, err := d.report(ctx, req, w); is {
		return err
	}
	b, err := d.broadcast(ctx, req.Broadcast)
	if err != nil {
		return err
	}
	g, err := b.Fetch(ctx, req.Track, req.Group)
	if errors.Is(err, room.ErrUnknown) {
		return &session.Error{Code: protocol.CodeNotFound, Err: err}
	}
	if err != nil {
		return err
	}
	return copyGroup(ctx, g, w)
}

// copyGroup writes a group's frames as they come.
func copyGroup(ctx context.Context, g *room.Group, w *session.GroupWriter) error {
	for i := 0; ; i++ {
		f, err := g.Frame(ctx, i)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		w.SetDeadline(time.Now().Add(frameFor))
		if err := w.Write(f); err != nil {
			return err
		}
	}
}
