package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/api"
	"github.com/stentor-audio/stentor/relay/deliver"
)

// operated is what a relay answers to another one's command.
type operated struct {
	Drained api.Drained `json:"drained"`
	Refused string      `json:"refused,omitempty"` // why it was not done
}

// undrainPatience is how long a relay may take to call off its drain.
const undrainPatience = 5 * time.Second

// Drain implements [api.Operated].
func (v view) Drain(ctx context.Context, name string, deadline time.Duration) (api.Drained, error) {
	if name == "" || name == v.cfg.Name {
		return v.Relay.Drain(ctx, deadline)
	}
	answer, err := v.command(ctx, name, deliver.OperateDrain, uint64(deadline.Milliseconds()))
	return answer.Drained, err
}

// Undrain implements [api.Operated].
func (v view) Undrain(ctx context.Context, name string) error {
	if name == "" || name == v.cfg.Name {
		return v.Relay.Undrain()
	}
	ctx, stop := context.WithTimeout(ctx, undrainPatience)
	defer stop()
	_, err := v.command(ctx, name, deliver.OperateUndrain, 0)
	return err
}

// command has another relay do something, and returns when it has.
func (v view) command(ctx context.Context, name, what string, argument uint64) (answer operated, err error) {
	if err := v.find(name); err != nil {
		return answer, err
	}
	s, err := v.mesh.links.Session(ctx, name)
	if err != nil {
		return answer, fmt.Errorf("%w: %w", api.ErrUnreachable, err)
	}
	var body []byte
	err = s.Fetch(ctx, protocol.Fetch{Broadcast: deliver.Operate, Track: what, Group: argument}, func(f protocol.Frame) error {
		body = append(body, f.Payload...)
		return nil
	})
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	switch {
	case err != nil:
		return answer, fmt.Errorf("%w: %s has not said what became of it, and may be at it: %w", api.ErrUnreachable, name, err)
	case answer.Refused != "":
		return answer, fmt.Errorf("%s: %w", name, errors.New(answer.Refused))
	}
	return answer, nil
}

// find says whether there is a relay of that name, and if not, which there are.
func (v view) find(name string) error {
	unknown := &api.UnknownRelayError{Name: name, Known: []string{v.cfg.Name}}
	if v.mesh == nil {
		return unknown
	}
	known := v.known()
	if _, ok := membership.Find(known, name); ok {
		return nil
	}
	unknown.Known = unknown.Known[:0]
	for _, r := range known {
		unknown.Known = append(unknown.Known, r.Name)
	}
	return unknown
}

// operate does what another relay's operator asks of this one. Whoever asked may
// be gone before it is done.
func (r *Relay) operate(what string, argument uint64) ([]byte, error) {
	var answer operated
	var err error
	if what == deliver.OperateDrain {
		deadline := min(argument, uint64(api.MaxDrain.Milliseconds()))
		r.log.Info("draining on behalf of another relay's operator", "deadline_ms", deadline)
		answer.Drained, err = r.Drain(r.serving, time.Duration(deadline)*time.Millisecond)
	} else {
		err = r.Undrain()
	}
	if err != nil {
		answer.Refused = err.Error()
	}
	return json.Marshal(answer)
}
