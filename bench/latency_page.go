package bench

import (
	"fmt"
	"io"
	"strconv"

	"github.com/stentor-audio/stentor/bench/report"
)

// WriteHTML writes the result as one HTML file.
func (l *LatencyResult) WriteHTML(w io.Writer) error {
	page := l.page("latency")
	tile := func(label string, q Quantiles) report.Tile {
		return report.Tile{Label: label + ", p99", Value: decimal(q.P99, 2), Unit: "ms",
			Note: fmt.Sprintf("p50 %s ms, at most %s ms", decimal(q.P50, 2), decimal(q.Max, 2))}
	}
	page.Tiles = []report.Tile{
		tile("what the relay adds", l.Added),
		tile("through the relay", l.Latency),
		tile("direct", l.Direct),
	}
	if l.Baseline != nil {
		page.Tiles = append(page.Tiles, tile("a plain loop to as many", *l.Baseline))
	}
	page.Tiles = append(page.Tiles, report.Tile{Label: "Opus packets lost", Value: strconv.FormatUint(l.Lost, 10),
		Note: fmt.Sprintf("of %d", l.Expected)})
	page.Charts = l.charts()
	page.Facts = append(page.Facts, report.Fact{Name: "the measurement's own lateness",
		Value: fmt.Sprintf("p99 %s ms, at most %s ms", decimal(l.LateSends.P99, 2), decimal(l.LateSends.Max, 2))})
	return page.Write(w)
}

func (l *LatencyResult) charts() []report.Chart {
	r := l.run
	relay := r.relay.grid.Delays(0, r.relay.grid.Groups())
	spread := []report.Series{
		{Name: relayName, Points: distribution(relay)},
		{Name: directName, Points: distribution(r.direct.grid.Delays(0, r.direct.grid.Groups()))},
		{Name: "what the relay adds", Points: distribution(l.added)},
	}
	if l.Baseline != nil {
		spread = append(spread, report.Series{Name: baselineName, Points: distribution(r.baseline.grid.Delays(0, r.baseline.grid.Groups()))})
	}
	return []report.Chart{
		latencyHistogram(relay),
		{Title: "Latency, cumulative", X: "ms (logarithmic)", Y: "% not above", LogX: true, Series: spread},
		latencyOverTime(r.relay.seconds()),
	}
}
