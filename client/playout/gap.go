package playout

import "time"

// LeaveOut says that the sequences from, and those behind it up to until, will not
// come and are not missing: whoever sends them has left them out on purpose. Where
// until is not known it is the highest number, and the first frame behind from that
// does come ends the gap. One gap at a time is known, the one said last; what has
// come already is played.
func (b *Buffer) LeaveOut(from, until uint64) { b.win.gap, b.win.gapEnd = from, max(from, until) }

// LeaveOut is [Buffer.LeaveOut].
func (s *Sequencer) LeaveOut(from, until uint64) { s.win.gap, s.win.gapEnd = from, max(from, until) }

// leaveOut passes over the gap up to first, which comes next.
func (w *window) leaveOut(first uint64, now time.Duration) {
	gap := max(w.gap, w.next)
	w.gap, w.gapEnd = 0, 0
	if first <= gap || first > maxSequence {
		return
	}
	for first >= w.next+w.size() && w.next < gap && !w.empty() {
		w.stats.Late += b2u(w.at(w.next).here) // there is no room for both sides
		w.pass(false)
	}
	if first >= w.next+w.size() {
		w.jump(first)
		return
	}
	w.extend(first, now)
	for seq := gap; seq < first; seq++ {
		if e := w.at(seq); !e.here {
			e.left = true
		}
	}
	for !w.empty() && w.at(w.next).left {
		w.pass(false)
	}
}

// jump moves an empty window, or one with nothing but holes, on to first.
func (w *window) jump(first uint64) {
	for !w.empty() {
		e := w.at(w.next)
		w.stats.Late += b2u(e.here)
		w.step(e)
	}
	if first-w.next > 2*w.size() {
		clear(w.seen)
		w.next = first
	}
	for w.next < first {
		i, mask := w.bit(w.next + w.size())
		w.seen[i] &^= mask
		w.next++
	}
	w.end = max(w.end, first)
}
