package storm

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stentor-audio/stentor/bench/tally"
)

// Quantiles of times in milliseconds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// quantiles makes Quantiles of microseconds, which it puts into order.
func quantiles(sorted []int64) Quantiles {
	slices.Sort(sorted)
	ms := func(q float64) float64 { return float64(tally.Quantile(sorted, q)) / 1000 }
	return Quantiles{P50: ms(0.5), P99: ms(0.99), Max: ms(1)}
}

func (q Quantiles) String() string {
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms, max %.1f ms", q.P50, q.P99, q.Max)
}

// A Result is what a storm did.
type Result struct {
	// Processors are those that the relay had to itself; zero if it shared them.
	Processors int `json:"relay_processors"`

	// Capacity is how many newcomers a second the relay took when as many came as
	// it would take, and Offered how many came in the storm.
	Capacity float64 `json:"join_capacity_per_s"`
	Offered  float64 `json:"offered_per_s"`
	StormS   float64 `json:"storm_s"`

	// Joins are attempts. Each ended in audio, or in being told to wait, or without
	// an answer within 5 s (the client library tries again, as if told to wait), or
	// in anything else: failed.
	Joins    int `json:"joins"`
	Admitted int `json:"admitted"`
	Deferred int `json:"deferred"`
	Silent   int `json:"unanswered"` // of the deferred
	Failed   int `json:"failed"`

	// People are those of the newcomers who came again until they were in, and
	// LeftOut who were not when it ended, LastInS after the storm began.
	People  int     `json:"people"`
	LeftOut int     `json:"left_out"`
	LastInS float64 `json:"last_in_s"`

	Join       Quantiles `json:"join_ms"`
	FirstAudio Quantiles `json:"first_audio_ms"`
	Wait       Quantiles `json:"wait_ms"`

	// Before the storm: newcomers at 80 % of the capacity.
	Calm struct {
		Joins      int       `json:"joins"`
		Deferred   int       `json:"deferred"`
		Join       Quantiles `json:"join_ms"`
		FirstAudio Quantiles `json:"first_audio_ms"`
	} `json:"at_80_percent"`

	// What a join costs the relay beside a handshake of a server that is quic-go
	// and nothing else: medians of turns, at 300 a second each.
	CPUPerJoin      float64 `json:"relay_cpu_ms_per_join"`
	CPUPerHandshake float64 `json:"bare_cpu_ms_per_handshake"`
	Ratio           float64 `json:"join_cost_ratio"`

	Established Established `json:"established"`

	// Speakers who came in the storm, one a second, from an address of their own.
	Speakers struct {
		Joins  int       `json:"joins"`
		Failed int       `json:"failed"`
		Join   Quantiles `json:"join_ms"`
		Error  string    `json:"error,omitempty"`
	} `json:"speakers"`

	RSSBefore int64 `json:"relay_rss_before_bytes"`
	RSSMost   int64 `json:"relay_rss_most_bytes"`

	Partial bool `json:"partial,omitempty"`

	seconds []second
	samples []sample
}

// Established is what became of those who were in.
type Established struct {
	Listeners int    `json:"listeners"`
	Expected  uint64 `json:"expected"` // datagrams in the storm
	Lost      uint64 `json:"lost"`
	Late      uint64 `json:"late"` // that came too late for a playout delay of 200 ms
	Gone      int    `json:"gone"` // whose session has ended

	Before Quantiles `json:"latency_before_ms"`
	During Quantiles `json:"latency_during_ms"`

	// OwnBefore and OwnDuring are how late the timers were of the process in which
	// they listen: so much of their latency may be its own.
	OwnBefore Quantiles `json:"own_lateness_before_ms"`
	OwnDuring Quantiles `json:"own_lateness_during_ms"`

	Seconds []Quantiles `json:"latency_per_second_ms"` // of the storm
}

// A sample is what the relay was like at a moment.
type sample struct {
	at         float64 // seconds since the storm began
	cpuPercent float64
	rss        int64
}

// WriteText writes the result for people, a line a figure.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-18s %s\n", name, fmt.Sprintf(format, args...))
	}
	partial := ""
	if r.Partial {
		partial = ", PARTIAL: ended before its time"
	}
	fmt.Fprintf(&b, "storm: %.0f newcomers a second for %.0f s, where the relay takes %.0f%s\n", r.Offered, r.StormS, r.Capacity, partial)
	if r.Processors > 0 {
		line("the relay", "%d of the processors, to itself", r.Processors)
	}
	line("newcomers", "%d came, %d had audio, %d had to wait (%d of them heard nothing for 5 s), %d failed", r.Joins, r.Admitted, r.Deferred, r.Silent, r.Failed)
	line("those who waited", "%d of %d people are not in; the last came in %.0f s after the beginning", r.LeftOut, r.People, r.LastInS)
	line("handshake", "%s", r.Join)
	line("first audio", "%s", r.FirstAudio)
	line("at 80 %", "%d joins, %d had to wait; first audio %s", r.Calm.Joins, r.Calm.Deferred, r.Calm.FirstAudio)
	line("cost of a join", "%.2f ms of the relay's CPU, %.2f × of a bare handshake's %.2f ms", r.CPUPerJoin, r.Ratio, r.CPUPerHandshake)
	e := r.Established
	line("established", "%d listeners lost %d of %d datagrams, %d late, %d sessions ended", e.Listeners, e.Lost, e.Expected, e.Late, e.Gone)
	line("  before", "%s", e.Before)
	line("  in the storm", "%s", e.During)
	line("  own lateness", "%s before; %s in the storm", e.OwnBefore, e.OwnDuring)
	line("speakers", "%d came, %d failed; %s", r.Speakers.Joins, r.Speakers.Failed, r.Speakers.Join)
	line("relay memory", "%.0f MB before, %.0f MB at most", float64(r.RSSBefore)/1e6, float64(r.RSSMost)/1e6)
	_, err := io.WriteString(w, b.String())
	return err
}
