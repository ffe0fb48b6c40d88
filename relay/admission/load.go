package admission

import (
	"fmt"
	"math"
	"time"
)

// A Use is what a relay has measured of itself over the last second or so. What
// is not known is zero.
type Use struct {
	// Sessions are the clients' that are open.
	Sessions int

	// CPU is how much of all processors that it may use the process has used, 0
	// to 1.
	CPU float64

	// Late is how long what is due waits for a processor, at the worst of about a
	// hundred: how late packets go out.
	Late time.Duration

	// Packets are sent a second.
	Packets float64

	// Refused is the share of handshakes that could not begin, 0 to 1; Stood that of
	// those which began that stood in line for a while before. Begun are a second.
	Refused, Stood float64
	Begun          float64
}

// A Limit is what a relay is meant for. Zero is no limit.
type Limit struct {
	Sessions int
	Packets  float64 // a second
}

// A Part is what a relay may be short of.
type Part uint8

// The parts, in the order in which they are named when they are as short.
const (
	Sessions Part = iota
	CPU
	Late
	Packets
	Doors
	Parts // how many there are
)

var partNames = [Parts]string{"sessions", "cpu", "late", "packets", "doors"}

// String is the word that metrics show.
func (p Part) String() string {
	if p >= Parts {
		return fmt.Sprintf("Part(%d)", uint8(p))
	}
	return partNames[p]
}

// Loads are what is in use of each part, in percent, 0 to [Most].
type Loads [Parts]float64

// Most is the highest load there is. 100 is full; what lies above says that more
// is asked of a relay than it has.
const Most = 150

const (
	// fullCPU is how much of the processors a relay can use before packets wait
	// for each other: what is left is for bursts, and for the kernel's part that
	// is not the process's.
	fullCPU = 0.85

	// A timer that fires up to goodLate late is what a packet to some hundred
	// listeners does to any machine. From fullLate on, little is left of the
	// listeners' playout delay, 200 ms of which the packet itself takes 60.
	goodLate = 10 * time.Millisecond
	fullLate = 60 * time.Millisecond

	// Doors that refuse anybody are busy; they never count as full, because a
	// refused handshake says nothing of those who are in.
	busyDoors, busiestDoors = 80, 95
)

// Measure makes loads of what was measured.
func Measure(u Use, l Limit) Loads {
	var out Loads
	if l.Sessions > 0 {
		out[Sessions] = 100 * float64(u.Sessions) / float64(l.Sessions)
	}
	out[CPU] = 100 * u.CPU / fullCPU
	out[Late] = 100 * float64(u.Late-goodLate) / float64(fullLate-goodLate)
	if l.Packets > 0 {
		out[Packets] = 100 * u.Packets / l.Packets
	}
	if u.Refused > 0 {
		out[Doors] = busyDoors + (busiestDoors-busyDoors)*min(u.Refused, 1)
	}
	for i, v := range out {
		out[i] = clamp(v)
	}
	return out
}

// clamp keeps a load within its bounds. What is no number is as busy as can be: a
// relay that does not know takes nobody.
func clamp(v float64) float64 {
	if math.IsNaN(v) {
		return Most
	}
	return min(max(v, 0), Most)
}

// Total is the load of the part that is shortest, and which that is.
func (l Loads) Total() (percent float64, of Part) {
	for p := range Parts {
		if l[p] > percent {
			percent, of = l[p], p
		}
	}
	return percent, of
}

// Work is the load of what is being done, whoever is in: processors, timers and
// packets. A relay with as many sessions as it is meant for is full, but has no
// cause to send anybody away unless it is short of these.
func (l Loads) Work() float64 { return max(l[CPU], l[Late], l[Packets]) }

// How fast loads follow what is measured: up within a second, because newcomers
// are on their way, and down slowly, or they would all be called back at once.
const (
	rising  = time.Second
	falling = 5 * time.Second
)

// Follow brings what was believed before nearer to what is measured now, after so
// much time. The number of sessions is no estimate and is taken as it is.
func (l Loads) Follow(now Loads, after time.Duration) Loads {
	for p := range Parts {
		if p == Sessions {
			l[p] = now[p]
			continue
		}
		over := falling
		if now[p] > l[p] {
			over = rising
		}
		l[p] += (now[p] - l[p]) * (1 - math.Exp(-float64(max(after, 0))/float64(over)))
	}
	return l
}
