package playout

import "math"

const (
	// Ceiling is the highest absolute value of a mixed sample, -0.45 dBFS.
	Ceiling = 0.95

	// limiterAhead is how far the limiter sees ahead, and so the delay it
	// adds: 5 ms, in which the gain comes down smoothly.
	limiterAhead = SampleRate / 200

	// limiterRelease makes the gain come back with a time constant of 2^13
	// samples, 170 ms: slower than a syllable, faster than a sentence.
	limiterRelease = 13

	// unity is a gain of 1. Gains are whole numbers so that their sums are
	// exact and the gain returns to exactly 1.
	unity = 1 << 24

	// loudest is where samples that no decoder should make are cut.
	loudest = 1 << 10
)

// A Limiter keeps a mix within the ceiling. For each sample (of all channels
// together) it knows the gain that sample needs; it holds the least gain needed
// within the next 5 ms, releases it slowly, and averages over those 5 ms. The
// average is never above what the sample needs, so nothing clips, and nothing
// jumps. A mix below the ceiling passes unchanged, 5 ms later.
type Limiter struct {
	channels int
	delay    []float32 // a ring of limiterAhead samples of each channel

	need [limiterAhead]int32 // a ring: the gain each of the delayed samples needs
	held [limiterAhead]int32 // a ring: the gain after hold and release
	sum  int64               // of held
	hold int32               // the newest of held
	i    int                 // where the rings are

	rising [limiterAhead]int64 // positions of ever greater needs, a ring: the first is the least
	first  int
	n      int
	pos    int64
}

// NewLimiter returns one for interleaved PCM.
func NewLimiter(channels int) *Limiter {
	l := &Limiter{channels: channels, delay: make([]float32, limiterAhead*channels), hold: unity}
	for i := range l.held {
		l.need[i], l.held[i] = unity, unity
	}
	l.sum = limiterAhead * unity
	return l
}

// Process limits pcm in place. Blocks may have any length.
func (l *Limiter) Process(pcm []float32) {
	for i := 0; i+l.channels <= len(pcm); i += l.channels {
		l.sample(pcm[i : i+l.channels])
	}
}

func (l *Limiter) sample(x []float32) {
	least := l.least(gainNeeded(x))
	l.hold = min(least, l.hold+(unity-l.hold)>>limiterRelease+1, unity)
	l.sum += int64(l.hold - l.held[l.i])
	l.held[l.i] = l.hold

	// The oldest sample of the ring leaves with the average of what was held
	// since it came, itself included.
	out := (l.i + 1) % limiterAhead
	gain := float32(float64(l.sum/limiterAhead) / unity)
	for ch := range x {
		l.delay[l.i*l.channels+ch] = x[ch]
		x[ch] = l.delay[out*l.channels+ch] * gain
	}
	l.i = out
}

// gainNeeded is the gain at which the loudest channel of x reaches the
// ceiling. It takes out of x what no decoder should make.
func gainNeeded(x []float32) int32 {
	peak := float32(0)
	for ch, v := range x {
		v = sane(v)
		x[ch] = v
		peak = max(peak, float32(math.Abs(float64(v))))
	}
	if peak <= Ceiling {
		return unity
	}
	return int32(Ceiling / float64(peak) * unity)
}

// sane is v, or the nearest value that a sum can be made of.
func sane(v float32) float32 {
	if v != v {
		return 0
	}
	return min(max(v, -loudest), loudest)
}

// least adds the need of the newest sample and returns the least of the last
// limiterAhead ones.
func (l *Limiter) least(need int32) int32 {
	for l.n > 0 && l.need[l.rising[(l.first+l.n-1)%limiterAhead]%limiterAhead] >= need {
		l.n--
	}
	if l.n > 0 && l.rising[l.first] <= l.pos-limiterAhead {
		l.first = (l.first + 1) % limiterAhead
		l.n--
	}
	l.need[l.pos%limiterAhead] = need
	l.rising[(l.first+l.n)%limiterAhead] = l.pos
	l.n++
	l.pos++
	return l.need[l.rising[l.first]%limiterAhead]
}
