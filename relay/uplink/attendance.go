package uplink

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay/plan"
)

const (
	// lookEvery is how often an attendance looks again while something is not as
	// it should be.
	lookEvery = 200 * time.Millisecond
	// leadFor is how long a relay that has ceased to be root goes on taking what is
	// spoken elsewhere: others do not leave it all at once.
	leadFor = 5 * time.Second
	// strandedAfter is for how long no parent of the plan may work until the roots
	// of the directory are tried as well.
	strandedAfter = time.Second
	// leastPause keeps an attendance from looking around all the time, whatever it
	// thinks it is waiting for.
	leastPause = 5 * time.Millisecond
	// maxSteps bounds what one look at the plan can lead to: each colour has one
	// parent to take and one to drop, and then it is asked whether there is more.
	maxSteps = 8
)

// An attendance is a relay's part in one room: its ways from its parents, and if
// it is a root, what is spoken at other relays. One goroutine owns it; the others
// tell it what they see and wake it up.
type attendance struct {
	rooms *Rooms
	room  *room
	stop  context.CancelFunc
	wake  chan struct{}
	tasks sync.WaitGroup

	// Owned by run.
	mover     plan.Mover
	keeper    keeper
	held      [2]plan.Held
	planned   bool // held has been begun
	ways      map[string]*way
	following map[string]*following
	firstHand map[*Asker]context.CancelFunc
	led       time.Time // when it was last a root
	stranded  time.Time // since when nothing works; zero while something does

	mu     sync.Mutex
	offers []*plan.Plan // not looked at yet
}

func newAttendance(r *Rooms, in *room, stop context.CancelFunc) *attendance {
	return &attendance{
		rooms:     r,
		room:      in,
		stop:      stop,
		wake:      make(chan struct{}, 1),
		mover:     plan.Mover{Room: in.name, Self: r.cfg.Self},
		ways:      make(map[string]*way),
		following: make(map[string]*following),
		firstHand: make(map[*Asker]context.CancelFunc),
	}
}

// poke has the attendance look around.
func (a *attendance) poke() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// run attends until ctx ends.
func (a *attendance) run(ctx context.Context) {
	defer a.tasks.Wait()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		changed := a.rooms.cfg.Changed()
		if next := a.turn(ctx, time.Now()); next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(max(time.Until(next), leastPause))
		}
		select {
		case <-changed:
		case <-a.wake:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
}

// A view is what an attendance finds when it looks around.
type view struct {
	now     time.Time
	roots   []string // by the directory, red first; without the quiet ones if cut off
	known   []membership.Relay
	cutOff  bool // all relays that the room comes from are quiet
	askers  []*Asker
	local   bool // somebody here wants the room
	leaving bool // nobody does any more, and others still take it from here
}

func (v view) knows(relay string) bool {
	_, ok := membership.Find(v.known, relay)
	return ok
}

// turn looks around once, does what there is to do, and says when to look again
// although nothing has changed.
func (a *attendance) turn(ctx context.Context, now time.Time) (next time.Time) {
	cfg := &a.rooms.cfg
	v := view{now: now, roots: cfg.Roots(a.room.name)}
	if cfg.Known != nil {
		v.known = cfg.Known()
	}
	a.listen(&v)
	var wanted bool
	v.askers, v.local, wanted = a.rooms.askersOf(a.room)
	v.leaving = !wanted

	a.adopt(v)
	next = sooner(next, a.keep(v))
	next = sooner(next, a.steer(ctx, v))
	if cfg.Plans != nil {
		a.follow(ctx, v)
		next = sooner(next, a.lead(ctx, v))
	}
	a.rooms.publish(a.room, a, a.mover.Plan(), a.parents(v))
	if a.steady() {
		return next
	}
	return sooner(next, now.Add(lookEvery))
}

// listen finds out whether this relay is cut off: whether nothing is heard of any
// parent that the plan gives it, nor of the roots. Then it goes on as if they had
// left the directory, seconds before they do. What it takes the room from meanwhile
// must not count, or it would go to and fro.
func (a *attendance) listen(v *view) {
	cfg := &a.rooms.cfg
	if cfg.Heed == nil {
		return
	}
	sources := slices.Clone(v.roots)
	if p := a.mover.Plan(); p != nil {
		red, blue := p.Roots()
		sources = []string{red, blue}
		for _, h := range a.held {
			sources = append(sources, h.Old.Parent, h.New.Parent)
		}
	}
	slices.Sort(sources)
	sources = parents(cfg.Self, slices.Compact(sources))
	if len(sources) > 0 && sources[0] == "" {
		sources = sources[1:]
	}
	quiet := cfg.Heed(sources)
	if len(sources) == 0 || len(quiet) < len(sources) || a.isRoot() {
		return
	}
	v.cutOff = true
	v.roots = cfg.Roots(a.room.name, quiet...)
	v.known = slices.DeleteFunc(slices.Clone(v.known), func(r membership.Relay) bool { return slices.Contains(quiet, r.Name) })
}

// isRoot reports whether the plan has this relay for a root.
func (a *attendance) isRoot() bool {
	p, self := a.mover.Plan(), a.rooms.cfg.Self
	return p != nil && (p.Root(plan.Red) == self || p.Root(plan.Blue) == self)
}

// adopt takes the plans that have been offered, if they are newer.
func (a *attendance) adopt(v view) {
	a.mu.Lock()
	offers := a.offers
	a.offers = nil
	a.mu.Unlock()
	for _, p := range offers {
		if a.mover.Adopt(v.now, p) == nil {
			a.rooms.cfg.Logger.Debug("new plan", "room", a.room.name, "version", p.Version(), "relays", p.Len())
		}
	}
}

// keep writes the next plan, if that is up to this relay and there is one.
func (a *attendance) keep(v view) (next time.Time) {
	cfg := &a.rooms.cfg
	if cfg.Plans == nil || v.leaving {
		return time.Time{}
	}
	s := situation{
		self: cfg.Self, room: a.room.name, degree: cfg.Degree,
		plan: a.mover.Plan(), roots: v.roots, known: v.known,
		asking: a.rooms.asking(v.askers),
	}
	if s.plan != nil {
		s.hearing = a.hears(s.plan.Root(plan.Red))
	}
	p, next, err := a.keeper.next(v.now, s)
	if err != nil {
		cfg.Logger.Warn("no plan can be made of a room", "room", a.room.name, "cause", err)
	}
	if p == nil {
		return next
	}
	if err := a.mover.Adopt(v.now, p); err != nil {
		cfg.Logger.Warn("a plan of this relay's own is refused", "room", a.room.name, "cause", err)
		return next
	}
	cfg.Logger.Debug("plan made", "room", a.room.name, "version", p.Version(), "relays", p.Len())
	return v.now // there may be more
}

// usable reports whether the plan leads anywhere: a plan whose roots have both
// gone waits for the next one.
func (a *attendance) usable(v view) bool {
	p := a.mover.Plan()
	return p != nil && (v.knows(p.Root(plan.Red)) || v.knows(p.Root(plan.Blue)))
}

// lead takes what is spoken at the relays that follow the plan here, while this
// one is a root or nobody feeds it. What is spoken at a parent comes from there
// anyhow: a second way through the same relay would only be taken for another one.
func (a *attendance) lead(ctx context.Context, v view) (next time.Time) {
	if a.isRoot() || slices.Contains(v.roots, a.rooms.cfg.Self) && !a.usable(v) || v.cutOff || !a.works() {
		a.led = v.now
	}
	leads := !a.led.IsZero() && v.now.Sub(a.led) < leadFor
	for asker, stop := range a.firstHand {
		if !leads || !slices.Contains(v.askers, asker) || a.feeds(asker.relay) {
			stop()
			delete(a.firstHand, asker)
		}
	}
	for _, asker := range v.askers {
		if _, taken := a.firstHand[asker]; taken || !leads || a.feeds(asker.relay) || a.rooms.cfg.FirstHand == nil {
			continue
		}
		child, stop := context.WithCancel(ctx)
		a.firstHand[asker] = stop
		a.tasks.Go(func() { a.rooms.cfg.FirstHand(child, asker.session, asker.relay, a.room.name) })
	}
	if leads && !a.led.Equal(v.now) {
		next = a.led.Add(leadFor)
	}
	return next
}

// feeds reports whether a relay is a parent that works.
func (a *attendance) feeds(relay string) bool {
	w := a.ways[relay]
	return w != nil && w.health == plan.Working
}

// works reports whether some parent does.
func (a *attendance) works() bool {
	for _, w := range a.ways {
		if w.health == plan.Working {
			return true
		}
	}
	return false
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// steady reports whether all ways are as they should be.
func (a *attendance) steady() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.ways {
		if !w.steady() {
			return false
		}
	}
	return true
}
