//go:build race

package membership

import "runtime"

// One goroutine at a time under the race detector: with a fake clock, Go 1.26
// lets two timers that fire together use the same state of the detector, which
// then crashes (go.dev/issue/78156). Races are found by what happens before
// what, and need no second processor.
func init() { runtime.GOMAXPROCS(1) }
