package floor

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/room"
)

const (
	// decideEvery is how often it is decided anew. A word that begins is on its way to
	// listeners so much later than it could be at the most, which their buffers have.
	decideEvery = 50 * time.Millisecond
	// lookEvery is how often it is looked whose room it is.
	lookEvery = 250 * time.Millisecond
	// silentFor is how long a root may say nothing until the other one is listened to,
	// or decides: it says something twice a second.
	silentFor = 1200 * time.Millisecond
	// lostFor is how long neither may until everybody is heard.
	lostFor = 5 * time.Second
	// askFor is how long the first root asks the others before it begins: it may be new.
	askFor = 300 * time.Millisecond
	// followAgain is how long a root that cannot be followed is left alone.
	followAgain = 250 * time.Millisecond
)

// An attendance is a relay's part in one room. One goroutine owns it, but for what
// is heard.
type attendance struct {
	rooms    *Rooms
	room     string
	tasks    sync.WaitGroup
	director director

	live    map[protocol.Path]*room.Broadcast // by path below the room
	ears    map[protocol.Path]*ear
	follows map[string]context.CancelFunc
	roots   []string
	looked  time.Time
	began   time.Time // when the room became crowded

	floor   *protocol.Floor // nil: everybody is heard
	encoded []byte
	adopted []byte // what the director went on from

	mu    sync.Mutex
	heard map[string]heard // of roots
}

// heard is what a root has said last.
type heard struct {
	floor []byte
	at    time.Time
}

// Attend sees to a room until ctx ends: it decides, or does what is decided.
func (r *Rooms) Attend(ctx context.Context, name string) {
	_, done := r.Floor(name)
	defer done()
	a := &attendance{
		rooms: r, room: name, director: director{n: r.cfg.N},
		live: make(map[protocol.Path]*room.Broadcast), ears: make(map[protocol.Path]*ear),
		follows: make(map[string]context.CancelFunc), heard: make(map[string]heard),
	}
	a.run(ctx)
}

func (a *attendance) run(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer a.tasks.Wait()
	defer stop()
	w := a.rooms.cfg.Origin.Watch(protocol.Path(a.room), 0)
	defer w.Close()
	news := make(chan struct{})
	a.tasks.Go(func() {
		for room.WaitAny(ctx, w) == nil {
			select {
			case news <- struct{}{}:
			case <-ctx.Done():
			}
		}
	})
	tick := time.NewTicker(decideEvery)
	defer tick.Stop()
	tick.Stop()
	for busy := false; ; {
		select {
		case <-news:
			a.list(w)
		case <-tick.C:
		case <-ctx.Done():
			a.apply(nil, true)
			return
		}
		now := time.Now()
		is := len(a.live) > a.rooms.cfg.N || a.floor != nil
		if is {
			if !busy {
				a.began = now
			}
			a.look(ctx, now)
			a.decide(now)
		} else if busy {
			a.rest()
		}
		if is != busy {
			if busy = is; is {
				tick.Reset(decideEvery)
			} else {
				tick.Stop()
			}
		}
	}
}

// list takes in which broadcasts are live.
func (a *attendance) list(w *room.Watch) {
	for _, msg := range w.Poll() {
		b, err := a.rooms.cfg.Origin.Broadcast(protocol.Path(a.room).Join(msg.Suffix))
		if msg.Status == protocol.AnnounceEnded || err != nil {
			delete(a.live, msg.Suffix)
			continue
		}
		a.live[msg.Suffix] = b
	}
	publishers := make(map[uint64]struct{}, len(a.live))
	for _, b := range a.live {
		publishers[b.Publisher] = struct{}{}
	}
	a.rooms.speak(a.room, publishers)
	a.looked = time.Time{}
	a.apply(a.floor, true) // who has come is to be told, and may be on stage now
}

// isRoot reports whether this relay may have to decide.
func (a *attendance) isRoot() bool {
	return len(a.roots) == 0 || slices.Contains(a.roots[:min(len(a.roots), 2)], a.rooms.cfg.Self)
}

// look finds out whose room it is, follows the roots and listens to who is live.
func (a *attendance) look(ctx context.Context, now time.Time) {
	if now.Sub(a.looked) < lookEvery {
		return
	}
	a.looked = now
	cfg := &a.rooms.cfg
	if cfg.Roots != nil {
		a.roots = cfg.Roots(a.room)
	}
	for relay, stop := range a.follows {
		if !slices.Contains(a.roots, relay) {
			stop()
			delete(a.follows, relay)
		}
	}
	for _, relay := range a.roots {
		if a.follows[relay] == nil && relay != cfg.Self && cfg.Follow != nil {
			child, stop := context.WithCancel(ctx)
			a.follows[relay] = stop
			a.tasks.Go(func() { a.follow(child, relay) })
		}
	}
	for name, e := range a.ears {
		if b := a.live[name]; b != e.broadcast || !a.isRoot() {
			e.stop()
			delete(a.ears, name)
		}
	}
	for name, b := range a.live {
		if a.ears[name] != nil || !a.isRoot() || len(a.ears) >= protocol.MaxVoices {
			continue
		}
		child, stop := context.WithCancel(ctx)
		e := &ear{broadcast: b, stop: stop}
		a.ears[name] = e
		a.tasks.Go(func() { e.listen(child) })
	}
}

// rest lets go of everything: there is room for all.
func (a *attendance) rest() {
	for relay, stop := range a.follows {
		stop()
		delete(a.follows, relay)
	}
	for name, e := range a.ears {
		e.stop()
		delete(a.ears, name)
	}
	a.director = director{n: a.rooms.cfg.N}
	a.adopted = nil
	a.mu.Lock()
	clear(a.heard)
	a.mu.Unlock()
}

// follow follows a root until ctx ends.
func (a *attendance) follow(ctx context.Context, relay string) {
	for ctx.Err() == nil {
		err := a.rooms.cfg.Follow(ctx, relay, a.room, func(b []byte) {
			a.mu.Lock()
			defer a.mu.Unlock()
			if ctx.Err() == nil {
				a.heard[relay] = heard{bytes.Clone(b), time.Now()}
			}
		})
		if ctx.Err() == nil {
			a.rooms.cfg.Logger.Debug("a room's floor is not heard", "room", a.room, "relay", relay, "cause", err)
		}
		select {
		case <-time.After(followAgain):
		case <-ctx.Done():
		}
	}
}

// said is what the roots have said lately, of the red one first.
func (a *attendance) said(now time.Time, patience time.Duration) (floor []byte, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, relay := range a.roots {
		if relay == a.rooms.cfg.Self {
			break // nobody before it: this one decides
		}
		if h, ok := a.heard[relay]; ok && len(h.floor) > 0 && now.Sub(h.at) <= patience {
			return h.floor, true
		}
	}
	return nil, false
}

// decide does what a root has said, or says it.
func (a *attendance) decide(now time.Time) {
	var all []present
	for name, e := range a.ears {
		all = append(all, e.now(now, name))
	}
	slices.SortFunc(all, func(x, y present) int { return bytes.Compare([]byte(x.name), []byte(y.name)) })
	said, ok := a.said(now, silentFor)
	if ok {
		a.obey(now, said, all)
		return
	}
	if a.isRoot() && a.settled(now) {
		a.apply(a.director.direct(now, all), false)
		return
	}
	if _, ok := a.said(now, lostFor); !ok && !a.isRoot() {
		a.apply(nil, false)
	}
}

// settled reports whether who may know more has had the time to say so: the root
// before this one or, at the beginning, any. What the others have said is taken up.
func (a *attendance) settled(now time.Time) bool {
	if len(a.follows) == 0 {
		return true
	}
	if a.roots[0] != a.rooms.cfg.Self {
		return now.Sub(a.began) > silentFor+askFor
	}
	if a.floor != nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, h := range a.heard {
		if f, err := protocol.ParseFloor(h.floor); err == nil && len(f.Voices) > 0 {
			a.director.adopt(f)
			return true
		}
	}
	return now.Sub(a.began) > askFor
}

// obey does what a root has said.
func (a *attendance) obey(now time.Time, said []byte, all []present) {
	if bytes.Equal(said, a.adopted) {
		a.director.hear(now, all)
		return
	}
	f, err := protocol.ParseFloor(said)
	if err != nil {
		a.rooms.cfg.Logger.Warn("a room's floor is refused", "room", a.room, "cause", err)
		return
	}
	a.adopted = said
	a.director.adopt(f)
	a.director.hear(now, all)
	a.apply(f, false)
}

// apply has the room's broadcasts heard as a floor says, and tells it. all does so
// for those of which it says nothing new, too.
func (a *attendance) apply(f *protocol.Floor, all bool) {
	var encoded []byte
	if f != nil {
		encoded = f.Append(nil)
	}
	same := bytes.Equal(encoded, a.encoded)
	if same && !all {
		return
	}
	before := a.floor
	a.floor, a.encoded = f, encoded
	if !same {
		a.rooms.tell(a.room, encoded) // first, so that it comes before what it is about
	}
	for name, b := range a.live {
		v := f.Voice(name, b.Publisher)
		if all && (v != nil || before != nil) || !reflect.DeepEqual(v, before.Voice(name, b.Publisher)) {
			b.Hear(v)
		}
	}
}
