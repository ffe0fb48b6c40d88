package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/api"
	"github.com/stentor-audio/stentor/relay/deliver"
	"github.com/stentor-audio/stentor/relay/roomstate"
	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

// newStages makes what a relay knows of rooms' states.
func newStages(r *Relay) *stages {
	s := &stages{relay: r, peers: make(map[string]map[*peer]int), voices: make(map[string]map[*voice]struct{}), asking: make(chan struct{}, startsAtOnce)}
	cfg := roomstate.Config{
		Self:     r.cfg.Name,
		Roots:    func(string) []string { return []string{r.cfg.Name} },
		Present:  s.present,
		OnChange: s.changed,
		Grace:    r.cfg.HostGrace,
		Now:      r.now,
		Logger:   r.log,
	}
	if m := r.mesh; m != nil {
		cfg.Roots = m.stateRoots
		cfg.Changed = func() <-chan struct{} { _, next := r.others.heeded.Get(); return next } // and the directory
		cfg.Follow = m.followStage
		cfg.Fetch = func(ctx context.Context, relay, room string) ([]byte, error) {
			return m.fetch(ctx, relay, room, deliver.StageTrack)
		}
		cfg.Tell = m.order
	}
	s.rooms = roomstate.New(cfg)
	return s
}

// operator is who gives commands on a relay that is open to all on its machine.
var operator = stage.Actor{Subject: "operator", Name: "operator", Role: token.RoleHost}

// actor is who a command comes from.
func (s *stages) actor(room string, by api.By) (stage.Actor, error) {
	r := s.relay
	if r.cfg.Open {
		who := operator
		if by.As != "" {
			who.Subject, who.Name = nameless+by.As, by.As
		}
		return who, s.pace.allow(by.From, time.Now())
	}
	if err := s.pace.allowAny(by.From, time.Now()); err != nil {
		return stage.Actor{}, err
	}
	grant, err := r.authorise(protocol.Path(room), by.Token)
	if errors.Is(err, stage.ErrBanned) || errors.Is(err, stage.ErrEnded) {
		return stage.Actor{}, err
	}
	if err != nil {
		return stage.Actor{}, &api.TokenError{Err: err}
	}
	who := actorOf(protocol.Path(room), grant)
	if who.Subject == "" {
		return who, fmt.Errorf("%w: a command needs a token that says whose it is, by \"sub\" or \"name\"", stage.ErrNotAllowed)
	}
	return who, s.pace.allow(who.Subject, time.Now())
}

// checkRoom refuses a name that no session could be opened at.
func checkRoom(name string) error {
	path, err := protocol.ParsePath(name)
	if err != nil || string(path) != name || len(path.Segments()) != 1 || isReserved(path) || len(name) > maxRoomName {
		return fmt.Errorf("%w: a room's name is one segment of a path, at most %d bytes, and does not begin with a dot", stage.ErrMalformed, maxRoomName)
	}
	return nil
}

// maxRoomName bounds the name of a room, in bytes.
const maxRoomName = 255

// asks is who asks of a room, and has the relay follow the room until release is
// called.
func (v view) asks(room string, by api.By) (who stage.Actor, release func(), err error) {
	if err := checkRoom(room); err != nil {
		return stage.Actor{}, nil, err
	}
	if who, err = v.stages.actor(room, by); err != nil {
		return stage.Actor{}, nil, err
	}
	return who, v.stages.rooms.Want(room), nil
}

// Command implements [api.Stage].
func (v view) Command(ctx context.Context, room string, c stage.Command, by api.By) (stage.View, error) {
	who, release, err := v.asks(room, by)
	if err != nil {
		return stage.View{}, err
	}
	defer release()
	if c.Do == stage.Join {
		return stage.View{}, fmt.Errorf("%w: no command %q", stage.ErrMalformed, c.Do)
	}
	out, err := v.stages.rooms.Command(ctx, room, roomstate.Order{Actor: who, Command: c})
	if err == nil {
		// Whoever asks here next finds it done.
		ctx, stop := context.WithTimeout(ctx, heardFor)
		defer stop()
		v.stages.rooms.AwaitVersion(ctx, room, out.Version)
		if state := v.stages.rooms.State(room); state.Clock >= out.Version {
			out = state.ViewOf(youOf(state, who))
		}
	}
	return out, err
}

// Me implements [api.Stage].
func (v view) Me(ctx context.Context, room string, by api.By) ([]byte, error) {
	who, release, err := v.asks(room, by)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := refusedBy(v.stages.rooms.Await(ctx, room), who); err != nil {
		return nil, err
	}
	b, _ := v.stages.rooms.ViewFor(room, who, voiceBy)
	return b, nil
}

// heardFor is how long a command waits for what it has changed to be heard back from
// the root.
const heardFor = 300 * time.Millisecond

// Document implements [api.Stage].
func (v view) Document(ctx context.Context, room string, by api.By) ([]byte, error) {
	who, release, err := v.asks(room, by)
	if err != nil {
		return nil, err
	}
	defer release()
	state := v.stages.rooms.Await(ctx, room)
	switch role := state.RoleOf(who.Subject, who.Role); {
	case role != token.RoleHost && role != token.RoleCohost:
		return nil, fmt.Errorf("%w: all of a room's state is for its hosts", stage.ErrNotAllowed)
	case !state.Exists():
		return nil, fmt.Errorf("%w: room %q; 'create' makes it", stage.ErrUnknown, room)
	}
	return v.stages.rooms.Document(room)
}

// Offer implements [api.Stage].
func (v view) Offer(_ context.Context, room string, document []byte, by api.By) error {
	if err := checkRoom(room); err != nil {
		return err
	}
	who, err := v.stages.actor(room, by)
	if err != nil {
		return err
	}
	// By the token alone: what the copy says of its bearer proves nothing.
	if who.Role != token.RoleHost {
		return fmt.Errorf("%w: only a host's token restores a room", stage.ErrNotAllowed)
	}
	return v.stages.rooms.Offer(room, document)
}
