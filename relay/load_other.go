//go:build !unix

package relay

import "time"

// processCPU is not known here: the load is that of timers, packets and sessions.
func processCPU() time.Duration { return 0 }
