package hop

import "time"

const (
	// The margin by which a packet may come later than expected: 1.5 times as
	// late as any has been within the last five to ten seconds, within these
	// bounds and what the packet's length leaves: see track.overdueIn.
	minMargin = 30 * time.Millisecond
	maxMargin = 120 * time.Millisecond

	// usualDelay is after how long packets of up to longPacket are played if
	// nobody wishes otherwise; longer ones are played so much later as they are
	// long (docs/playout.md).
	usualDelay = 200 * time.Millisecond
	longPacket = 3 * Frame

	// answerFor is what a standby's answer takes that is in time where many ask at
	// once: a round trip of 40 ms, jitter both ways, and a busy processor.
	answerFor = 100 * time.Millisecond

	// maxLate is what counts of one packet's lateness.
	maxLate = maxMargin * 2 / 3

	arrivalWindow = 5 * time.Second

	// What comes within this time of a session's becoming the primary may be out
	// of a ring, late without fault of the path.
	ringFor = 500 * time.Millisecond
)

// An arrivals measures how evenly something comes: the earliest and the latest of
// the last five to ten seconds, in two halves of which the older is forgotten as
// a whole. The lateness that it returns is against the earliest.
type arrivals struct {
	began             time.Duration // of the newer half
	seen, seenBefore  bool
	early, earlyOlder time.Duration // lowest offsets
	late, lateOlder   time.Duration
}

// restart begins anew on another path, with the old one's spread as a guess.
func (a *arrivals) restart(now time.Duration) {
	*a = arrivals{began: now, lateOlder: max(a.late, a.lateOlder)}
}

// observe notes that something came with an offset, its arrival minus its media
// time, and returns by how much it was later than the earliest, at most maxLate.
// Of something out of a ring only the earliest counts.
func (a *arrivals) observe(now, offset time.Duration, ring bool) time.Duration {
	a.roll(now)
	if !a.seen || offset < a.early {
		a.seen, a.early = true, offset
	}
	base := a.early
	if a.seenBefore {
		base = min(base, a.earlyOlder)
	}
	late := min(offset-base, maxLate)
	if !ring {
		a.late = max(a.late, late)
	}
	return late
}

func (a *arrivals) roll(now time.Duration) {
	switch age := now - a.began; {
	case age < arrivalWindow:
		return
	case age < 2*arrivalWindow:
		a.seenBefore, a.earlyOlder, a.lateOlder = a.seen, a.early, a.late
		a.began += arrivalWindow
	default:
		a.seenBefore, a.lateOlder = false, 0
		a.began = now
	}
	a.seen, a.late = false, 0
}

// margin is how much later than expected is overdue, whatever is lost by waiting.
func (a *arrivals) margin() time.Duration {
	late := max(a.late, a.lateOlder)
	return min(max(late*3/2, minMargin), maxMargin)
}

// A wolf counts false alarms.
type wolf struct {
	began         time.Duration
	count, before int
}

func (w *wolf) cry(now time.Duration) {
	w.roll(now)
	w.count++
}

// cries is how many there have been of late.
func (w *wolf) cries(now time.Duration) int {
	w.roll(now)
	return w.count + w.before
}

func (w *wolf) roll(now time.Duration) {
	switch age := now - w.began; {
	case age < falseAlarmWindow:
	case age < 2*falseAlarmWindow:
		*w = wolf{began: w.began + falseAlarmWindow, before: w.count}
	default:
		*w = wolf{began: now}
	}
}
