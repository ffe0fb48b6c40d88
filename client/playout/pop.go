package playout

import "time"

const (
	// pause is how far apart in time two consecutive frames are when the
	// speaker fell silent between them. Less is the speaker's timestamps
	// being rough.
	pause = Frame / 2

	// soon is how early a frame may follow speech before it: the resampler
	// makes up for it, while a silence of a millisecond would be a click.
	soon = 5 * time.Millisecond
)

// Pop is what the track has for the 20 ms that come next, at the moment at.
// Call it 20 ms later for those after them, or Wait later after a [Silence].
//
// A frame that continues running speech is given out whatever its due time:
// the caller's resampler keeps the two together, by Slot.Lag. The due time
// decides when speech begins after silence, and when a missing frame is given
// up.
func (b *Buffer) Pop(at time.Duration) Slot {
	delay := b.est.Delay(at)
	b.dropStale(at, delay)
	for !b.win.empty() {
		if e := b.win.at(b.win.next); e.here {
			return b.popFrame(e, at, delay)
		} else if e.left {
			b.win.pass(false)
			continue
		}
		if slot, ok := b.popHole(at, delay); ok {
			return slot
		}
	}
	if b.ended {
		b.talking = false
		return Slot{Kind: Ended}
	}
	b.waited++
	return b.starve(Frame)
}

// popFrame plays the next frame, or waits for it.
func (b *Buffer) popFrame(e *entry, at, delay time.Duration) Slot {
	due := b.due(e.media, delay)
	follows := b.begun && e.media-b.position < pause
	if (!b.talking || !follows) && b.early(due, at) {
		if follows {
			b.waited++ // the delay grew
		}
		return b.rest(due - at)
	}
	if follows {
		b.win.stats.Stalled += uint64(b.waited)
	}
	b.position, b.lag = e.media+Frame, at-due
	b.talking, b.begun, b.run, b.waited, b.guessed = true, true, 0, 0, 0
	slot := Slot{
		Kind:      Play,
		Sequence:  b.win.next,
		Timestamp: e.timestamp,
		Packet:    e.packet,
		Repaired:  e.repaired,
		Lag:       b.lag,
	}
	b.win.pass(true)
	return slot
}

// early reports whether there is to be silence until due.
func (b *Buffer) early(due, at time.Duration) bool {
	if b.talking {
		return due-at > soon
	}
	return due > at
}

// popHole decides about a missing frame: wait as long as it may belong to a
// time yet to come, then give it up. It is not ok when its time is over
// altogether and nothing is known of it, so that nothing needs to sound.
func (b *Buffer) popHole(at, delay time.Duration) (slot Slot, ok bool) {
	start := b.latestStart()
	due := b.due(start, delay)
	follows := b.talking && start-b.position < pause
	if !follows && b.early(due, at) {
		return b.starve(due - at), true
	}
	inTime := b.talking || at-due < Frame
	slot = b.giveUp(start, at-due)
	if inTime || slot.Next != nil {
		return slot, true
	}
	if b.guessed > 0 { // in its place, while nothing newer was here
		b.guessed--
		b.win.stats.Concealed++
	}
	return Slot{}, false
}

// latestStart is the media time at which the missing next frame begins at the
// latest: just so early that those up to the next one here fit behind it.
func (b *Buffer) latestStart() time.Duration {
	seq, ok := b.win.firstHere(b.win.next)
	if !ok { // known to exist from the track's end
		return b.line.media + time.Duration(b.win.next-b.line.newest)*Frame
	}
	return b.win.at(seq).media - time.Duration(seq-b.win.next)*Frame
}

// giveUp loses the next frame, whose place is at start.
func (b *Buffer) giveUp(start, lag time.Duration) Slot {
	b.run++
	slot := Slot{Kind: Lost, Sequence: b.win.next, Run: b.run, Lag: lag}
	if next := b.win.next + 1; next < b.win.end {
		if e := b.win.at(next); e.here && e.media-start < Frame+pause {
			slot.Next = e.packet
			b.talking = true
		}
	}
	if b.talking && (slot.Next != nil || b.run <= b.limit) {
		b.win.stats.Concealed++
	}
	b.position, b.lag, b.begun, b.waited = start+Frame, lag, true, 0
	b.win.pass(false)
	return slot
}

// starve fills the time until it is known how it goes on: with the decoder's
// guess for a while, then with silence of at most wait.
func (b *Buffer) starve(wait time.Duration) Slot {
	if b.talking && b.run < b.limit {
		b.run++
		b.guessed++
		return Slot{Kind: Starved, Run: b.run}
	}
	return b.rest(wait)
}

// rest is silence. What comes after it begins when it is due.
func (b *Buffer) rest(wait time.Duration) Slot {
	b.talking, b.run = false, 0
	return Slot{Kind: Silence, Wait: wait}
}

// dropStale gives up frames so old that playing them would keep the listener
// further behind than MaxDelay, as after a computer's sleep: all up to the
// first one no older than the delay.
func (b *Buffer) dropStale(at, delay time.Duration) {
	if b.win.empty() || !b.stale(b.win.next, at, b.cfg.MaxDelay+Frame) {
		return
	}
	for !b.win.empty() && (!b.win.at(b.win.next).here || b.stale(b.win.next, at, delay)) {
		b.win.stats.Late += b2u(b.win.at(b.win.next).here)
		b.win.pass(false)
	}
	b.talking, b.begun, b.run, b.waited, b.guessed = false, false, 0, 0, 0
}

// stale reports whether the frame is here and reached its age by at.
func (b *Buffer) stale(seq uint64, at, age time.Duration) bool {
	e := b.win.at(seq)
	return e.here && at-b.est.Base()-e.media > age
}
