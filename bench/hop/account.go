package hop

import (
	"math"
	"sync"
	"time"
)

// Every is how much audio a frame is.
const Every = 20 * time.Millisecond

// An Account is what one listener heard of one speaker who never pauses: for
// each frame how long it was on its way, from its timestamp to its arrival.
//
// Playout is taken to be as plain as can be: it learns the least time that a
// frame takes while nothing is wrong, and from then on plays each frame that
// long and the delay after its timestamp. A frame that is not there by then is
// lost, whatever comes of it. Frames may be told by any goroutine.
type Account struct {
	mu      sync.Mutex
	began   time.Time // when that was heard
	first   uint64    // sequence of the first frame
	epoch   int64     // and its timestamp, µs
	way     []uint32
	least   uint32 // µs plus one, of what Learn saw; 0: not learned
	strange uint64
}

// maxFrames bounds what is kept: half a day.
const maxFrames = 1 << 21

// fetched marks the way of a frame that came because it was asked for again.
const fetched = 1 << 31

// Hear notes a frame, that came by itself or was fetched as a repair. Only its first copy counts. A frame from before the first
// one is left out, and one whose timestamp does not fit its sequence is strange:
// then the speaker has paused or begun anew.
func (a *Account) Hear(sequence, timestamp uint64, at time.Time, repaired bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if timestamp > math.MaxInt64 {
		a.strange++
		return
	}
	if len(a.way) == 0 {
		a.began, a.first, a.epoch = at, sequence, int64(timestamp)
	}
	if sequence < a.first || sequence-a.first >= maxFrames {
		return
	}
	i := int(sequence - a.first)
	const near = int64(Every / time.Microsecond / 2)
	if off := int64(timestamp) - a.capture(i); off > near || off < -near {
		a.strange++
		return
	}
	for len(a.way) <= i {
		a.way = append(a.way, 0)
	}
	if a.way[i] == 0 {
		a.way[i] = uint32(min(max(at.UnixMicro()-int64(timestamp), 0), fetched-2)) + 1
		if repaired {
			a.way[i] |= fetched
		}
	}
}

// capture is the timestamp that frame i of the account should have, in µs.
func (a *Account) capture(i int) int64 {
	return a.epoch + int64(i)*int64(Every/time.Microsecond)
}

// Learn takes the least time that any frame took until now for what is normal.
// It reports false if nothing has come.
func (a *Account) Learn() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.least = 0
	for _, w := range a.way {
		w &^= fetched
		if w != 0 && (a.least == 0 || w < a.least) {
			a.least = w
		}
	}
	return a.least != 0
}

// Began is when the first frame came; not ok if none has.
func (a *Account) Began() (at time.Time, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.began, len(a.way) > 0
}

// Heard is a count of frames, over one or many listeners.
type Heard struct {
	Expected uint64
	Lost     uint64
	Longest  time.Duration // most that was lost in a row
	Strange  uint64        // whose timestamp does not fit
}

// Add counts another listener's frames, too.
func (h Heard) Add(other Heard) Heard {
	return Heard{
		Expected: h.Expected + other.Expected,
		Lost:     h.Lost + other.Lost,
		Longest:  max(h.Longest, other.Longest),
		Strange:  h.Strange + other.Strange,
	}
}

// Between counts the frames with timestamps from from to to, both in µs and the
// latter not included, at a delay. What should have come counts whether it did or
// not. [Account.Learn] must have been called. A listener that had heard nothing
// by then has no frames.
func (a *Account) Between(from, to int64, delay time.Duration) Heard {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := Heard{Strange: a.strange}
	if len(a.way) == 0 || a.least == 0 {
		return h
	}
	run := uint64(0)
	for i := a.index(from); i < a.index(to); i++ {
		h.Expected++
		if a.inTime(i, delay) {
			run = 0
			continue
		}
		h.Lost++
		run++
		h.Longest = max(h.Longest, time.Duration(run)*Every)
	}
	return h
}

// inTime reports whether frame i was there when it had to be played.
func (a *Account) inTime(i int, delay time.Duration) bool {
	return i < len(a.way) && a.way[i] != 0 && int64(a.way[i]&^fetched) <= int64(a.least)+delay.Microseconds()
}

// index is the first frame whose timestamp is not before t, in µs.
func (a *Account) index(t int64) int {
	const every = int64(Every / time.Microsecond)
	if t <= a.epoch {
		return 0
	}
	return int(min((t-a.epoch+every-1)/every, maxFrames))
}
