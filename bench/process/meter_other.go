//go:build !linux

package process

// A Meter reads what one process uses.
type Meter struct{}

// Open returns [ErrUnsupported].
func Open(int) (*Meter, error) { return nil, ErrUnsupported }

// Read returns [ErrUnsupported].
func (*Meter) Read() (Usage, error) { return Usage{}, ErrUnsupported }

// AvailableMemory returns [ErrUnsupported].
func AvailableMemory() (int64, error) { return 0, ErrUnsupported }
