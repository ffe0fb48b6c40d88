package hop

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/stentor-audio/stentor/bench/report"
)

// WriteHTML writes the result as one HTML file.
func (r *Result) WriteHTML(w io.Writer) error {
	p := report.Page{
		Title:    "stentor bench: hop",
		Subtitle: fmt.Sprintf("%d listeners at %d relays, %d ms of delay, %s", r.Listeners, r.Relays, r.DelayMS, r.network()),
		Warning:  r.Note,
		Tiles: []report.Tile{
			{Label: "frames lost at playout", Value: strconv.FormatUint(r.Lost, 10), Note: fmt.Sprintf("of %d; %d in the quiet before", r.Expected, r.Quiet.Lost)},
			{Label: "longest gap", Value: strconv.FormatInt(r.Longest, 10), Unit: "ms"},
			{Label: "time to hop, p99", Value: strconv.FormatInt(r.Took.P99, 10), Unit: "ms",
				Note: fmt.Sprintf("p50 %d ms, at most %d ms, of %d hops", r.Took.P50, r.Took.Max, r.Hops)},
		},
		Charts: []report.Chart{r.perStrike(), r.times()},
	}
	if r.Partial {
		p.Warning = "The measurement was ended before its time; these are the figures until then. " + p.Warning
	}
	for i, o := range r.Kills {
		f := report.Fact{Name: fmt.Sprintf("%d: %s, %s", i+1, o.Role, o.Cause)}
		if f.Value = "skipped: " + o.Skipped; o.Skipped == "" {
			f.Value = fmt.Sprintf("%s with %d listeners: %d lost of %d, longest gap %d ms; %d hops, p99 %d ms",
				o.Victim, o.Listen, o.Lost, o.Expect, o.Longest, o.Hops, o.Took.P99)
		}
		p.Facts = append(p.Facts, f)
	}
	return p.Write(w)
}

// perStrike is what each strike cost.
func (r *Result) perStrike() report.Chart {
	var lost []report.Point
	for i, o := range r.Kills {
		lost = append(lost, report.Point{X: float64(i + 1), Y: float64(o.Lost)})
	}
	return report.Chart{
		Title: "Frames lost by each strike", Note: "Numbered as in the table below.", X: "strike", Y: "frames",
		Series: []report.Series{{Name: "lost, over all listeners", Kind: report.Bars, Points: lost}},
	}
}

// times is what share of hops took no longer.
func (r *Result) times() report.Chart {
	sorted := slices.Sorted(slices.Values(r.took))
	var points []report.Point
	for i, t := range sorted {
		points = append(points, report.Point{X: float64(t), Y: 100 * float64(i+1) / float64(len(sorted))})
	}
	return report.Chart{
		Title: "Time to hop, cumulative", Note: "As listeners tell it: from when they begin to hop to the first frame over the new session.", X: "ms", Y: "% not above",
		Series: []report.Series{{Name: "hops", Points: points}},
	}
}
