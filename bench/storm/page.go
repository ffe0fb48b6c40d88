package storm

import (
	"fmt"
	"io"
	"strconv"

	"github.com/stentor-audio/stentor/bench/report"
)

// WriteHTML writes the result as one HTML file.
func (r *Result) WriteHTML(w io.Writer) error {
	e := r.Established
	p := report.Page{
		Title:    "stentor bench: storm",
		Subtitle: fmt.Sprintf("%.0f newcomers a second for %.0f s where the relay takes %.0f; %d listeners are in", r.Offered, r.StormS, r.Capacity, e.Listeners),
		Tiles: []report.Tile{
			{Label: "lost by those who were in", Value: strconv.FormatUint(e.Lost, 10), Unit: "datagrams", Note: fmt.Sprintf("of %d; %d late", e.Expected, e.Late)},
			{Label: "their latency, p99", Value: fmt.Sprintf("%.1f", e.During.P99), Unit: "ms", Note: fmt.Sprintf("%.1f ms before", e.Before.P99)},
			{Label: "newcomers who failed", Value: strconv.Itoa(r.Failed), Note: fmt.Sprintf("of %d; %d had audio, %d had to wait", r.Joins, r.Admitted, r.Deferred)},
			{Label: "speakers, p99", Value: fmt.Sprintf("%.0f", r.Speakers.Join.P99), Unit: "ms", Note: fmt.Sprintf("%d came, %d failed", r.Speakers.Joins, r.Speakers.Failed)},
			{Label: "cost of a join", Value: fmt.Sprintf("%.2f", r.Ratio), Unit: "×", Note: fmt.Sprintf("%.2f ms; a bare handshake %.2f ms", r.CPUPerJoin, r.CPUPerHandshake)},
		},
		Charts: []report.Chart{r.arrivals(), r.usage(func(s sample) float64 { return s.cpuPercent }, "Relay, CPU", "% of one processor"),
			r.usage(func(s sample) float64 { return float64(s.rss) / 1e6 }, "Relay, memory", "MB")},
	}
	if r.Partial {
		p.Warning = "The measurement was ended before its time; these are the figures until then."
	}
	return p.Write(w)
}

// arrivals are the newcomers, second by second.
func (r *Result) arrivals() report.Chart {
	var came, in, waiting []report.Point
	for i, s := range r.seconds {
		x := float64(i)
		came = append(came, report.Point{X: x, Y: float64(s.Attempts)})
		in = append(in, report.Point{X: x, Y: float64(s.Admitted)})
		waiting = append(waiting, report.Point{X: x, Y: float64(s.Waiting)})
	}
	return report.Chart{
		Title: "Newcomers", Note: "After the storm only those come who were told to wait.", X: "s", Y: "a second",
		Series: []report.Series{{Name: "came", Points: came}, {Name: "had audio", Points: in}, {Name: "waiting", Points: waiting}},
	}
}

func (r *Result) usage(of func(sample) float64, title, unit string) report.Chart {
	var points []report.Point
	for _, s := range r.samples {
		points = append(points, report.Point{X: s.at, Y: of(s)})
	}
	return report.Chart{Title: title, X: "s", Y: unit, Series: []report.Series{{Name: "relay", Points: points}}}
}
