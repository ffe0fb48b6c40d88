package playout

import "time"

// A Buffer holds one track's frames until they are due. Push frames as they
// come, ask for [Buffer.Holes] after that and every 20 ms, and [Buffer.Pop]
// whenever 20 ms more are to sound.
type Buffer struct {
	cfg   Config
	limit int // blocks to conceal in a row

	win  window
	line timeline
	est  *Estimator

	ended bool

	// Of what was given out last.
	position time.Duration // media time where it ended
	lag      time.Duration // how much later than due it was given out
	talking  bool          // it was audio: what follows continues it
	begun    bool          // something was given out since the last restart
	run      int           // blocks since the last packet
	waited   int           // blocks spent waiting for the next frame, nothing newer here
	guessed  int           // of those, what the decoder guessed
}

// NewBuffer returns an empty buffer.
func NewBuffer(cfg Config) *Buffer {
	cfg = cfg.withDefaults()
	return &Buffer{
		cfg:   cfg,
		limit: cfg.concealed(),
		win:   newWindow(cfg.frames()),
		est:   NewEstimator(cfg),
	}
}

// Push takes a frame that came at now: its sequence, the speaker's timestamp
// in microseconds and one Opus packet, which is copied. Frames may come in any
// order and from several sources; the first copy of a sequence wins.
func (b *Buffer) Push(sequence, timestamp uint64, packet []byte, now time.Duration) Outcome {
	return b.push(sequence, timestamp, packet, now, false)
}

// PushRepaired is Push for a frame that was fetched because it was missing.
func (b *Buffer) PushRepaired(sequence, timestamp uint64, packet []byte, now time.Duration) Outcome {
	return b.push(sequence, timestamp, packet, now, true)
}

func (b *Buffer) push(seq, timestamp uint64, packet []byte, now time.Duration, repaired bool) Outcome {
	restarts := b.win.restarts
	e, outcome := b.win.admit(seq, timestamp, packet, now)
	if outcome == Duplicate || outcome == Refused {
		return outcome
	}
	if b.win.restarts != restarts {
		b.restart()
	}
	media := b.line.place(seq, timestamp, now, b.est.Base())
	if !repaired {
		b.est.Observe(media, now)
	}
	if e != nil {
		e.media, e.repaired = media, repaired
	}
	return outcome
}

// restart forgets what ties the frames played so far to those to come.
func (b *Buffer) restart() {
	b.line = timeline{}
	b.est.Restart()
	b.position, b.lag = 0, 0
	b.talking, b.begun, b.run, b.waited, b.guessed = false, false, 0, 0, 0
}

// End says at now that the track is over. No sequence from end on exists;
// those missing below it can still be fetched. Zero means that the last
// sequence is not known: then it is the newest that came.
func (b *Buffer) End(end uint64, now time.Duration) {
	b.ended = true
	if b.win.open && end > b.win.end && end <= maxSequence {
		b.win.extend(end, now)
	}
}

// Done reports whether the track is over and all of it was given out.
func (b *Buffer) Done() bool { return b.ended && b.win.empty() }

// Stats is what was counted so far.
func (b *Buffer) Stats() Stats { return b.win.stats }

// due is when a frame is to be given out: the moment at which it can have
// arrived at the earliest, plus the delay.
func (b *Buffer) due(media, delay time.Duration) time.Duration {
	return b.est.Base() + media + delay
}

// Timing is how a track's frames arrive, and what follows from it.
type Timing struct {
	Delay    time.Duration // how long after its earliest arrival a frame is played
	Spread   time.Duration // how much later than the earliest 99 in 100 come
	Lag      time.Duration // how much later than due the last frame was played
	Skew     float64       // by how much the speaker's clock is slower than ours; 1e-6 is one ppm
	Buffered int           // frames that wait
	Missing  int           // sequences that wait to be repaired
}

// Timing is the state at now.
func (b *Buffer) Timing(now time.Duration) Timing {
	return Timing{
		Delay:    b.est.Delay(now),
		Spread:   b.est.Spread(),
		Lag:      b.lag,
		Skew:     b.est.Skew(),
		Buffered: int(b.win.end-b.win.next) - b.win.missing,
		Missing:  b.win.missing,
	}
}

// ExpectedBy is when the frame after the newest one will have come, if the
// speaker does not pause: 99 in 100 come by then. It is not ok before the
// first frame, nor where the next is left out. A hop adds its margin to this.
func (b *Buffer) ExpectedBy() (sequence uint64, by time.Duration, ok bool) {
	next := b.line.newest + 1
	if !b.line.begun || next >= b.win.gap && next < b.win.gapEnd {
		return 0, 0, false
	}
	return next, b.est.Base() + b.line.media + Frame + b.est.Spread(), true
}
