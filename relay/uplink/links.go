package uplink

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/stentor-audio/stentor/protocol/session"
)

var (
	// ErrUnknown says that no relay of that name is in the directory.
	ErrUnknown = errors.New("relay not in the directory")

	// ErrEnded says that a session ended as soon as it had begun.
	ErrEnded = errors.New("session ended at once")
)

// Links are the sessions with other relays: one a pair, whoever opened it, for
// all rooms. Its methods may be called from anywhere.
type Links struct {
	// dial opens a session and has it served; Add is called for it before it
	// returns.
	dial func(ctx context.Context, name string) error

	mu      sync.Mutex
	live    map[string][]*session.Session // the one in use last
	dialing map[string]*attempt
}

type attempt struct {
	done chan struct{}
	err  error
	left bool // by the caller whose it was, before it had come to an end
}

// NewLinks makes an empty set. dial opens a session with a relay, calls Add for
// it, and returns when it can be used.
func NewLinks(dial func(ctx context.Context, name string) error) *Links {
	return &Links{dial: dial, live: make(map[string][]*session.Session), dialing: make(map[string]*attempt)}
}

// Add takes a session with a relay into use, whoever opened it.
func (l *Links) Add(name string, s *session.Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live[name] = append(l.live[name], s)
}

// Remove forgets a session that has ended.
func (l *Links) Remove(name string, s *session.Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live[name] = slices.DeleteFunc(l.live[name], func(o *session.Session) bool { return o == s })
	if len(l.live[name]) == 0 {
		delete(l.live, name)
	}
}

// Names are the relays there is a session with, in order.
func (l *Links) Names() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	names := make([]string, 0, len(l.live))
	for name := range l.live {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Live returns the session with a relay that is in use, nil if there is none.
func (l *Links) Live(name string) *session.Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return newest(l.live[name])
}

// Session returns a live session with a relay, opening one if there is none.
// Callers at the same time share the attempt.
func (l *Links) Session(ctx context.Context, name string) (*session.Session, error) {
	for {
		l.mu.Lock()
		if s := newest(l.live[name]); s != nil {
			l.mu.Unlock()
			return s, nil
		}
		a := l.dialing[name]
		if a == nil {
			a = &attempt{done: make(chan struct{})}
			l.dialing[name] = a
			l.mu.Unlock()
			a.err = l.dial(ctx, name)
			l.mu.Lock()
			if a.left = a.err != nil && ctx.Err() != nil; a.err == nil && newest(l.live[name]) == nil {
				a.err = ErrEnded // to dial again at once would be to dial without end
			}
			delete(l.dialing, name)
			l.mu.Unlock()
			close(a.done)
		} else {
			l.mu.Unlock()
			select {
			case <-a.done:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case a.err != nil && !a.left:
			return nil, a.err
		}
	}
}

// newest is the last session that has not ended.
func newest(sessions []*session.Session) *session.Session {
	for _, s := range slices.Backward(sessions) {
		if s.Context().Err() == nil {
			return s
		}
	}
	return nil
}
