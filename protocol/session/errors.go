package session

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/stentor-audio/stentor/protocol"
)

var (
	// ErrClosed is returned by requests on a session that has ended.
	ErrClosed = errors.New("session closed")
	// ErrNoCredit says that the peer allows no further stream right now.
	ErrNoCredit = errors.New("no stream credit")
	// ErrNoDatagrams says that the connection cannot carry datagrams.
	ErrNoDatagrams = errors.New("datagrams not negotiated")
)

// A ResetError is a stream that one end cut short (docs/wire.md, reset codes).
type ResetError struct {
	Code   protocol.ResetCode
	Remote bool // the peer did it
}

func (e *ResetError) Error() string {
	side := "here"
	if e.Remote {
		side = "by the peer"
	}
	return fmt.Sprintf("stream reset %s: %v", side, e.Code)
}

// Is reports whether target is a ResetError with the same code.
func (e *ResetError) Is(target error) bool {
	t, ok := target.(*ResetError)
	return ok && t.Code == e.Code
}

// A ClosedError is a session that one end closed with a code.
type ClosedError struct {
	Code   protocol.ResetCode
	Reason string
	Remote bool // the peer did it
}

func (e *ClosedError) Error() string {
	side := "here"
	if e.Remote {
		side = "by the peer"
	}
	if e.Reason == "" {
		return fmt.Sprintf("session closed %s: %v", side, e.Code)
	}
	return fmt.Sprintf("session closed %s: %s (%v)", side, e.Reason, e.Code)
}

// Is reports whether target is a ClosedError with the same code, or [ErrClosed].
func (e *ClosedError) Is(target error) bool {
	if target == ErrClosed {
		return true
	}
	t, ok := target.(*ClosedError)
	return ok && t.Code == e.Code
}

// An Error refuses a request with a reset code the peer will see.
type Error struct {
	Code protocol.ResetCode
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%v (%v)", e.Err, e.Code) }

// Unwrap returns the error behind the code.
func (e *Error) Unwrap() error { return e.Err }

// Refuse returns an error that resets the peer's request with code.
func Refuse(code protocol.ResetCode, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// CodeOf is the reset code that tells a peer about err.
func CodeOf(err error) protocol.ResetCode {
	var refused *Error
	var reset *ResetError
	var closed *ClosedError
	switch {
	case err == nil:
		return protocol.CodeCancel
	case errors.As(err, &refused):
		return refused.Code
	case errors.As(err, &reset):
		return reset.Code
	case errors.As(err, &closed):
		return closed.Code
	case errors.Is(err, protocol.ErrMalformed), errors.Is(err, protocol.ErrShort),
		errors.Is(err, io.ErrUnexpectedEOF):
		return protocol.CodeDecode
	case errors.Is(err, context.DeadlineExceeded):
		return protocol.CodeTimeout
	default:
		return protocol.CodeCancel
	}
}
