package relay

import (
	"os"
	"runtime/debug"
)

// Settings of a process whose work is to be a relay (docs/benchmarks.md has what
// each is worth).
const (
	// gcPercent lets the heap grow by half between two collections. A relay's
	// heap is mostly connections that stay, so collections are few anyway, and
	// the usual doubling would cost a third more memory a listener.
	gcPercent = 50
	// disableGSO is quic-go's switch for generic segmentation offload. Offload
	// sends several packets to one peer in one call. A relay has one small
	// packet for each of many peers, and offload only makes it take a 20 KB
	// buffer for each.
	disableGSO = "QUIC_GO_DISABLE_GSO"
)

// TuneProcess sets what a relay wants of the whole process: the garbage
// collector's pace and quic-go's switches, which are environment variables. Call
// it once, before the first New, in a program that is a relay; a program that
// has other work decides for itself. Where the environment says otherwise
// (GOGC, QUIC_GO_DISABLE_GSO) it keeps that.
func TuneProcess() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	if _, set := os.LookupEnv(disableGSO); !set {
		_ = os.Setenv(disableGSO, "true") // fails only for malformed names
	}
}
