package tally

import (
	"math"
	"slices"
)

// Quantile is the smallest value that at least the share q of all is not above:
// the nearest-rank definition, so it is always one of the values. They must be in
// ascending order. It is 0 where there are none.
func Quantile(sorted []int64, q float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	// The subtrahend keeps 0.07*100, which is a little above 7, from being 8.
	rank := int(math.Ceil(q*float64(len(sorted))-1e-9)) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

// Median is the middle value, or the mean of the two in the middle. It is NaN
// where there are none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}
