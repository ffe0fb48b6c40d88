package roomstate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/relay/stage"
)

// codes are the errors of package stage as HTTP, and other relays, know them.
var codes = []struct {
	code string
	err  error
}{
	{"not_allowed", stage.ErrNotAllowed},
	{"banned", stage.ErrBanned},
	{"not_found", stage.ErrUnknown},
	{"exists", stage.ErrExists},
	{"ended", stage.ErrEnded},
	{"outdated", stage.ErrOutdated},
	{"last_host", stage.ErrLastHost},
	{"full", stage.ErrFull},
	{"bad_request", stage.ErrMalformed},
}

// Code is the word for why a command was refused, "" if that is none of package
// stage's reasons.
func Code(err error) string {
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return ""
}

// refusal is a refusal in the words of the relay that made it.
type refusal struct {
	message string
	kind    error
}

func (r *refusal) Error() string { return r.message }
func (r *refusal) Unwrap() error { return r.kind }

// AnswerOf puts what became of an order into an answer.
func AnswerOf(view stage.View, err error) (Answer, error) {
	if err == nil {
		return Answer{View: &view}, nil
	}
	code := Code(err)
	if code == "" {
		return Answer{}, err
	}
	return Answer{Code: code, Message: err.Error()}, nil
}

// result is the opposite of AnswerOf.
func (a Answer) result() (stage.View, error) {
	switch {
	case a.Code != "":
		i := slices.IndexFunc(codes, func(c struct {
			code string
			err  error
		}) bool {
			return c.code == a.Code
		})
		if i < 0 {
			return stage.View{}, fmt.Errorf("refused: %.200s", a.Message)
		}
		return stage.View{}, &refusal{a.Message, codes[i].err}
	case a.View == nil:
		return stage.View{}, errors.New("the root's answer says nothing")
	}
	return *a.View, nil
}

// ErrNoRoot says that no root of the room could be asked.
var ErrNoRoot = errors.New("no root of the room answers; try again")

// rootPatience is how long a root may take until the other is asked.
const rootPatience = time.Second

// Command has a room's root carry out an order: the red one, the blue one if that
// does not answer, and if neither does this relay itself, should it know the room.
// What was done twice, or apart, is merged.
func (r *Rooms) Command(ctx context.Context, name string, o Order) (stage.View, error) {
	roots := r.cfg.Roots(name)
	var failed error
	for _, root := range roots {
		if root == r.cfg.Self || r.cfg.Tell == nil {
			return r.Do(ctx, name, o)
		}
		patience, stop := context.WithTimeout(ctx, rootPatience)
		answer, err := r.cfg.Tell(patience, root, name, o)
		stop()
		if err == nil {
			return answer.result()
		}
		failed = err
		if ctx.Err() != nil {
			return stage.View{}, context.Cause(ctx)
		}
		r.cfg.Logger.Warn("a root does not take a command", "room", name, "root", root, "cause", err)
	}
	if len(roots) == 0 || r.State(name).Exists() {
		return r.Do(ctx, name, o)
	}
	return stage.View{}, fmt.Errorf("%w: %w", ErrNoRoot, failed)
}
