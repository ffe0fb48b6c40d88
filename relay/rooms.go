package relay

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/api"
	"github.com/stentor-audio/stentor/relay/deliver"
	"github.com/stentor-audio/stentor/relay/stage"
)

const (
	// listEveryone is how large a network may be whose list of rooms is made by
	// asking each of its relays: in a larger one, where each would ask each, the
	// list has the rooms that the relay itself takes part in.
	listEveryone = 64
	// listFor is how long a list of rooms may be given again.
	listFor = 2 * time.Second
	// listAtOnce is how many rooms' roots are asked at a time.
	listAtOnce = 16
)

// audience counts who listens, by room. A session counts once, however many
// speakers it takes, and one that stands by takes none.
type audience struct {
	mu    sync.Mutex
	rooms map[string]int
}

// add counts a session that has begun to listen in a room (1) or has ceased to (-1).
func (a *audience) add(room string, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rooms == nil {
		a.rooms = make(map[string]int)
	}
	if a.rooms[room] += n; a.rooms[room] == 0 {
		delete(a.rooms, room)
	}
}

func (a *audience) of(room string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rooms[room]
}

// parts are the rooms as this relay alone sees them: who publishes here, which
// tracks are open here, who listens here.
func (r *Relay) parts() []api.Room {
	var rooms []api.Room
	for _, b := range r.origin.Broadcasts("") { // in order, so a room's stand together
		name := b.Path.Segments()[0]
		if r.stages.rooms.State(name).Phase.Value == stage.Ended {
			continue // who published there is about to be told
		}
		if len(rooms) == 0 || rooms[len(rooms)-1].Room != name {
			rooms = append(rooms, api.Room{Room: name, State: "live", Listeners: r.listeners(name)})
		}
		speaker, _ := b.Path.TrimPrefix(protocol.Path(name))
		s := api.Speaker{Name: string(speaker), Tracks: []string{}, FirstHand: b.FirstHand()}
		for _, t := range b.Tracks() {
			s.Tracks = append(s.Tracks, t.Name)
		}
		last := &rooms[len(rooms)-1]
		last.Speakers = append(last.Speakers, s)
	}
	for _, state := range r.stages.rooms.Known() {
		if state.Phase.Value != stage.Ended {
			made := api.Room{Room: state.Room}
			made.See(state.View())
			rooms = append(rooms, made)
		}
	}
	return rooms
}

// Rooms implements [api.Relay].
func (v view) Rooms(ctx context.Context) []api.Room {
	if v.mesh == nil {
		return api.SumRooms(v.parts())
	}
	return v.listed.get(func() []api.Room {
		ctx := context.WithoutCancel(ctx) // the answer is for others, too
		if len(v.known()) <= listEveryone {
			return v.mesh.everywhere(ctx)
		}
		return v.mesh.here(ctx)
	})
}

// Room implements [api.Relay].
func (v view) Room(ctx context.Context, name string) (api.Room, error) {
	tree, err := v.Tree(ctx, name)
	view, made := v.stageView(ctx, name)
	if err != nil && (!made || !errors.Is(err, api.ErrUnknownRoom)) {
		return api.Room{}, err
	}
	tree.Room = name
	out := api.RoomOf(tree)
	if made {
		out.See(view)
	}
	return out, nil
}

// everywhere is the list of rooms that all relays together have. Who does not
// answer is left out.
func (m *mesh) everywhere(ctx context.Context) []api.Room {
	known := m.relay.known()
	parts := make([][]api.Room, len(known))
	var asking sync.WaitGroup
	for i, other := range known {
		if other.Name == m.relay.cfg.Name {
			continue
		}
		asking.Go(func() {
			if err := m.ask(ctx, other.Name, "", deliver.ReportRooms, &parts[i]); err != nil {
				m.relay.log.Debug("a relay's rooms cannot be had", "relay", other.Name, "cause", err)
				parts[i] = nil
			}
		})
	}
	asking.Wait()
	return api.SumRooms(append(parts, m.relay.parts())...)
}

// here are the rooms that this relay takes part in, with what their roots know.
func (m *mesh) here(ctx context.Context) []api.Room {
	own := api.SumRooms(m.relay.parts())
	free := make(chan struct{}, listAtOnce)
	var asking sync.WaitGroup
	for i := range own {
		free <- struct{}{}
		asking.Go(func() {
			defer func() { <-free }()
			tree, err := m.tree(ctx, own[i].Room)
			switch {
			case err == nil:
				own[i] = api.RoomOf(tree)
			case errors.Is(err, api.ErrUnknownRoom):
				own[i].Room = "" // it has just ended
			}
		})
	}
	asking.Wait()
	return slices.DeleteFunc(own, func(r api.Room) bool { return r.Room == "" })
}

// listed is the list of rooms as it was last made.
type listed struct {
	mu    sync.Mutex // held while it is made
	at    time.Time
	rooms []api.Room
}

func (l *listed) get(list func() []api.Room) []api.Room {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at.IsZero() || time.Since(l.at) > listFor {
		l.rooms = list()
		l.at = time.Now()
	}
	return l.rooms
}

// reportRooms is what this relay tells another one of its rooms.
func (r *Relay) reportRooms() ([]byte, error) {
	return json.Marshal(r.parts())
}

// tracksHere are the tracks of a room that are open at this relay, by speaker.
func (r *Relay) tracksHere(room string) map[string][]string {
	var out map[string][]string
	for _, b := range r.origin.Broadcasts(protocol.Path(room)) {
		speaker, _ := b.Path.TrimPrefix(protocol.Path(room))
		for _, t := range b.Tracks() {
			if out == nil {
				out = make(map[string][]string)
			}
			out[string(speaker)] = append(out[string(speaker)], t.Name)
		}
	}
	for _, names := range out {
		slices.SortFunc(names, cmp.Compare)
	}
	return out
}
