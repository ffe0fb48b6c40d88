package membership

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
	"time"
)

// An offspring is the goroutines that memberlist starts, and those they start.
// memberlist does not wait for them when it is shut down: a probe may sleep for
// up to eight more seconds. Go hands a goroutine's profiling labels down to
// those it starts, so they are found by their label; an operator finds them in
// profiles in the same way.
type offspring struct{ label string }

// offspringLabel is the label's key.
const offspringLabel = "gossip"

var offsprings atomic.Uint64

func newOffspring(name string) offspring {
	return offspring{name + "#" + strconv.FormatUint(offsprings.Add(1), 10)}
}

// start calls f. What goroutines it starts belong to o.
func (o offspring) start(f func()) {
	pprof.Do(context.Background(), pprof.Labels(offspringLabel, o.label), func(context.Context) { f() })
}

// wait returns when none of them runs. It looks again after a millisecond, then
// two, and so on up to 50: they mostly end at once.
func (o offspring) wait() {
	const longest = 50 * time.Millisecond
	for pause := time.Millisecond; o.alive(); pause = min(2*pause, longest) {
		time.Sleep(pause)
	}
}

func (o offspring) alive() bool {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return false
	}
	return bytes.Contains(b.Bytes(), []byte(strconv.Quote(offspringLabel)+":"+strconv.Quote(o.label)))
}
