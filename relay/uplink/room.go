package uplink

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/relay/plan"
)

// A room is what all parts of the relay know of one room. Everything in it is
// guarded by the lock of its Rooms. It exists while somebody wants it, takes it,
// or asks for its plan.
type room struct {
	name string

	local  interest // of who listens, speaks or stands by here
	remote interest // of relays that take part and have this one for a root

	askers map[*Asker]struct{}
	takers map[string]int // relays that take the room from here, and how often

	attended *attendance // nil: the relay takes no part
	ending   *time.Timer // runs while it ends, for the sake of the takers

	// What the attendance has last said.
	plan     *plan.Plan
	encoded  []byte
	replaced chan struct{} // closed and made anew with each plan
	parents  [2]string
}

// An interest is how many want a room, and for a while more that somebody has.
type interest struct {
	count int
	idle  *time.Timer
}

func (i *interest) any() bool { return i.count > 0 || i.idle != nil }

// room returns the room of a name, a new one if need be. r.mu is held.
func (r *Rooms) room(name string) *room {
	in := r.rooms[name]
	if in == nil {
		in = &room{name: name, askers: make(map[*Asker]struct{}), takers: make(map[string]int), replaced: make(chan struct{})}
		r.rooms[name] = in
	}
	return in
}

// add counts one more who wants the room. r.mu is held.
func (r *Rooms) add(in *room, i *interest) {
	if i.count++; i.idle != nil {
		i.idle.Stop()
		i.idle = nil
	}
	r.settle(in)
}

// drop counts one less. r.mu is held.
func (r *Rooms) drop(in *room, i *interest) {
	if i.count--; i.count > 0 || r.ctx.Err() != nil {
		return
	}
	var idle *time.Timer
	idle = time.AfterFunc(lingerFor, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if i.idle == idle {
			i.idle = nil
			r.settle(in)
		}
	})
	i.idle = idle
}

// settle begins or ends the attendance of a room as its interests say. r.mu is
// held.
func (r *Rooms) settle(in *room) {
	if r.ctx.Err() != nil {
		return
	}
	wanted := in.local.any() || in.remote.any()
	switch {
	case wanted && in.attended == nil:
		r.attend(in)
	case wanted && in.ending != nil:
		in.ending.Stop()
		in.ending = nil
	case !wanted && in.attended != nil && len(in.takers) == 0:
		r.end(in)
	case !wanted && in.attended != nil && in.ending == nil:
		in.ending = time.AfterFunc(handOver, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			if in.ending != nil {
				r.end(in)
			}
		})
	}
	if in.attended != nil {
		in.attended.poke()
	} else if len(in.askers)+len(in.takers) == 0 && r.rooms[in.name] == in {
		delete(r.rooms, in.name)
	}
}

// attend starts a relay's part in a room. r.mu is held.
func (r *Rooms) attend(in *room) {
	ctx, stop := context.WithCancel(r.ctx)
	a := newAttendance(r, in, stop)
	in.attended = a
	r.tasks.Go(func() { a.run(ctx) })
	if r.cfg.Keep != nil {
		r.tasks.Go(func() { r.cfg.Keep(ctx, in.name) })
	}
}

// end ends it. r.mu is held.
func (r *Rooms) end(in *room) {
	if in.ending != nil {
		in.ending.Stop()
		in.ending = nil
	}
	in.attended.stop()
	in.attended, in.plan, in.encoded, in.parents = nil, nil, nil, [2]string{}
	r.settle(in)
}

func (in *room) stopTimers() {
	for _, t := range []*time.Timer{in.local.idle, in.remote.idle, in.ending} {
		if t != nil {
			t.Stop()
		}
	}
}

// publish says what an attendance has come to, unless it is over.
func (r *Rooms) publish(in *room, a *attendance, p *plan.Plan, parents [2]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.attended != a {
		return
	}
	in.parents = parents
	if p == nil || p == in.plan {
		return
	}
	in.plan, in.encoded = p, p.Encode()
	close(in.replaced)
	in.replaced = make(chan struct{})
}

// Plan is the newest plan of a room, nil if there is none here.
func (r *Rooms) Plan(name string) *plan.Plan {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in := r.rooms[name]; in != nil {
		return in.plan
	}
	return nil
}

// Parents are the relays that this one takes a room from, red and blue; empty
// where it takes from none.
func (r *Rooms) Parents(name string) [2]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in := r.rooms[name]; in != nil {
		return in.parents
	}
	return [2]string{}
}

// Others are the other relays of which this one knows that they take part in a
// room, in order.
func (r *Rooms) Others(name string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	in := r.rooms[name]
	if in == nil {
		return nil
	}
	others := make(map[string]struct{})
	for relay := range in.takers {
		others[relay] = struct{}{}
	}
	for asker := range in.askers {
		if asker.wants {
			others[asker.relay] = struct{}{}
		}
	}
	if in.plan != nil {
		for _, relay := range in.plan.Relays() {
			others[relay.Name] = struct{}{}
		}
	}
	delete(others, r.cfg.Self)
	return slices.Sorted(maps.Keys(others))
}
