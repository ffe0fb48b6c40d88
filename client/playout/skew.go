package playout

import "time"

const (
	skewBucket = 2 * time.Second       // one point each: the quickest frame in it
	skewPoints = 64                    // so two minutes are looked at
	skewSpan   = 20 * time.Second      // fewer say nothing: 5 ms of noise would be 250 ppm
	skewJump   = 15 * time.Millisecond // between two points: another path, not a clock
	skewGap    = 60 * time.Second      // without a point: begin again
	skewMax    = 500e-6                // worse than any clock sold
)

// A point is the lower edge of the transit times at one moment.
type point struct {
	arrival, offset time.Duration
}

// A skew measures by how much the speaker's clock is slower than ours: the
// slope of the shortest transits over the last two minutes, by least squares.
type skew struct {
	points [skewPoints]point // oldest first
	n      int
	best   point // of the bucket being filled
	opened time.Duration
	open   bool

	ratio float64 // 1e-6 is one ppm; positive: the speaker's clock is slow
}

func (s *skew) observe(arrival, offset time.Duration) {
	if s.open && arrival-s.opened < skewBucket && arrival >= s.opened {
		if offset < s.best.offset {
			s.best = point{arrival, offset}
		}
		return
	}
	if s.open {
		s.add(s.best)
	}
	s.open, s.opened, s.best = true, arrival, point{arrival, offset}
}

func (s *skew) add(p point) {
	if s.n > 0 {
		last := s.points[s.n-1]
		jump, gap := p.offset-last.offset, p.arrival-last.arrival
		if jump > skewJump || jump < -skewJump || gap > skewGap || gap <= 0 {
			s.n = 0 // the ratio stays what it was: the clocks are the same
		}
	}
	if s.n == len(s.points) {
		copy(s.points[:], s.points[1:])
		s.n--
	}
	s.points[s.n] = p
	s.n++
	s.fit()
}

func (s *skew) fit() {
	first, last := s.points[0], s.points[s.n-1]
	if last.arrival-first.arrival < skewSpan {
		return
	}
	var x, y, xx, xy float64
	for _, p := range s.points[:s.n] {
		dx, dy := (p.arrival - first.arrival).Seconds(), (p.offset - first.offset).Seconds()
		x, y, xx, xy = x+dx, y+dy, xx+dx*dx, xy+dx*dy
	}
	n := float64(s.n)
	slope := (n*xy - x*y) / (n*xx - x*x)
	s.ratio = min(max(slope, -skewMax), skewMax)
}
