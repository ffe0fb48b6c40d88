package protocol

import (
	"errors"
	"fmt"
)

// Every error of a parser is [ErrShort] or [ErrMalformed] to errors.Is. A
// [Reader] has io.EOF and io.ErrUnexpectedEOF in the place of ErrShort, and
// passes on what its stream fails with.
var (
	// ErrShort says that the input ends inside the value. More bytes may help.
	ErrShort = errors.New("input ends inside the value")

	// ErrMalformed says that no further byte can make sense of the input.
	ErrMalformed = errors.New("malformed")

	// ErrTooLong says that a message is above [MaxMessage], a frame above
	// [MaxFrame] or a catalog above [MaxCatalog].
	ErrTooLong = fmt.Errorf("%w: too long", ErrMalformed)

	// ErrTooManyHops says that an announcement has more than [MaxHops] hops.
	ErrTooManyHops = fmt.Errorf("%w: too many hops", ErrMalformed)

	// ErrTooManySegments says that a path has more than [MaxSegments] segments.
	ErrTooManySegments = fmt.Errorf("%w: too many path segments", ErrMalformed)

	// ErrTooManyParameters says that a SETUP has more than [MaxParameters].
	ErrTooManyParameters = fmt.Errorf("%w: too many parameters", ErrMalformed)
)

// Limits on what a peer can make us hold (docs/wire.md, section 15).
const (
	MaxMessage    = 64 << 10 // bytes in the body of a message
	MaxFrame      = 16 << 20 // bytes in the payload of a frame
	MaxCatalog    = 64 << 10 // bytes in a catalog document
	MaxDatagram   = 1200     // bytes in a datagram that we send; longer ones are read
	MaxHops       = 32       // hops in an announcement
	MaxSegments   = 32       // segments in a path
	MaxParameters = 64       // parameters in a SETUP
)
