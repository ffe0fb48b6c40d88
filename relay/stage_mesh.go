package relay

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/deliver"
	"github.com/stentor-audio/stentor/relay/room"
	"github.com/stentor-audio/stentor/relay/roomstate"
)

// What relays say to each other of rooms' states.

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
