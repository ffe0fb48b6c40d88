//go:build unix

package bench

import (
	"math"

	"golang.org/x/sys/unix"
)

// openFiles is how many files this process may have open; 0 is unknown.
func openFiles() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Cur, math.MaxInt32))
}
