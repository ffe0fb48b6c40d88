package playout

import (
	"slices"
	"time"
)

const (
	spreadFrames   = 512              // the window of arrivals: ten seconds of speech
	spreadAge      = 30 * time.Second // older arrivals say nothing, however few are newer
	spreadQuantile = 99               // in 100 frames come within the spread

	// The spread is counted again at least this often; and at once when a
	// frame came later than the delay allows.
	recountEvery = time.Second

	spreadMargin = Frame

	// A delay too long by more than the slack shrinks by 5 ms a second, which
	// is what the resampler can follow unheard.
	shrinkSlack = Frame
	shrinkRate  = 0.005

	// When all frames of one second came too late for any delay, the speaker's
	// clock stood still, and the old arrivals are no measure for the new.
	hopelessFor = time.Second
)

// An Estimator chooses the playout delay of a track from when its frames
// arrive: never from round-trip times, which say nothing about their spread.
//
// Each frame has an offset, its arrival minus its media time: transit time plus
// the unknown difference of two clocks. The lowest offset of the window is the
// base; how far above it all but one in a hundred come is the spread; and the
// delay is the spread plus 20 ms for what the window has not seen. The delay
// grows at once and shrinks slowly.
type Estimator struct {
	min, max time.Duration

	offsets  [spreadFrames]time.Duration // a ring, with the arrivals
	arrivals [spreadFrames]time.Duration
	oldest   int
	n        int
	sorted   [spreadFrames]time.Duration // room for counting

	base, spread, delay time.Duration

	dirty     bool          // count at the next chance
	counted   time.Duration // when it was counted
	updated   time.Duration // when the delay was brought up to date
	shrinking bool

	hopeless      bool // the last frame came later than max
	hopelessSince time.Duration

	skew skew
}

// NewEstimator returns one that keeps the delay within the bounds of cfg.
func NewEstimator(cfg Config) *Estimator {
	cfg = cfg.withDefaults()
	return &Estimator{min: cfg.MinDelay, max: cfg.MaxDelay, delay: cfg.MinDelay}
}

// Observe counts the first copy of a frame that took the usual way; a fetched
// frame's arrival says nothing about it.
func (e *Estimator) Observe(media, arrival time.Duration) {
	offset := arrival - media
	e.forget(arrival)
	if e.n == 0 || offset < e.base {
		e.base, e.dirty = offset, true
	}
	if late := offset-e.base > e.max; !late {
		e.hopeless = false
	} else if !e.standsStill(arrival) {
		return // no delay would have helped
	} else {
		e.n, e.base, e.dirty = 0, offset, true
	}
	if e.n == spreadFrames {
		e.dropOldest()
	}
	i := (e.oldest + e.n) % spreadFrames
	e.offsets[i], e.arrivals[i] = offset, arrival
	e.n++
	if offset-e.base+spreadMargin > e.delay {
		e.dirty = true
	}
	e.skew.observe(arrival, offset)
}

// standsStill reports, of a frame later than any delay allows for, whether all
// have been so for long enough to be the new usual.
func (e *Estimator) standsStill(arrival time.Duration) bool {
	if !e.hopeless {
		e.hopeless, e.hopelessSince = true, arrival
	}
	if arrival-e.hopelessSince < hopelessFor {
		return false
	}
	e.hopeless = false
	return true
}

// Restart forgets the arrivals, not the delay nor the skew: the same speaker
// on the same path begins to count anew.
func (e *Estimator) Restart() {
	e.n, e.hopeless = 0, false
}

// Base is the lowest offset: the media time that is arriving at t, at the
// earliest, is t - Base.
func (e *Estimator) Base() time.Duration { return e.base }

// Spread is how much later than the earliest all but one frame in a hundred come.
func (e *Estimator) Spread() time.Duration { return e.spread }

// Skew is by how much the speaker's clock is slower than ours: 1e-6 is one
// part per million. It is 0 until 20 s are measured, and at most 500e-6.
func (e *Estimator) Skew() float64 { return e.skew.ratio }

// Delay is how long after its earliest possible arrival a frame is given out.
// It is due at Base() + media time + Delay(now).
func (e *Estimator) Delay(now time.Duration) time.Duration {
	if e.n > 0 && (e.dirty || now-e.counted >= recountEvery) {
		e.count(now)
	}
	passed := max(now-e.updated, 0)
	e.updated = max(now, e.updated)

	want := min(max(e.spread+spreadMargin, e.min), e.max)
	switch {
	case want >= e.delay:
		e.delay, e.shrinking = want, false
	case e.shrinking || e.delay-want > shrinkSlack:
		e.shrinking = true
		step := time.Duration(shrinkRate * float64(passed))
		e.delay = max(want, e.delay-step)
	}
	return e.delay
}

func (e *Estimator) count(now time.Duration) {
	e.dirty, e.counted = false, now
	e.forget(now)
	if e.n == 0 {
		return
	}
	sorted := e.sorted[:e.n]
	for i := range sorted {
		sorted[i] = e.offsets[(e.oldest+i)%spreadFrames]
	}
	slices.Sort(sorted)
	e.base = sorted[0]
	e.spread = sorted[(e.n*spreadQuantile-1)/100] - e.base
}

// forget drops arrivals that are too old to say anything.
func (e *Estimator) forget(now time.Duration) {
	for e.n > 0 && now-e.arrivals[e.oldest] > spreadAge {
		e.dropOldest()
	}
}

func (e *Estimator) dropOldest() {
	e.oldest = (e.oldest + 1) % spreadFrames
	e.n--
}
