package client

import "time"

// FrameDuration is how much audio one packet carries.
const FrameDuration = 20 * time.Millisecond

const (
	// burst is how many packets may go out at once after a stall: a second
	// of speech, which listeners' buffers still can use.
	burst = 50

	// catchUp is the distance between packets beyond the burst: not quite double
	// speed, because relays refuse a track of more than 100 packets a second.
	catchUp = 10500 * time.Microsecond

	// tooFar is how far behind is not caught up: after a laptop's sleep the
	// voice goes on from now.
	tooFar = 3 * time.Second
)

// A pace says when each frame is due: every 20 ms from the first on, by absolute
// deadlines, so that no error adds up. A sender that was held up catches up in
// order. It is plain arithmetic; the caller waits.
type pace struct {
	begun  bool
	start  time.Time // when frame 0 of the present count was due
	ticks  int64     // frames since start
	credit float64   // packets that may go at once
	last   time.Time // when a frame was last let go
}

// next returns when the next frame is to go, and the instant it stands for.
// aligned says that a listener will not mind if time jumps here.
func (p *pace) next(now time.Time, aligned bool) (goes, stands time.Time) {
	if !p.begun {
		p.begun, p.start, p.last, p.credit = true, now, now, burst
	}
	stands = p.start.Add(time.Duration(p.ticks) * FrameDuration)
	if aligned && now.Sub(stands) > tooFar {
		p.start, p.ticks, p.credit, stands = now, 0, burst, now
	}
	p.ticks++
	goes = stands
	if stands.Before(now) {
		goes = now
		p.credit = min(burst, p.credit+now.Sub(p.last).Seconds()/catchUp.Seconds())
		if p.credit < 1 {
			goes = now.Add(time.Duration((1 - p.credit) * float64(catchUp)))
			p.credit = 1 // by then
		}
	} else {
		p.credit = burst
	}
	p.credit--
	p.last = goes
	return goes, stands
}
