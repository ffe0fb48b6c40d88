package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/deliver"
	"github.com/stentor-audio/stentor/relay/roomstate"
	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

const (
	// endsAfter is how long the sessions of a room that has ended are left to read
	// that it has.
	endsAfter = 2 * time.Second
	// quietFor is how long nothing may have come from a session until whoever it is
	// of counts as gone: its client sends a keep-alive each 5 s.
	quietFor = 7 * time.Second
)

// stages is what the states of rooms mean for the sessions here: who is let in, who
// is heard, who has to go.
type stages struct {
	relay *Relay
	rooms *roomstate.Rooms
	pace  pace
	asked askedViews

	asking chan struct{} // one for each room that others are asked about for the lobby

	mu     sync.Mutex
	peers  map[string]map[*peer]int       // by room, and how often
	voices map[string]map[*voice]struct{} // broadcasts that are published here
}

// A voice is a broadcast that is published here first-hand.
type voice struct {
	who  stage.Actor
	shut atomic.Bool // what it says is not passed on
}

// admit takes a session into the room that it was opened at and lets it do what the
// room's state says, besides what its token does. It waits for the state if that is
// not known here yet.
func (s *stages) admit(ctx context.Context, p *peer, root protocol.Path, grant *token.Grant) error {
	who := actorOf(root, *grant)
	s.mu.Lock()
	p.person = who
	s.mu.Unlock()
	segments := root.Segments()
	if len(segments) == 0 || isReserved(root) {
		return nil
	}
	name := segments[0]
	context.AfterFunc(ctx, s.visit(p, name))
	state := s.rooms.State(name)
	if who.Subject != "" {
		state = s.rooms.Await(ctx, name)
	}
	s.mu.Lock()
	p.seeOut(name, state)
	s.mu.Unlock()
	if state.OnStage(who.Subject, who.Role) {
		s.rooms.Poke(name)
	}
	if err := refusedBy(state, who); err != nil {
		return session.Refuse(protocol.CodeUnauthorized, "%w", err)
	}
	if own, ok := ownVoice(state, who); ok && len(grant.Publish) == 0 && len(segments) == 1 {
		grant.Publish = []protocol.Path{own}
	}
	return nil
}

// onPromotion has a session that may not publish do so as soon as the room's state
// lets it.
func (s *stages) onPromotion(p *peer, root protocol.Path, publish func([]protocol.Path) error) {
	name := string(root)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.person.Subject == "" || len(root.Segments()) != 1 {
		return
	}
	widen := func(own protocol.Path) {
		s.relay.start(func() {
			if err := publish([]protocol.Path{own}); err != nil {
				p.session.Close(session.CodeOf(err), err.Error())
			}
		})
	}
	if own, ok := ownVoice(s.rooms.State(name), p.person); ok {
		widen(own)
		return
	}
	p.widen = map[string]func(protocol.Path){name: widen}
}

// start runs f, which Run waits for, unless the relay is ending.
func (r *Relay) start(f func()) {
	if r.enter() {
		go func() {
			defer r.tasks.Done()
			f()
		}()
	}
}

// comeBy is visit for a session that was not opened at the room.
func (s *stages) comeBy(p *peer, name string) (left func()) {
	left = s.visit(p, name)
	s.mu.Lock()
	who := p.person
	state := s.rooms.State(name)
	p.seeOut(name, state)
	s.mu.Unlock()
	if err := refusedBy(state, who); errors.Is(err, stage.ErrBanned) {
		s.relay.start(func() { p.session.Close(protocol.CodeUnauthorized, err.Error()) })
	}
	return left
}

// visit notes that a session is in a room until the returned function is called.
func (s *stages) visit(p *peer, name string) (left func()) {
	release := s.rooms.Want(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.peers[name]
	if in == nil {
		in = make(map[*peer]int)
		s.peers[name] = in
	}
	in[p]++
	return sync.OnceFunc(func() {
		release()
		s.mu.Lock()
		defer s.mu.Unlock()
		if in[p]--; in[p] == 0 {
			delete(in, p)
		}
		if len(in) == 0 && len(s.peers[name]) == 0 {
			delete(s.peers, name)
		}
	})
}

// refusedBy says why somebody is not let into a room.
func refusedBy(state stage.State, who stage.Actor) error {
	switch {
	case state.Phase.Value == stage.Ended:
		return fmt.Errorf("room %q: %w", state.Room, stage.ErrEnded)
	case who.Subject != "" && state.Banned(who.Subject):
		return fmt.Errorf("room %q: %w", state.Room, stage.ErrBanned)
	}
	return nil
}

// seeOut notes how often the session's owner had been removed when it came. s.mu is
// held.
func (p *peer) seeOut(name string, state stage.State) {
	if _, known := p.outs[name]; known || !state.Exists() || p.person.Subject == "" {
		return
	}
	if p.outs == nil {
		p.outs = make(map[string]uint64, 1)
	}
	p.outs[name] = state.People[p.person.Subject].Out.Value
}

// voice is the gate of a broadcast that a session publishes ([ingest.Config].Gate).
func (s *stages) voice(p *peer, path protocol.Path) (shut *atomic.Bool, release func()) {
	name := path.Segments()[0]
	speaker, _ := path.TrimPrefix(protocol.Path(name))
	left := s.visit(p, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	v := &voice{who: p.person}
	if v.who.Subject == "" {
		// Nobody has said who it is: it is whoever the broadcast is called after.
		v.who = stage.Actor{Subject: nameless + string(speaker), Name: string(speaker)}
	}
	if !isOnStage(v.who.Role) {
		v.who.Role = token.RoleSpeaker // it may publish, so that is what it is
	}
	if s.voices[name] == nil {
		s.voices[name] = make(map[*voice]struct{})
	}
	s.voices[name][v] = struct{}{}
	v.look(s.rooms.State(name))
	s.rooms.Poke(name)
	return &v.shut, func() {
		left()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.voices[name], v)
		if len(s.voices[name]) == 0 {
			delete(s.voices, name)
		}
	}
}

// look opens or shuts the voice as the room's state says.
func (v *voice) look(state stage.State) {
	v.shut.Store(state.Exists() && !state.MayBeHeard(v.who.Subject, v.who.Role))
}

// changed puts a room's new state into effect here: first who is heard, then who has
// to go.
func (s *stages) changed(name string, change stage.State) {
	s.mu.Lock()
	state := s.rooms.State(name) // the newest, whichever change this call is for
	for v := range s.voices[name] {
		v.look(state)
	}
	ended := change.Phase.Value == stage.Ended
	type leaver struct {
		peer *peer
		why  string
	}
	var leavers []leaver
	var widened []func()
	for p := range s.peers[name] {
		if _, concerned := change.People[p.person.Subject]; !concerned && !ended && change.Acting.Stamp.N == 0 {
			continue
		}
		before, known := p.outs[name]
		p.seeOut(name, state)
		switch {
		case state.Phase.Value == stage.Ended:
			leavers = append(leavers, leaver{p, fmt.Sprintf("room %q: %v", name, stage.ErrEnded)})
		case p.person.Subject != "" && state.Banned(p.person.Subject):
			leavers = append(leavers, leaver{p, fmt.Sprintf("room %q: %v", name, stage.ErrBanned)})
		case known && state.People[p.person.Subject].Out.Value > before:
			leavers = append(leavers, leaver{p, removedFrom(name)})
		case p.widen[name] != nil:
			if own, ok := ownVoice(state, p.person); ok {
				widen := p.widen[name]
				delete(p.widen, name)
				widened = append(widened, func() { widen(own) })
			}
		}
	}
	s.mu.Unlock()
	for _, widen := range widened {
		widen()
	}
	for _, l := range leavers {
		leave := func() { l.peer.session.Close(protocol.CodeUnauthorized, l.why) }
		if !ended {
			s.relay.start(leave) // it may have to wait for the connection
			continue
		}
		time.AfterFunc(endsAfter, leave)
	}
	s.relay.log.Debug("room state", "room", name, "version", state.Clock, "phase", state.Phase.Value, "leave", len(leavers))
}

// present are those of the stage who are in a room here.
func (s *stages) present(name string) (who []stage.Actor) {
	state := s.rooms.State(name)
	now := time.Now()
	seen := make(map[string]struct{})
	add := func(a stage.Actor) {
		if _, twice := seen[a.Subject]; !twice && a.Subject != "" && state.OnStage(a.Subject, a.Role) {
			seen[a.Subject] = struct{}{}
			who = append(who, a)
		}
	}
	s.mu.Lock()
	for p := range s.peers[name] {
		if state.OnStage(p.person.Subject, p.person.Role) && p.person.Subject != "" && p.alive(now) {
			add(p.person)
		}
	}
	for v := range s.voices[name] {
		add(v.who)
	}
	s.mu.Unlock()
	order := func(a stage.Actor) int {
		switch state.RoleOf(a.Subject, a.Role) {
		case token.RoleHost:
			return 0
		case token.RoleCohost:
			return 1
		}
		return 2
	}
	slices.SortFunc(who, func(a, b stage.Actor) int {
		return cmp.Or(order(a)-order(b), cmp.Compare(a.Subject, b.Subject))
	})
	return who
}

// alive reports whether the session has been heard from lately. s.mu is held.
func (p *peer) alive(now time.Time) bool {
	if packets := p.session.Conn().Stats().PacketsReceived; packets != p.packets || p.heardAt.IsZero() {
		p.packets, p.heardAt = packets, now
	}
	return now.Sub(p.heardAt) < quietFor
}

// stageFor is what a session may follow of rooms' states.
type stageFor struct {
	stages *stages
	peer   *peer
	grant  token.Grant
	root   protocol.Path
}

// sees reports whether the session may hear anything of a room.
func (f stageFor) sees(name string) bool {
	room := protocol.Path(name)
	if len(room.Segments()) != 1 || isReserved(room) {
		return false
	}
	return slices.ContainsFunc(append(slices.Clone(f.grant.Subscribe), f.grant.Publish...), func(prefix protocol.Path) bool {
		path := f.root.Join(prefix)
		return path == "" || path.Segments()[0] == name
	})
}

var errNoSuchRoom = session.Refuse(protocol.CodeUnroutable, "no such room here")

// View implements [deliver.Stage].
func (f stageFor) View(ctx context.Context, name string) (func() ([]byte, <-chan struct{}), func(), error) {
	if !f.sees(name) {
		return nil, nil, errNoSuchRoom
	}
	left := f.stages.visit(f.peer, name)
	f.stages.rooms.Await(ctx, name)
	f.stages.mu.Lock()
	who := f.peer.person
	f.stages.mu.Unlock()
	return func() ([]byte, <-chan struct{}) { return f.stages.rooms.ViewFor(name, who, voiceBy) }, left, nil
}

// Mirror implements [deliver.Stage]: hosts may have all of it, to keep a copy.
func (f stageFor) Mirror(name string) (deliver.Mirror, error) {
	if !f.sees(name) {
		return nil, errNoSuchRoom
	}
	if state := f.stages.rooms.State(name); f.stages.relay.cfg.Open || state.RoleOf(f.peer.person.Subject, f.peer.person.Role) == token.RoleHost {
		return f.stages.rooms.Mirror(name, ""), nil
	}
	return nil, session.Refuse(protocol.CodeUnauthorized, "all of a room's state is for its hosts; track %q is for everybody", deliver.StateTrack)
}
