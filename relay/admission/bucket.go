package admission

import "time"

// A Bucket lets so many handshakes begin a second, and some at once after a quiet
// time. The zero value lets in nobody.
type Bucket struct {
	// Rate is how many a second, Burst how many at once.
	Rate, Burst float64

	level float64
	at    time.Duration
	begun bool
}

// Take reports whether one may begin now, and counts it if so. The time is since
// any moment, and the same one in all calls.
func (b *Bucket) Take(now time.Duration) bool {
	b.fill(now)
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}

// Level is how much is left, of Burst.
func (b *Bucket) Level(now time.Duration) float64 {
	b.fill(now)
	return b.level
}

// Due is how long it takes until so many may have begun, an hour at the most.
func (b *Bucket) Due(now time.Duration, many int) time.Duration {
	b.fill(now)
	switch short := float64(many) - b.level; {
	case short <= 0:
		return 0
	case b.Rate*time.Hour.Seconds() < short:
		return time.Hour
	default:
		// A little more, so that it is not found to be a little less.
		return time.Duration(short/b.Rate*float64(time.Second)) + time.Microsecond
	}
}

// fill adds what has come since the last look. A bucket begins full. Time that
// goes backwards adds nothing.
func (b *Bucket) fill(now time.Duration) {
	if !b.begun {
		b.begun, b.at, b.level = true, now, b.Burst
	}
	if now > b.at {
		b.level += b.Rate * (now - b.at).Seconds()
		b.at = now
	}
	b.level = min(b.level, b.Burst)
}

const (
	// burstFor is how much of a second's handshakes may begin at once. All of them
	// stand before the next packet to those who are in: 50 ms of work, at the rate
	// that was found, is a quarter of what they can bear.
	burstFor, leastBurst = 0.05, 20
)

// Turns is how many of those who stand in line may begin at once at a rate: what
// comes of 5 ms, and of a timer that is as late.
func Turns(rate float64) float64 { return max(1, 0.005*rate) }

// Burst is how many handshakes may begin at once at a rate, after a quiet time.
func Burst(rate float64) float64 { return max(leastBurst, burstFor*rate) }

// A Pace is how many handshakes a second a relay begins, found by trying: as long
// as processors and timers have something to spare, and somebody is refused, a
// few more; at once fewer when they have not. It remembers at what rate that was,
// and comes near it again only slowly: each time it is found out is heard by those
// who are in.
type Pace struct {
	// Rate is the present one. Zero begins with firstRate for each processor.
	Rate float64
	// Processors are those that the process may use.
	Processors int

	late    bool    // at the last step
	quiet   float64 // how late it is in the long run while few come, in seconds
	settle  int     // for so many steps what is too much comes of before
	tooMuch float64 // the rate that was, and is forgotten slowly; zero: not known
}

const (
	firstRate = 100  // a processor
	leastRate = 20   // whatever else there is to do: somebody must get in
	mostRate  = 5000 // a processor; more than handshakes can be had of one

	// spareCPU and spareLate are what those who are in need to be left. They lie
	// below the loads at which a relay is busy, so newcomers alone do not make it
	// that. A packet waits for half a dozen goroutines, so it is delayed by a few
	// times spareLate. Where a packet to all who are in makes as many wait anyway, it
	// is twice of that: what is late when nobody comes is not the newcomers' doing.
	spareCPU  = 0.70
	spareLate = 8 * time.Millisecond
	muchLate  = 4 // times what may be spared
	// few come where they are less than so much of the rate; and so much of a step goes
	// into the long run.
	few   = 0.1
	learn = 0.1

	faster = 1.10
	slower = 0.70

	// Near the rate that was too much, and how slowly that is forgotten: after half
	// a minute it is three times as much.
	near    = 0.85
	careful = 1.03
	// stood is the share of those who begin that has to stand in line for a while
	// where more are wanted.
	stood   = 0.1
	forgets = 1.02

	// What was found out is not believed for long when it is not put to the test: while
	// less than idle of it is wanted, it is half as much after a dozen seconds, down
	// to what it was in the beginning. Else all that come after an hour of quiet would be
	// let in as fast as was right for others.
	idle     = 0.5
	unlearns = 0.97

	// settling is for how many steps handshakes that were begun at a higher rate are
	// still being made.
	settling = 3
)

// Step looks at what was measured since the last step and returns the rate until
// the next. Half a second between two is enough to see what the last has done.
// Timers that are a little late count when they were at the last step, too: once
// is what a collection of garbage does, or a neighbour on the machine.
func (p *Pace) Step(u Use) float64 {
	processors := float64(max(p.Processors, 1))
	if p.Rate <= 0 {
		p.Rate = firstRate * processors
	}
	spare := p.spare(u)
	late := u.Late > spare
	again := late && p.late
	p.late = late
	p.tooMuch *= forgets
	p.settle = max(0, p.settle-1)
	switch {
	case p.settle > 0:
	case u.CPU > spareCPU || u.Late > muchLate*spare || again:
		p.tooMuch = p.Rate
		p.Rate *= slower
		p.settle = settling
	case u.Begun < idle*p.Rate && u.Refused == 0 && u.Stood < stood:
		p.Rate = max(p.Rate*unlearns, min(p.Rate, firstRate*processors))
	case u.Refused == 0 && u.Stood < stood || late:
	case 2*u.Late > spare || p.tooMuch > 0 && p.Rate*faster > near*p.tooMuch:
		p.Rate *= careful
	default:
		p.Rate *= faster
	}
	p.Rate = min(max(p.Rate, leastRate), mostRate*processors)
	return p.Rate
}

// spare is how late things may be. It learns from the steps in which few come.
func (p *Pace) spare(u Use) time.Duration {
	if u.Refused == 0 && u.Begun < few*p.Rate {
		p.quiet += learn * (min(u.Late, fullLate).Seconds() - p.quiet)
	}
	return max(spareLate, time.Duration(2*p.quiet*float64(time.Second)))
}
