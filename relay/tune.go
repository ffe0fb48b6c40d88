package relay

import (
	"cmp"
	"context"
	"os"
	"runtime"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"sync/atomic"
	"time"
)

// Settings of a process whose work is to be a relay (docs/benchmarks.md has what
// each is worth).
const (
	// gcPercent lets the heap grow by a quarter between two collections. A relay's
	// heap is mostly connections that stay, and a packet leaves little behind:
	// collections are still seconds apart, and the usual doubling would cost
	// half as much memory again a listener.
	gcPercent = 25
	// disableGSO is quic-go's switch for generic segmentation offload. Offload
	// sends several packets to one peer in one call. A relay has one small
	// packet for each of many peers, and offload only makes it take a 20 KB
	// buffer for each.
	disableGSO = "QUIC_GO_DISABLE_GSO"
	// disableECN is quic-go's switch for explicit congestion notification, which
	// takes a control message with each packet. Speech has a fixed rate: a mark
	// would not make it slower.
	disableECN = "QUIC_GO_DISABLE_ECN"
)

// tuned says that the process is the relay's, and collects that the relay says how
// often garbage is collected.
var tuned, collects atomic.Bool

// TuneProcess sets what a relay wants of the whole process: the garbage
// collector's pace and quic-go's switches, which are environment variables. Call
// it once, before the first New, in a program that is a relay; a program that
// has other work decides for itself. Where the environment says otherwise
// (GOGC, QUIC_GO_DISABLE_GSO, QUIC_GO_DISABLE_ECN) it keeps that.
func TuneProcess() {
	tuned.Store(true)
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
		collects.Store(true)
	}
	for _, name := range []string{disableGSO, disableECN} {
		if _, set := os.LookupEnv(name); !set {
			_ = os.Setenv(name, "true") // fails only for malformed names
		}
	}
}

const (
	// leastJoinHeap and mostJoinHeap are how much the heap may grow between two
	// collections while many come, and joinHeapPart of the machine's memory lies
	// between them. A handshake leaves a thousand times the garbage of a packet, and
	// while garbage is collected a packet to all who are in comes 50 to 100 ms late, so
	// one in a hundred may meet a collection. Afterwards trim gives it back.
	leastJoinHeap, mostJoinHeap = 96 << 20, 512 << 20
	joinHeapPart                = 32
	// roomToCollect is how many times of that the runtime is told, which would begin
	// by itself only when most of it is used up, and then have whoever allocates help:
	// packets would wait for that. The relay begins earlier, and nobody has to help.
	roomToCollect = 3
	// manyJoins in half a second are a wave, which is over after so many looks
	// without one.
	manyJoins, waveLooks = 10, 6
	mostPercent          = 10_000
)

// relaxed is whether garbage is collected more seldom, because many come.
type relaxed struct {
	joinHeap uint64 // bytes by which it may grow
	percent  int    // of the heap, likewise; zero: as is usual
	quiet    int    // looks since many came
}

// joinHeapOf is by how many bytes the heap may grow where there is so much memory.
func joinHeapOf(memory uint64) uint64 {
	return min(max(memory/joinHeapPart, leastJoinHeap), mostJoinHeap)
}

// heap is what is known of the heap, in bytes: what is in use, and how much of that
// was when the last collection ended.
type heap struct{ used, live uint64 }

// look takes how many handshakes were begun since the last look. It returns the
// percentage by which the heap may grow, and whether that is news, and whether it is
// time to collect.
func (x *relaxed) look(joins int, h heap) (percent int, news, collect bool) {
	if joins >= manyJoins {
		x.quiet = 0
	} else {
		x.quiet++
	}
	was := cmp.Or(x.percent, gcPercent)
	if joins < manyJoins && (x.percent == 0 || x.quiet >= waveLooks) {
		x.percent = 0
		return gcPercent, was != gcPercent, false
	}
	percent = min(max(int(100*roomToCollect*x.joinHeap/max(h.live, 1)), gcPercent), mostPercent)
	if news = x.percent == 0 || 2*percent < was || percent > 2*was; !news {
		percent = was
	}
	x.percent = percent
	return percent, news, h.used > h.live+x.joinHeap
}

func readHeap() heap {
	sample := []runtimemetrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}}
	runtimemetrics.Read(sample)
	return heap{used: sample[0].Value.Uint64(), live: sample[1].Value.Uint64()}
}

// collecting collects garbage, one collection at a time.
type collecting struct{ busy atomic.Bool }

func (c *collecting) collect() {
	if c.busy.CompareAndSwap(false, true) {
		runtime.GC()
		c.busy.Store(false)
	}
}

// trim hands memory back to the system after each wave of arrivals: a handshake
// needs several times what a session does, and the runtime keeps it for long.
func (r *Relay) trim(ctx context.Context) {
	if !tuned.Load() {
		return
	}
	var w wave
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			r.mu.Lock()
			sessions := len(r.peers)
			r.mu.Unlock()
			if w.over(sessions) {
				debug.FreeOSMemory()
			}
		case <-ctx.Done():
			return
		}
	}
}

// A wave is a rise of the number of sessions.
type wave struct {
	last    int // a look ago
	trimmed int // when memory was last handed back
}

// least is how many sessions are worth a collection of the whole heap.
const least = 50

// over takes the number of sessions, once a second, and reports whether it has
// grown by a tenth or more and now stands still.
func (w *wave) over(sessions int) bool {
	still := 50*abs(sessions-w.last) <= sessions
	w.last = sessions
	w.trimmed = min(w.trimmed, sessions)
	if !still || sessions-w.trimmed < max(least, sessions/10) {
		return false
	}
	w.trimmed = sessions
	return true
}

func abs(n int) int { return max(n, -n) }
