package hop

import (
	"cmp"
	"math"
	"slices"
)

// A Spot is how many listen at a relay, and how busy it says it is.
type Spot struct {
	Relay     string `json:"relay"`
	Listeners int    `json:"listeners"`
	Standbys  int    `json:"standbys"` // who have a session here and listen elsewhere
	Load      int    `json:"load"`     // percent
}

// spotsOf are the relays of a network, by name, of which their loads are known.
func spotsOf(at, standby, loads map[string]int) []Spot {
	spots := make([]Spot, 0, len(loads))
	for relay, load := range loads {
		spots = append(spots, Spot{Relay: relay, Listeners: at[relay], Standbys: standby[relay], Load: load})
	}
	for relay, n := range at {
		if _, known := loads[relay]; !known { // it is gone, or not back yet
			spots = append(spots, Spot{Relay: relay, Listeners: n, Standbys: standby[relay]})
		}
	}
	slices.SortFunc(spots, func(a, b Spot) int { return cmp.Compare(a.Relay, b.Relay) })
	return spots
}

// spreadOf is how many listeners the relay with the most has, over the mean of those
// that have any; 0 if none has.
func spreadOf(spots []Spot) float64 {
	most, sum, n := 0, 0, 0
	for _, s := range spots {
		if s.Listeners > 0 {
			most, sum, n = max(most, s.Listeners), sum+s.Listeners, n+1
		}
	}
	if sum == 0 {
		return 0
	}
	return hundredths(float64(most*n) / float64(sum))
}

func hundredths(v float64) float64 { return math.Round(100*v) / 100 }
