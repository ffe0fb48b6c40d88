package cost

import "errors"

var (
	// ErrUnknown says that there is no figure of that name.
	ErrUnknown = errors.New("unknown figure")
	// ErrAbsurd says that a value is not within what is believed of its figure.
	ErrAbsurd = errors.New("absurd value")
	// ErrMissing says that a file lacks what it is read for.
	ErrMissing = errors.New("missing figure")
	// ErrFormat says that a file is neither of this package nor a result of bench
	// fanout, storm or hop.
	ErrFormat = errors.New("not a file of figures")
	// ErrPartial says that a measurement was ended before its time.
	ErrPartial = errors.New("partial result")
)
