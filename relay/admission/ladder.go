package admission

import (
	"math"
	"time"
)

// The loads from which on a relay does something about it, in percent
// (docs/operating.md, when a relay is busy).
const (
	LongPackets = 60  // newcomers are offered packets of 120 ms
	ColdStandby = 70  // clients are asked to stand by without a session
	Shed        = 95  // the newest listeners are asked to go to emptier relays
	Full        = 100 // no listener is sent here
)

// A Ladder is what a relay asks for at a load.
type Ladder struct {
	// Packet is how much audio a newcomer is to take with each datagram.
	Packet time.Duration
	// Cold asks clients to do without a second session.
	Cold bool
	// Shed asks the newest listeners to leave.
	Shed bool
	// Full says that listeners have to wait.
	Full bool
}

// At returns what is asked for at a load. It has no memory: a load that trembles
// around a rung has to be calmed before, as membership.Meter does.
func At(load, work float64) Ladder {
	l := Ladder{Packet: 60 * time.Millisecond}
	if load >= LongPackets {
		l.Packet = 120 * time.Millisecond
	}
	l.Cold = load >= ColdStandby
	l.Shed = work >= Shed
	l.Full = load >= Full
	return l
}

const (
	// shedShare of the listeners are asked to leave at a time: the load has to
	// show what that helped before more are.
	shedShare = 50 // one in
	shedMost  = 50
)

// ToShed is how many of the newest listeners are asked at a time to go elsewhere.
// Nobody is where no relay is emptier: a load that is only pushed around is
// nobody's relief.
func ToShed(l Ladder, listeners int, others []float64) int {
	if !l.Shed || listeners <= 0 {
		return 0
	}
	for _, load := range others {
		if load < ColdStandby {
			return min(max(listeners/shedShare, 1), shedMost)
		}
	}
	return 0
}

const (
	// leastWait is how long somebody waits who was refused: shorter, and those
	// who wait are a load of their own. mostWait bounds what may be asked of a
	// person; then there may have been room for a while.
	leastWait = 2 * time.Second
	mostWait  = 10 * time.Second
)

// Wait is how long a newcomer waits before it asks again, if so many are refused a
// second where so many can be let in: until its turn would come, if all came
// again as it does, within bounds and stretched by chance from 0 to 1, so that
// those who were turned away together do not come back together.
func Wait(refused, rate, chance float64) time.Duration {
	turn := float64(mostWait)
	if rate > 0 && refused >= 0 {
		turn = refused / rate * float64(time.Second)
	}
	if !(chance >= 0) { // less, or no number
		chance = 0
	}
	middle := math.Min(math.Max(turn, float64(leastWait)), float64(mostWait)/1.5)
	return max(leastWait/2, time.Duration(middle*(0.5+min(chance, 1))))
}
