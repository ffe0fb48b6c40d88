package playout

import "time"

const (
	// maxStretch bounds the ratio around 1: half a percent, 9 cents, is not
	// heard as a change of pitch.
	maxStretch = 0.005

	// pull is how much faster audio is read for each second it lags: a lag
	// under 50 ms is halved every 7 s, a greater one falls by 5 ms a second.
	pull = 0.1

	// lagSmoothing is the share of a new lag in the smoothed one: a second's
	// worth of frames, so that blocks asked for in bursts do not make the
	// pitch flutter.
	lagSmoothing = 0.02
)

// A pace is the controller that keeps audio at its due time: by the measured
// difference of the clocks, and by what lag remains.
type pace struct {
	lag     float64 // smoothed, s
	running bool
}

// played notes by how much a frame of running audio was later than due.
func (p *pace) played(lag time.Duration) {
	if !p.running {
		p.running, p.lag = true, lag.Seconds()
		return
	}
	p.lag += lagSmoothing * (lag.Seconds() - p.lag)
}

// rested notes a silence, after which audio begins when it is due.
func (p *pace) rested() { p.running, p.lag = false, 0 }

// ratio is how many samples of the speaker to read for one of ours.
func (p *pace) ratio(skew float64) float64 {
	r := 1 - skew + pull*p.lag
	return min(max(r, 1-maxStretch), 1+maxStretch)
}
