//go:build !linux

package hop

import "time"

// machineUsed is not known here.
func machineUsed() time.Duration { return 0 }
