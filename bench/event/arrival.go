package event

import (
	"math"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/relay/admission"
)

// An Arrival is how newcomers get in.
type Arrival struct {
	Rate     float64 `json:"arrive_per_s"`       // how many come a second; 0: all at once
	Fastest  float64 `json:"let_in_per_s"`       // how many were let in a second, at the most
	PerRelay float64 `json:"let_in_per_s_relay"` // and by each relay
	Waiting  int     `json:"waiting"`            // how many waited at once, at the most

	// Mean and Longest are the times that people wait, if they come in in the order
	// in which they came.
	Mean    Time `json:"wait_mean_ms"`
	Longest Time `json:"wait_longest_ms"`

	// AllIn is when the last is in, from the first; [Never], like the two times
	// above, if that takes more than an hour longer than they come. LeftOut are
	// those who are not in by then.
	AllIn   Time `json:"all_in_ms"`
	LeftOut int  `json:"left_out"`
}

const (
	// step is how often a relay finds its rate anew (relay/load.go, loadEvery).
	step = 500 * time.Millisecond
	// giveUp is how much longer than they arrive those who wait are followed.
	giveUp = time.Hour
)

// arrive lets everybody in at a number of relays that nobody is at yet.
func (o Options) arrive(relays int) Arrival {
	return o.letIn(relays, 0, float64(o.Listeners), o.Arrive, o.cpu().Each)
}

// letIn lets so many come, beside those who are there, at relays that are all
// alike, each for so many µs a second of processor time: step by step, each as fast as its doors find they can (admission.Pace).
// Whoever is refused comes again when told to (admission.Wait). Processors are the
// only thing that is short: what holds up timers besides is not known here.
func (o Options) letIn(relays int, there, come float64, over time.Duration, each float64) Arrival {
	var a Arrival
	a.Rate = rate(come, over)
	cpu := o.cpu()
	processors := cpu.Has / fullCPU() // µs a second
	join := o.Constants.Value(cost.JoinCPU) * 1000
	before := cpu.Fixed + there/float64(relays)*cpu.Each
	pace := admission.Pace{Processors: o.Cores}
	let := pace.Step(admission.Use{CPU: before / processors})

	all := come / float64(relays)
	window := max(over, step)
	perStep := all * float64(step) / float64(window)
	again := make(map[int]float64) // who comes again, by the step
	var in, came, outside float64  // of one relay
	var waited float64             // listeners × seconds
	var arrived []float64          // by the end of each step
	for i := 0; ; i++ {
		at := time.Duration(i+1) * step
		if at > window+giveUp {
			a.AllIn, a.Longest, a.Mean = Never, Never, Never
			a.LeftOut = int(math.Round((all - in) * float64(relays)))
			break
		}
		fresh := min(perStep, all-came)
		came += fresh
		arrived = append(arrived, came)
		knock := fresh + again[i]
		waits := outside > 1e-9
		outside -= again[i]
		delete(again, i)

		// What the listeners leave of the processors bounds what can be begun.
		idle := max(0, processors-before-in*each) * step.Seconds() / join
		enter := min(knock, let*step.Seconds(), idle)
		if refused := knock - enter; refused > 1e-9 {
			outside += refused
			for _, chance := range []float64{0.125, 0.375, 0.625, 0.875} {
				wait := admission.Wait(refused/step.Seconds(), let, chance)
				again[i+max(1, int(math.Round(float64(wait)/float64(step))))] += refused / 4
			}
		}
		in += enter
		waited += outside * step.Seconds()
		a.PerRelay = max(a.PerRelay, enter/step.Seconds())
		a.Waiting = max(a.Waiting, int(math.Round(outside*float64(relays))))
		if waits || outside > 1e-9 {
			a.Longest = max(a.Longest, Time(at-reached(arrived, in)))
		}
		if all-in < 1e-6*all {
			a.AllIn = Time(at)
			break
		}
		use := admission.Use{CPU: (before + in*each + enter/step.Seconds()*join) / processors}
		if knock > 0 {
			use.Refused = (knock - enter) / knock
		}
		let = pace.Step(use)
	}
	a.Fastest = a.PerRelay * float64(relays)
	if a.AllIn == Never {
		return a
	}
	a.Mean = Time(waited / all * float64(time.Second))
	return a
}

// reached is when so many had arrived: the end of that step.
func reached(arrived []float64, n float64) time.Duration {
	low, high := 0, len(arrived)-1
	for low < high {
		if mid := (low + high) / 2; arrived[mid] >= n-1e-9 {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return time.Duration(low+1) * step
}

// rate is how many come a second.
func rate(n float64, over time.Duration) float64 {
	if over <= 0 {
		return 0
	}
	return n / over.Seconds()
}
