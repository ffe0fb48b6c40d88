package hop

import "time"

// Options tune a [Machine] or a [Pair]. The zero value works.
type Options struct {
	// Jitter is in [0, 1), drawn by the caller once for each client: every pause
	// is stretched by it, so that the clients of a relay that died do not all
	// knock on the same door at once.
	Jitter float64

	// Cold does without a connected standby: when the primary fails, another
	// relay is dialled first. See also the event [SetCold].
	Cold bool
}

const (
	// tick is how long a relay sends a session nothing before it sends a tick
	// (docs/wire.md, section 14.6).
	tick = 200 * time.Millisecond

	// patience is how long a standby has to answer a speculative subscription
	// while the primary's line is alive. Round trips above it do not occur on
	// paths whose hops could be unheard.
	patience = 250 * time.Millisecond

	// answerWithin is how long a session that hops rely on may stay mute.
	answerWithin = time.Second

	// tryOutFor bounds a speculation during which both sessions deliver, but the
	// primary stays behind.
	tryOutFor = 2 * time.Second

	// A track that paused, as it seems, may have been lost on the primary's way
	// to its speaker; ticks do not tell. The standby is tried again after 2 s, 4,
	// 8 and 16, by when relays have repaired themselves.
	firstRetry = 2 * time.Second
	maxRetries = 4

	// So many false alarms within ten to twenty seconds, and the line is taken for
	// one that cries wolf: it is given all the time that there is. A false alarm
	// costs the standby about ten packets, with twice as many a tenth of what
	// listening does: from then on the standby is spared, so that relays that are
	// late because they are busy do not make others so.
	manyFalseAlarms  = 8
	mostFalseAlarms  = 16
	falseAlarmWindow = 10 * time.Second

	// The next standby is dialled at leisure, so that a relay's death is not
	// followed at once by as many handshakes as it had listeners.
	standbyAfter  = 250 * time.Millisecond
	standbySpread = 2 * time.Second

	// warmSpread is over how long those dial who are to have a standby again: a relay
	// tells thousands in the same moment, and nothing is wrong that would need haste.
	warmSpread = 10 * time.Second

	// stagger is when an attempt without an answer gets company, if there is
	// nothing to listen to; maxDials is how many there are at once.
	stagger  = 500 * time.Millisecond
	maxDials = 2

	// redirectWithin is how long the relay that a GOAWAY names may take to be
	// reached before the standby is used.
	redirectWithin = 2 * time.Second

	// A hop for the better needs that to be the case for betterFor, and the last
	// hop to be settledFor ago.
	betterFor  = 20 * time.Second
	settledFor = time.Minute

	// Not more than maxHops within hopWindow that could as well be left out.
	maxHops   = 4
	hopWindow = time.Minute
)

// never is later than all times.
const never = time.Duration(1<<63 - 1)

// after is a pause between d/2 and d, by the client's own jitter.
func (o Options) after(d time.Duration) time.Duration {
	return d/2 + time.Duration(o.Jitter*float64(d/2))
}

// spread is between d and d plus over, by the client's own jitter.
func (o Options) spread(d, over time.Duration) time.Duration {
	return d + time.Duration(o.Jitter*float64(over))
}
