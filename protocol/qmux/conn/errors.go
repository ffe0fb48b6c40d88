package conn

import (
	"errors"
	"fmt"

	"github.com/stentor-audio/stentor/protocol/qmux"
	"github.com/stentor-audio/stentor/protocol/session"
)

var (
	// ErrNoParameters says that the peer's transport parameters did not come
	// within ten seconds.
	ErrNoParameters = errors.New("no transport parameters")
	// ErrIdle says that nothing came from the peer for the idle timeout.
	ErrIdle = errors.New("idle timeout")
	// ErrStalled says that the peer did not take what was sent, or had us wait
	// until too much was to be said.
	ErrStalled = errors.New("the peer does not read")

	errFinished = fmt.Errorf("stream: %w", session.ErrClosed)
)

// A TransportError is a session that one end gave up because the other broke a
// rule of qmux.
type TransportError struct {
	Code   uint64 // qmux.CodeViolation or qmux.CodeText
	Reason string
	Remote bool // the peer gave it up
}

func (e *TransportError) Error() string {
	side := "by the peer"
	if e.Remote {
		side = "here"
	}
	return fmt.Sprintf("qmux broken %s: %s (%d)", side, e.Reason, e.Code)
}

// violation is what a peer has done wrong.
func violation(format string, args ...any) *TransportError {
	return &TransportError{Code: qmux.CodeViolation, Reason: fmt.Sprintf(format, args...)}
}

var (
	errFlowControl = violation("flow control error")
	errStreamLimit = violation("stream limit exceeded")
)
