package room

import (
	"context"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

const (
	// reorderFor is how long a hole may be no more than a packet that another
	// has overtaken. It is short: whoever waits for the packet has some 100 ms
	// left, and asking once too often costs one small stream.
	reorderFor = 15 * time.Millisecond
	// repairFor bounds one fetch: what comes later is of no use to any listener.
	repairFor = time.Second
	// maxHoles bounds what a jump in the sequence can make us ask for: the
	// packets of two bundles.
	maxHoles = 12
	// repairPatience is how many fetches may fail in a row before a source counts
	// as one that does not answer them.
	repairPatience = 10
)

// repairer fetches what a track's feeds have lost, before anybody asks: a bundle
// can still go out whole, and a thousand listeners need not ask for the same
// packet. Its fields are guarded by the track's lock.
type repairer struct {
	holes  []uint64 // missing, not asked for yet
	timer  *time.Timer
	failed int // in a row
}

// gap notes the groups that the group before a new newest one has left out.
// t.mu is held; after is the newest group until now.
func (t *Track) gap(after, newest uint64) {
	if t.Name != protocol.TrackAudio || newest-after <= 1 || newest-after > maxHoles || t.repair.failed >= repairPatience {
		return
	}
	for sequence := after + 1; sequence < newest && len(t.repair.holes) < maxHoles; sequence++ {
		t.repair.holes = append(t.repair.holes, sequence)
	}
	if t.repair.timer == nil {
		t.repair.timer = time.AfterFunc(reorderFor, t.fill)
	}
}

// fill asks for the holes that are still there.
func (t *Track) fill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.repair.timer = nil
	holes := t.repair.holes
	t.repair.holes = nil
	if t.ended || len(t.members) == 0 {
		return
	}
	for _, sequence := range holes {
		if t.cache.groups[sequence] == nil && sequence >= t.cache.floor {
			t.broadcast.origin.tasks.Go(func() { t.mend(sequence) })
		}
	}
}

// mend fetches one group.
func (t *Track) mend(sequence uint64) {
	ctx, stop := context.WithTimeout(t.broadcast.origin.ctx, repairFor)
	defer stop()
	_, err := t.broadcast.repair(ctx, t, sequence)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.repair.failed++
		return
	}
	t.repair.failed = 0
	t.repaired.Add(1)
}
