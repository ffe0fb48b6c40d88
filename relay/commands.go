package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/api"
	"github.com/stentor-audio/stentor/relay/deliver"
	"github.com/stentor-audio/stentor/relay/room"
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

// stateRoots are the roots of a room's state. Where both are quiet the next ones take
// it on, seconds before the directory is sure that they are gone: what is decided
// here and there meanwhile is merged.
func (m *mesh) stateRoots(room string) []string {
	roots := m.roots(room)
	others := slices.DeleteFunc(slices.Clone(roots), func(name string) bool { return name == m.relay.cfg.Name })
	quiet := m.relay.others.heed(others)
	if len(others) < len(roots) || len(quiet) < len(others) {
		return roots
	}
	return m.directoryRoots(room, quiet...)
}

// rootsToAsk are the roots of a room for who has a question about it: the next ones
// where both are known to be silent. It has nobody watched for the sake of a room
// of which nothing is held here: anybody may ask about any name.
func (m *mesh) rootsToAsk(room string) []string {
	if m.relay.stages.rooms.State(room).Exists() {
		return m.stateRoots(room)
	}
	roots, silent := m.roots(room), m.relay.others.gone()
	if slices.ContainsFunc(roots, func(name string) bool { return !slices.Contains(silent, name) }) {
		return roots
	}
	return m.directoryRoots(room, silent...)
}

// followStage follows the state that another relay holds of a room.
func (m *mesh) followStage(ctx context.Context, relay, room string, signal func() (roomstate.Signal, <-chan struct{}), each func([]byte)) error {
	s, err := m.session(ctx, relay)
	if err != nil {
		return err
	}
	return followReport(ctx, s, room, deliver.StageTrack, func() (protocol.Delivery, <-chan struct{}) {
		value, changed := signal()
		return protocol.Delivery{Priority: uint8(value)}, changed
	}, each)
}

// session is a session with another relay. It does not wait longer than ctx lasts for
// one that is being opened, which goes on: a relay that is dead is dialled for 3 s.
func (m *mesh) session(ctx context.Context, relay string) (*session.Session, error) {
	if s := m.links.Live(relay); s != nil {
		return s, nil
	}
	type outcome struct {
		s   *session.Session
		err error
	}
	opened := make(chan outcome, 1)
	if !m.relay.enter() {
		return nil, session.ErrClosed
	}
	go func() {
		defer m.relay.tasks.Done()
		s, err := m.links.Session(ctx, relay)
		opened <- outcome{s, err}
	}()
	select {
	case o := <-opened:
		return o.s, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// fetch asks another relay about a room.
func (m *mesh) fetch(ctx context.Context, relay, room, what string) (body []byte, err error) {
	s, err := m.session(ctx, relay)
	if err != nil {
		return nil, err
	}
	err = s.Fetch(ctx, protocol.Fetch{Broadcast: deliver.Reports.Join(protocol.Path(room)), Track: what}, func(f protocol.Frame) error {
		if len(body)+len(f.Payload) > roomstate.MaxDocument {
			return session.Refuse(protocol.CodeBounds, "more than %d bytes of a room", roomstate.MaxDocument)
		}
		body = append(body, f.Payload...)
		return nil
	})
	return body, err
}

// order has another relay carry out an order.
func (m *mesh) order(ctx context.Context, relay, room string, o roomstate.Order) (answer roomstate.Answer, err error) {
	b, err := json.Marshal(o)
	if err != nil {
		return answer, err
	}
	if b, err = m.fetch(ctx, relay, room, deliver.OrderTrack+" "+string(b)); err != nil {
		return answer, err
	}
	return answer, json.Unmarshal(b, &answer)
}

// aboutStage answers another relay that asks for a room's state, or orders; ok is
// false if it asks for something else.
func (s *stages) aboutStage(ctx context.Context, name, what string) (body []byte, ok bool, err error) {
	text, isOrder := deliver.IsOrder(what)
	switch {
	case what == deliver.StageTrack:
		body, err = s.rooms.Document(name)
	case what == deliver.StateTrack:
		release := s.rooms.Want(name)
		defer release()
		s.rooms.Await(ctx, name)
		body, _ = s.rooms.View(name)
	case isOrder:
		var o roomstate.Order
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			return nil, true, session.Refuse(protocol.CodeDecode, "order: %w", err)
		}
		var answer roomstate.Answer
		if answer, err = roomstate.AnswerOf(s.rooms.Do(ctx, name, o)); err == nil {
			body, err = json.Marshal(answer)
		}
	default:
		return nil, false, nil
	}
	return body, true, err
}

// mirrorFor lets another relay follow what is held of rooms here.
type mirrorFor struct {
	stages *stages
	relay  string
}

// View implements [deliver.Stage]: relays follow all of it.
func (mirrorFor) View(context.Context, string) (func() ([]byte, <-chan struct{}), func(), error) {
	return nil, nil, session.Refuse(protocol.CodeNotFound, "%v", room.ErrUnknown)
}

// Mirror implements [deliver.Stage].
func (f mirrorFor) Mirror(name string) (deliver.Mirror, error) {
	return f.stages.rooms.Mirror(name, f.relay), nil
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

// Command implements [api.Stage].
func (v view) Command(ctx context.Context, room string, c stage.Command, by api.By) (stage.View, error) {
	if err := checkRoom(room); err != nil {
		return stage.View{}, err
	}
	who, err := v.stages.actor(room, by)
	if err != nil {
		return stage.View{}, err
	}
	if c.Do == stage.Join {
		return stage.View{}, fmt.Errorf("%w: no command %q", stage.ErrMalformed, c.Do)
	}
	release := v.stages.rooms.Want(room)
	defer release()
	out, err := v.stages.rooms.Command(ctx, room, roomstate.Order{Actor: who, Command: c})
	if err == nil {
		// Whoever asks here next finds it done.
		ctx, stop := context.WithTimeout(ctx, heardFor)
		defer stop()
		v.stages.rooms.AwaitVersion(ctx, room, out.Version)
	}
	return out, err
}

// heardFor is how long a command waits for what it has changed to be heard back from
// the root.
const heardFor = 300 * time.Millisecond

// Document implements [api.Stage].
func (v view) Document(ctx context.Context, room string, by api.By) ([]byte, error) {
	if err := checkRoom(room); err != nil {
		return nil, err
	}
	who, err := v.stages.actor(room, by)
	if err != nil {
		return nil, err
	}
	release := v.stages.rooms.Want(room)
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

const (
	// commandRate and commandBurst are how many commands a second one person may
	// give at one relay.
	commandRate, commandBurst = 20, 20
	// addressRate is how many may come from one address, whoever they are of: a
	// forged token costs a look at its signature.
	addressRate = 200
	// maxPaced is how many senders are remembered.
	maxPaced = 10_000
)

// pace is how much of their commands people have used up.
type pace struct {
	mu      sync.Mutex
	senders map[string]allowance
}

type allowance struct {
	tokens float64
	at     time.Time
}

func (p *pace) allow(subject string, now time.Time) error {
	return p.take("subject "+subject, commandRate, commandBurst, now)
}

func (p *pace) allowAny(address string, now time.Time) error {
	return p.take("address "+address, addressRate, addressRate, now)
}

func (p *pace) take(sender string, rate, burst float64, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.senders == nil {
		p.senders = make(map[string]allowance)
	}
	a, known := p.senders[sender]
	if !known {
		p.forget(now)
		a = allowance{burst, now}
	}
	a.tokens = min(burst, a.tokens+math.Max(0, now.Sub(a.at).Seconds())*rate)
	a.at = now
	defer func() { p.senders[sender] = a }()
	if a.tokens < 1 {
		return fmt.Errorf("%w: %.0f commands a second", api.ErrTooFast, rate)
	}
	a.tokens--
	return nil
}

// forget drops those whose allowance is whole again, and all if that does not do.
func (p *pace) forget(now time.Time) {
	if len(p.senders) < maxPaced {
		return
	}
	for sender, a := range p.senders {
		if now.Sub(a.at) > 2*time.Second {
			delete(p.senders, sender)
		}
	}
	if len(p.senders) >= maxPaced {
		clear(p.senders)
	}
}

// stageView is what everybody may know of a room, from wherever it is known. ok is
// false where nobody has made the room.
func (v view) stageView(ctx context.Context, name string) (out stage.View, ok bool) {
	if checkRoom(name) != nil {
		return out, false
	}
	if state := v.stages.rooms.State(name); state.Exists() {
		return state.View(), true
	}
	if v.mesh == nil {
		return out, false
	}
	return v.stages.asked.get(name, func() (out stage.View, ok bool) {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), reportPatience)
		defer stop()
		for _, root := range v.mesh.rootsToAsk(name) {
			if root == v.cfg.Name {
				continue
			}
			b, err := v.mesh.fetch(ctx, root, name, deliver.StateTrack)
			if err == nil {
				err = json.Unmarshal(b, &out)
			}
			if err == nil {
				return out, out.Version > 0
			}
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				break
			}
		}
		return stage.View{}, false
	})
}
