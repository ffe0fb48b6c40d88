package playout

import "time"

// An entry is one sequence between the next to be played and the newest known.
type entry struct {
	packet    []byte
	timestamp uint64        // the speaker's clock, µs
	media     time.Duration // when its first sample was spoken (timeline)
	here      bool          // false: a hole
	repaired  bool
	left      bool // left out: it never was to come

	// Of a hole.
	noticed time.Duration // when something newer came
	asked   time.Duration // when it was last given out to be fetched
	asks    int           // how often
	asking  bool          // an answer is awaited
}

// A window holds the frames of one track by sequence: first copy wins, holes
// are known, and whatever comes in, no more than its size is kept.
//
// It covers the sequences [next-size, next+size): those below next have been
// played or given up and are only remembered as one bit each, to tell a
// duplicate from a late frame.
type window struct {
	entries []entry  // sequence s lives at s modulo size, for next <= s < end
	seen    []uint64 // a bit for each of the 2*size sequences covered: a copy came
	spare   [][]byte // packet memory to use again

	next, end uint64 // [next, end) waits; end is one past the newest known
	missing   int    // how many of those are holes
	open      bool   // a first frame came
	passed    bool   // a sequence was passed since the last restart

	newest   uint64        // the highest sequence accepted
	stamp    uint64        // its timestamp, µs
	latest   time.Duration // when the last frame was accepted
	stray    uint64        // the last sequence refused for not belonging here
	strayed  bool
	restarts int

	gap, gapEnd uint64 // what will be left out, [gap, gapEnd); nothing if they are equal

	stats Stats
}

func newWindow(size int) window {
	return window{entries: make([]entry, size), seen: make([]uint64, (2*size+63)/64)}
}

func (w *window) size() uint64            { return uint64(len(w.entries)) }
func (w *window) empty() bool             { return w.next == w.end }
func (w *window) at(seq uint64) *entry    { return &w.entries[seq&(w.size()-1)] }
func (w *window) covers(seq uint64) bool  { return seq+w.size() >= w.next && seq < w.next+w.size() }
func (w *window) wasSeen(seq uint64) bool { i, m := w.bit(seq); return w.seen[i]&m != 0 }
func (w *window) setSeen(seq uint64)      { i, m := w.bit(seq); w.seen[i] |= m }

func (w *window) bit(seq uint64) (word uint64, mask uint64) {
	seq &= 2*w.size() - 1
	return seq / 64, 1 << (seq % 64)
}

// admit takes a frame that came at now. The entry is nil unless the frame was
// accepted.
func (w *window) admit(seq, timestamp uint64, packet []byte, now time.Duration) (*entry, Outcome) {
	if seq > maxSequence || len(packet) == 0 || len(packet) > MaxPacket {
		w.stats.Refused++
		return nil, Refused
	}
	if !w.open {
		w.open, w.next, w.end, w.newest, w.latest = true, seq, seq, seq, now
	}
	if seq >= w.gap && w.gap < w.gapEnd {
		w.leaveOut(min(seq, w.gapEnd), now)
	}
	if !w.belongs(seq, timestamp, now) && !w.follow(seq, now) {
		w.stats.Refused++
		return nil, Refused
	}
	if seq < w.next && !w.passed && w.end-seq <= w.size() {
		w.lower(seq, now)
	}
	switch {
	case w.wasSeen(seq):
		w.stats.Duplicate++
		return nil, Duplicate
	case seq < w.next:
		w.setSeen(seq)
		w.stats.Late++
		return nil, Late
	}
	w.extend(seq+1, now)
	w.setSeen(seq)
	w.missing--
	w.latest = now
	if seq >= w.newest {
		w.newest, w.stamp = seq, timestamp
	}
	e := w.at(seq)
	e.here, e.timestamp = true, timestamp
	e.packet = append(w.memory(len(packet)), packet...)
	return e, Accepted
}

// quiet is how long nothing must have come before a speaker may have
// restarted: nobody redials faster.
const quiet = 500 * time.Millisecond

// belongs reports whether a frame is of the run that the window follows. One
// that comes after a pause with an old sequence and a new timestamp is not: its
// speaker counts from 0 again.
func (w *window) belongs(seq, timestamp uint64, now time.Duration) bool {
	again := seq <= w.newest && timestamp > w.stamp && now-w.latest >= quiet
	return w.covers(seq) && !again
}

// follow decides about a frame that does not belong: from a speaker that
// restarted at 0, or is heard again after a long outage; an old copy, or
// garbage. The window moves there once nothing that belongs has come for a
// while and two such frames go on from each other. It then begins at the first
// of the two, which was refused and can be fetched.
func (w *window) follow(seq uint64, now time.Duration) bool {
	const near = 8 // frames; further apart is not going on
	goesOn := w.strayed && seq > w.stray && seq-w.stray <= near
	if !goesOn || now-w.latest < quiet {
		w.stray, w.strayed = seq, true
		return false
	}
	w.restart(w.stray)
	w.extend(seq, now)
	return true
}

// restart gives up all that waits and begins again at first. Ahead, the
// sequences in between were lost; behind, a new count begins.
func (w *window) restart(first uint64) {
	for !w.empty() {
		w.stats.Late += b2u(w.at(w.next).here)
		w.pass(false)
	}
	if first > w.next {
		skipped := first - w.next
		if !w.passed {
			w.stats.First = w.next
		}
		w.stats.Lost += skipped
		w.stats.Expected += skipped
		w.stats.Last = first - 1
		w.passed = true
	} else {
		w.passed = false
	}
	clear(w.seen)
	w.next, w.end, w.newest, w.strayed = first, first, first, false
	w.restarts++
}

// lower lets the track begin earlier than at the first frame that came, as
// long as nothing was played.
func (w *window) lower(seq uint64, now time.Duration) {
	for s := seq; s < w.next; s++ {
		*w.at(s) = entry{noticed: now}
		w.missing++
	}
	w.next = seq
}

// extend makes known that all sequences below end exist. It never goes beyond
// the window.
func (w *window) extend(end uint64, now time.Duration) {
	for end = min(end, w.next+w.size()); w.end < end; w.end++ {
		*w.at(w.end) = entry{noticed: now}
		w.missing++
	}
}

// pass moves on from the next sequence, which was played or is given up. Its
// packet stays readable until the next admit.
func (w *window) pass(played bool) {
	e := w.at(w.next)
	if e.left {
		w.step(e)
		return
	}
	if !w.passed {
		w.passed, w.stats.First = true, w.next
	}
	w.stats.Last = w.next
	w.stats.Expected++
	if played {
		w.stats.Played++
		w.stats.Repaired += b2u(e.repaired)
	} else {
		w.stats.Lost++
	}
	w.step(e)
}

// step moves on from the next sequence without counting it.
func (w *window) step(e *entry) {
	if e.here {
		w.spare = append(w.spare, e.packet[:0])
	} else {
		w.missing--
	}
	*e = entry{}
	i, mask := w.bit(w.next + w.size()) // enters the window, where next-size leaves
	w.seen[i] &^= mask
	w.next++
}

// firstHere is the lowest sequence from seq on that is here.
func (w *window) firstHere(seq uint64) (uint64, bool) {
	for ; seq < w.end; seq++ {
		if w.at(seq).here {
			return seq, true
		}
	}
	return 0, false
}

// memory is an empty slice with room for n bytes, used before if possible.
func (w *window) memory(n int) []byte {
	if last := len(w.spare) - 1; last >= 0 {
		b := w.spare[last]
		w.spare = w.spare[:last]
		if cap(b) >= n {
			return b
		}
	}
	const step = 256 // bytes; so that packets that vary a little fit the same memory
	return make([]byte, 0, (n+step-1)/step*step)
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
