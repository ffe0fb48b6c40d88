package bench

import (
	"math"
	"time"

	"github.com/stentor-audio/stentor/bench/report"
	"github.com/stentor-audio/stentor/bench/tally"
)

// binsPerDecade is how finely delays are told apart in a histogram.
const binsPerDecade = 12

// leastDelay is where histograms begin, in ms: nothing crosses two sockets
// sooner.
const leastDelay = 0.01

// histogram is the share of delays, in percent, in bins of equal width on a
// logarithmic axis of milliseconds. Delays are in µs, ascending.
func histogram(sorted []int64) []report.Point {
	if len(sorted) == 0 {
		return nil
	}
	bin := func(micros int64) int {
		ms := max(float64(micros)/1000, leastDelay)
		return int(math.Log10(ms/leastDelay)*binsPerDecade + 1e-9)
	}
	counts := make([]int, bin(sorted[len(sorted)-1])+2)
	for _, d := range sorted {
		counts[bin(d)]++
	}
	points := make([]report.Point, len(counts))
	for i, n := range counts {
		points[i] = report.Point{
			X: leastDelay * math.Pow(10, float64(i)/binsPerDecade),
			Y: 100 * float64(n) / float64(len(sorted)),
		}
	}
	return points
}

// shares are the points of a cumulative distribution that show its tail.
var shares = func() []float64 {
	var q []float64
	for p := 0.0; p < 0.95; p += 0.02 {
		q = append(q, p)
	}
	return append(q, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.993, 0.996, 0.998, 0.999, 0.9999, 1)
}()

// distribution is what share of delays, in percent, is not above so many ms.
func distribution(sorted []int64) []report.Point {
	if len(sorted) == 0 {
		return nil
	}
	points := make([]report.Point, 0, len(shares))
	for _, q := range shares {
		ms := float64(tally.Quantile(sorted, q)) / 1000
		points = append(points, report.Point{X: max(ms, leastDelay), Y: 100 * q})
	}
	return points
}

// gap parts the lines of two slices.
func gap(at float64) report.Point { return report.Point{X: at, Y: math.NaN()} }

// A second is what reached a side's listeners in one second of its time.
type second struct {
	at     float64 // its middle, in seconds after the first slice
	gap    bool    // a slice begins
	delays []int64
	rate   float64 // of datagrams that came, a second
	lost   float64 // of datagrams that did not
}

// seconds takes the slices apart. A rest of less than half a second is left out:
// a few datagrams make no percentile.
func (s *side) seconds() (out []second) {
	group := time.Duration(s.slots) * 20 * time.Millisecond
	each := float64(time.Second) / float64(group)
	column := 0
	for _, slice := range s.slices {
		for i := 0; ; i++ {
			from := int(math.Round(float64(i) * each))
			to := min(int(math.Round(float64(i+1)*each)), slice.Groups)
			if float64(to-from) < each/2 {
				break
			}
			delays := s.grid.Delays(column+from, column+to)
			length := (time.Duration(to-from) * group).Seconds()
			out = append(out, second{
				at:     slice.StartS + float64(from)/each + length/2,
				gap:    i == 0,
				delays: delays,
				rate:   float64(len(delays)) / length,
				lost:   float64(s.grid.Expected(column+from, column+to)-len(delays)) / length,
			})
		}
		column += slice.Groups
	}
	return out
}

// over draws one figure of each second.
func over(seconds []second, figure func(second) float64) []report.Point {
	points := make([]report.Point, 0, len(seconds))
	for _, s := range seconds {
		if s.gap {
			points = append(points, gap(s.at))
		}
		points = append(points, report.Point{X: s.at, Y: figure(s)})
	}
	return points
}

// sampled draws one figure of each sample.
func sampled(slices []Slice, figure func(Sample) float64) []report.Point {
	var points []report.Point
	for _, slice := range slices {
		points = append(points, gap(slice.StartS))
		for _, s := range slice.Samples {
			points = append(points, report.Point{X: s.AtS, Y: figure(s)})
		}
	}
	return points
}
