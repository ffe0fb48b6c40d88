package process

import (
	"errors"
	"time"
)

var (
	// ErrUnsupported says that this system does not tell what a process uses.
	ErrUnsupported = errors.New("what a process uses is only known on Linux")
	// ErrNoProcess says that there is no such process, or no longer.
	ErrNoProcess = errors.New("no such process")
	// ErrForbidden says that the process is another user's.
	ErrForbidden = errors.New("the process belongs to another user")
)

// Usage is what a process has used at one moment.
type Usage struct {
	// CPU is the time of all of its threads since it began, with the precision of
	// the scheduler, nanoseconds.
	CPU time.Duration

	// User and System are CPU again, taken apart by the kernel with the
	// precision of a clock tick, 10 ms.
	User, System time.Duration

	// RSS is how much memory of it is resident, in bytes.
	RSS int64
}

// Sub returns what was used between two moments. RSS is the difference, too.
func (u Usage) Sub(before Usage) Usage {
	return Usage{
		CPU:    u.CPU - before.CPU,
		User:   u.User - before.User,
		System: u.System - before.System,
		RSS:    u.RSS - before.RSS,
	}
}
