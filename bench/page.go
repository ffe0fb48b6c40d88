package bench

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/stentor-audio/stentor/bench/report"
	"github.com/stentor-audio/stentor/bench/tally"
)

// The names of the sides in plots.
const (
	relayName    = "relay"
	baselineName = "baseline: a plain SendDatagram loop"
	directName   = "direct: no relay between"
)

// WriteHTML writes the result as one HTML file.
func (f *FanoutResult) WriteHTML(w io.Writer) error {
	page := f.page("fan-out")
	page.Tiles = f.tiles()
	page.Charts = f.charts()
	page.Facts = append(page.Facts, f.facts()...)
	return page.Write(w)
}

// page begins a page.
func (s Setting) page(what string) report.Page {
	p := report.Page{
		Title: "stentor bench: " + what,
		Subtitle: fmt.Sprintf("%d listeners over %s, %d ms of audio a datagram, for %s s",
			s.Listeners, s.Transport, s.PacketMs, decimal(s.DurationS, 1)),
		Facts: []report.Fact{
			{Name: "Opus packets", Value: fmt.Sprintf("%d bytes every 20 ms", s.Bytes)},
			{Name: "processor", Value: fmt.Sprintf("%d × %s", s.Machine.CPUs, orUnknown(s.Machine.Model))},
			{Name: "kernel", Value: orUnknown(s.Machine.Kernel)},
			{Name: "built with", Value: s.Machine.Go},
			{Name: "written", Value: time.Now().UTC().Format("2006-01-02 15:04 UTC")},
		},
	}
	if s.Relay != "" {
		p.Facts = append(p.Facts, report.Fact{Name: "relay", Value: s.Relay})
	}
	p.Warning = s.busy()
	if s.Partial {
		p.Warning = "The measurement was ended before its time; these are the figures until then. " + p.Warning
	}
	return p
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func (f *FanoutResult) tiles() []report.Tile {
	tiles := []report.Tile{{
		Label: "Opus packets lost", Value: strconv.FormatUint(f.Lost, 10),
		Note: fmt.Sprintf("of %d", f.Expected),
	}}
	b := f.BaselineResult
	if f.CPUPerDatagram != nil {
		t := report.Tile{Label: "relay CPU a datagram", Value: decimal(*f.CPUPerDatagram, 1), Unit: "µs"}
		if b != nil {
			t.Note = "baseline " + decimal(b.CPUPerDatagram, 1) + " µs"
		}
		tiles = append(tiles, t)
	}
	if b != nil && b.Ratio != nil {
		tiles = append(tiles, report.Tile{Label: "relay CPU to baseline", Value: decimal(*b.Ratio, 2), Unit: "×"})
	}
	if f.CPUPerListenerSecond != nil {
		t := report.Tile{Label: "relay CPU a listener-second", Value: decimal(*f.CPUPerListenerSecond, 0), Unit: "µs"}
		if b != nil {
			t.Note = "baseline " + decimal(b.CPUPerListenerSecond, 0) + " µs"
		}
		tiles = append(tiles, t)
	}
	if f.RSSPerListener != nil {
		t := report.Tile{Label: "relay memory a listener", Value: decimal(float64(*f.RSSPerListener)/1000, 0), Unit: "kB"}
		if b != nil {
			t.Note = "baseline " + decimal(float64(b.RSSPerListener)/1000, 0) + " kB"
		}
		tiles = append(tiles, t)
	}
	t := report.Tile{Label: "latency, p99", Value: decimal(f.Latency.P99, 2), Unit: "ms", Note: "p50 " + decimal(f.Latency.P50, 2) + " ms"}
	if b != nil {
		t.Note += "; baseline p99 " + decimal(b.Latency.P99, 2) + " ms"
	}
	tiles = append(tiles, t)
	if z := f.Freeze; z != nil {
		tiles = append(tiles, report.Tile{
			Label: "p99 of the others while some were frozen", Value: decimal(z.Ratio, 2), Unit: "×",
			Note: fmt.Sprintf("%s ms instead of %s ms; %d lost", decimal(z.Latency, 2), decimal(z.Otherwise, 2), z.Lost),
		})
	}
	return tiles
}

func (f *FanoutResult) charts() []report.Chart {
	s := f.run.relay
	relay := s.grid.Delays(0, s.grid.Groups())
	seconds := s.seconds()
	spread := []report.Series{{Name: relayName, Points: distribution(relay)}}
	cpu := []report.Series{{Name: relayName, Points: sampled(f.Slices, func(s Sample) float64 { return s.CPUPercent })}}
	rss := []report.Series{{Name: relayName, Points: sampled(f.Slices, func(s Sample) float64 { return float64(s.RSSBytes) / 1e6 })}}
	if b := f.run.baseline; f.BaselineResult != nil {
		spread = append(spread, report.Series{Name: baselineName, Points: distribution(b.grid.Delays(0, b.grid.Groups()))})
		cpu = append(cpu, report.Series{Name: baselineName, Points: sampled(f.BaselineSlices, func(s Sample) float64 { return s.CPUPercent })})
		rss = append(rss, report.Series{Name: baselineName, Points: sampled(f.BaselineSlices, func(s Sample) float64 { return float64(s.RSSBytes) / 1e6 })})
	}
	return []report.Chart{
		latencyHistogram(relay),
		{Title: "Latency, cumulative", X: "ms (logarithmic)", Y: "% not above", LogX: true, Series: spread},
		{Title: "Delivered and lost", Note: "Datagrams a second, over all listeners.", X: axisTime, Y: "datagrams/s", Series: []report.Series{
			{Name: "delivered", Points: over(seconds, func(s second) float64 { return s.rate })},
			{Name: "lost", Points: over(seconds, func(s second) float64 { return s.lost })},
		}},
		latencyOverTime(seconds),
		{Title: "CPU time", Note: "100 % is one processor.", X: axisTime, Y: "%", Series: cpu},
		{Title: "Resident memory", Note: "Of the whole process.", X: axisTime, Y: "MB", Series: rss},
	}
}

// axisTime is what the horizontal axis of a plot over time shows.
const axisTime = "seconds; gaps are the other side's turns"

func latencyHistogram(sorted []int64) report.Chart {
	return report.Chart{
		Title: "Latency", Note: "From the speaker's sending to a listener's receiving.",
		X: "ms (logarithmic)", Y: "% of datagrams", LogX: true,
		Series: []report.Series{{Name: relayName, Kind: report.Bars, Points: histogram(sorted)}},
	}
}

func latencyOverTime(seconds []second) report.Chart {
	quantile := func(q float64) func(second) float64 {
		return func(s second) float64 { return float64(tally.Quantile(s.delays, q)) / 1000 }
	}
	return report.Chart{
		Title: "Latency over time", Note: "Percentiles of each second.", X: axisTime, Y: "ms",
		Series: []report.Series{
			{Name: "p50", Points: over(seconds, quantile(0.5))},
			{Name: "p99", Points: over(seconds, quantile(0.99))},
		},
	}
}

func (f *FanoutResult) facts() []report.Fact {
	facts := []report.Fact{
		{Name: "datagrams that came", Value: strconv.FormatUint(f.Datagrams, 10)},
		{Name: "duplicates", Value: strconv.FormatUint(f.Duplicates, 10)},
		{Name: "listeners that lost their session", Value: strconv.Itoa(f.Disconnected)},
		{Name: "the measurement's own lateness", Value: fmt.Sprintf("p99 %s ms, at most %s ms", decimal(f.LateSends.P99, 2), decimal(f.LateSends.Max, 2))},
	}
	if f.KernelShare != nil {
		facts = append(facts, report.Fact{Name: "relay's CPU time in the kernel", Value: decimal(100**f.KernelShare, 0) + " %"})
	}
	return facts
}

// decimal writes a figure with so many digits behind the point.
func decimal(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
