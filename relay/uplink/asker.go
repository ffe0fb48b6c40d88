package uplink

import (
	"time"

	"github.com/stentor-audio/stentor/protocol/session"
)

// An Asker is another relay that follows a room's plan here. With that it says
// whether it takes part in the room: then this relay does, too, and lets it into
// the plan if it is the one who keeps that. Otherwise it only wants to know.
type Asker struct {
	rooms   *Rooms
	room    *room
	relay   string
	session *session.Session
	since   time.Time

	wants bool // guarded by the lock of its Rooms
	ended bool
}

// Ask notes that another relay follows a room's plan, by a session with it. End
// it.
func (r *Rooms) Ask(name, relay string, s *session.Session) *Asker {
	r.mu.Lock()
	defer r.mu.Unlock()
	in := r.room(name)
	a := &Asker{rooms: r, room: in, relay: relay, session: s, since: time.Now()}
	in.askers[a] = struct{}{}
	r.settle(in)
	return a
}

// Wants says whether the relay takes part.
func (a *Asker) Wants(wants bool) {
	r := a.rooms
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.ended || wants == a.wants {
		return
	}
	a.wants = wants
	if wants {
		r.add(a.room, &a.room.remote)
	} else {
		r.drop(a.room, &a.room.remote)
		r.settle(a.room)
	}
}

// Plan returns the newest plan as bytes, none if there is none yet, and a channel
// that is closed when there is a newer one.
func (a *Asker) Plan() (encoded []byte, replaced <-chan struct{}) {
	a.rooms.mu.Lock()
	defer a.rooms.mu.Unlock()
	return a.room.encoded, a.room.replaced
}

// End says that the relay no longer follows the plan.
func (a *Asker) End() {
	r := a.rooms
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.ended {
		return
	}
	a.ended = true
	delete(a.room.askers, a)
	if a.wants {
		r.drop(a.room, &a.room.remote)
	}
	r.settle(a.room)
}

// askersOf is who follows the room's plan here now.
func (r *Rooms) askersOf(in *room) (askers []*Asker, local, wanted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a := range in.askers {
		askers = append(askers, a)
	}
	return askers, in.local.any(), in.local.any() || in.remote.any()
}

// asking maps the relays that follow a plan here to whether they take part.
func (r *Rooms) asking(askers []*Asker) map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	asking := make(map[string]bool, len(askers))
	for _, a := range askers {
		asking[a.relay] = asking[a.relay] || a.wants
	}
	return asking
}
