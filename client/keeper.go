package client

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

// A keeper keeps one session alive: it dials the relays of its list in turn,
// lets serve use the session, and dials the next when it is over.
type keeper struct {
	relays []string
	dial   func(ctx context.Context, relay string) (*Session, error)
	// serve uses a session until that ends or ctx does.
	serve func(ctx context.Context, s *Session)
	// failed hears of each attempt and session that ended for no reason of ours.
	failed func(err error)
	log    *slog.Logger
}

// run keeps a session until ctx ends, or until no relay of the list can ever
// take this client. It returns why: never nil.
func (k *keeper) run(ctx context.Context) error {
	hopeless := make(map[string]bool)
	var pause backoff
	for i := 0; ; i++ {
		relay := k.relays[i%len(k.relays)]
		if hopeless[relay] {
			continue
		}
		lived, err := k.session(ctx, relay)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		k.failed(err)
		if errors.Is(err, ErrCertificate) || errors.Is(err, ErrAddress) {
			hopeless[relay] = true // another relay may do
		}
		if errors.Is(err, ErrNotAllowed) || errors.Is(err, ErrNameTaken) || len(hopeless) == len(k.relays) {
			return err
		}
		wait := pause.next(lived, rand.Float64())
		k.log.Warn("no session, trying again", "in", wait.Round(time.Millisecond), "cause", err)
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// session has one session with relay and says for how long and why it ended.
func (k *keeper) session(ctx context.Context, relay string) (lived time.Duration, err error) {
	s, err := k.dial(ctx, relay)
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	k.log.Info("session", "relay", s.Relay(), "transport", s.Transport())
	k.serve(ctx, s)
	s.Close()
	return time.Since(begun), s.Err()
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
