package playout

import "math"

// Quietest is the level of silence, in dBFS.
const Quietest = -120

// A Level is how loud a block is, in dBFS: 0 is a peak of 1, or the RMS of a
// square wave of that height. Never below [Quietest].
type Level struct {
	RMS, Peak float64
}

// Measure is the level of pcm over all its channels.
func Measure(pcm []float32) Level {
	if len(pcm) == 0 {
		return Level{RMS: Quietest, Peak: Quietest}
	}
	var power float64
	var peak float32
	for _, v := range pcm {
		v = sane(v)
		power += float64(v) * float64(v)
		peak = max(peak, v, -v)
	}
	return Level{
		RMS:  decibels(math.Sqrt(power / float64(len(pcm)))),
		Peak: decibels(float64(peak)),
	}
}

func decibels(amplitude float64) float64 {
	return max(20*math.Log10(amplitude), Quietest)
}
