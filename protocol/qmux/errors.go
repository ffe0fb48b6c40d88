package qmux

import (
	"errors"
	"fmt"
)

// Every error of a parser is [ErrMalformed] to errors.Is. A frame cannot be
// skipped unless it is understood, so each ends the session.
var (
	// ErrMalformed says that the bytes are no frame.
	ErrMalformed = errors.New("malformed frame")

	// ErrType says that the frame's type is none of qmux.
	ErrType = fmt.Errorf("%w: unknown type", ErrMalformed)

	// ErrShort says that the record ends inside the frame.
	ErrShort = fmt.Errorf("%w: cut short", ErrMalformed)

	// ErrParameters says that the transport parameters may not be as they are.
	ErrParameters = fmt.Errorf("%w: transport parameters", ErrMalformed)
)

// Codes of a [ConnectionClose].
const (
	CodeViolation = 1002 // the peer broke a rule
	CodeText      = 1003 // the peer sent a text message
)

// Sizes in bytes (docs/wire.md, section 20.8).
const (
	// MaxRecord is the longest record that is sent and accepted, and the least
	// that a peer may ask us not to exceed.
	MaxRecord = 16382

	// MaxPayload is the longest payload of a STREAM frame that is sent.
	MaxPayload = 16352

	// MaxReason is the longest reason of a close frame that is sent.
	MaxReason = 512
)
