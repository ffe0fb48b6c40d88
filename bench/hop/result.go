package hop

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stentor-audio/stentor/bench/tally"
)

// A Result is what [Run] found.
type Result struct {
	Relays    int `json:"relays"`
	Listeners int `json:"listeners"`

	// Kills are the strikes, whatever their causes.
	Kills []Outcome `json:"kills"`

	// Counted in frames of 20 ms, over all listeners and all strikes, with the
	// rests between.
	Expected uint64 `json:"expected"`
	Lost     uint64 `json:"lost"` // not there when they would have to be played
	Longest  int64  `json:"longest_gap_ms"`

	Hops int       `json:"hops"`
	Took Quantiles `json:"took_ms"` // from when listeners begin to hop, as they tell

	// Quiet is the same without any strike, before the first: what the machine
	// and the network lose by themselves. Joins is before that, while listeners came.
	Quiet Outcome `json:"quiet"`
	Joins Joins   `json:"joins"`

	Network string  `json:"network"` // "hosts" or "loopback"
	Note    string  `json:"note,omitempty"`
	RTT     float64 `json:"rtt_ms"`
	Jitter  float64 `json:"jitter_ms"`
	Loss    float64 `json:"loss"`
	Trip    Trip    `json:"rtt_seen_ms"` // between the listeners' host and relays, in the quiet
	DelayMS int64   `json:"delay_ms"`
	Ended   int     `json:"ended"`   // listeners that gave up
	Strange uint64  `json:"strange"` // frames whose time does not fit their sequence
	Partial bool    `json:"partial,omitempty"`

	took    []int64
	verbose bool
}

// An Outcome is what became of one strike.
type Outcome struct {
	Victim  string `json:"victim,omitempty"`
	Role    Role   `json:"role,omitempty"`
	Cause   Cause  `json:"cause,omitempty"`
	Skipped string `json:"skipped,omitempty"` // why nobody was struck
	Late    string `json:"late,omitempty"`    // why it is not back
	Listen  int    `json:"listeners"`         // that the victim had
	Expect  uint64 `json:"expected"`
	Lost    uint64 `json:"lost"`
	Longest int64  `json:"longest_gap_ms"`
	Hurt    int    `json:"hurt"` // listeners that lost something

	// ReadyMS is, of Join, from the start of the new relay until another knows it
	// to be ready; of Restart, from the first drain until all knew the last one.
	ReadyMS int64 `json:"ready_ms,omitempty"`

	Hops   int            `json:"hops"`
	Took   Quantiles      `json:"took_ms"`
	Causes map[string]int `json:"causes,omitempty"` // of the hops

	// Before and After are the relays when it began and after the rest, Moved is how
	// many listeners are with another one then, and Spread is [Spot]'s listeners in
	// After: the most over the mean.
	Before []Spot  `json:"relays_before,omitempty"`
	After  []Spot  `json:"relays_after,omitempty"`
	Moved  int     `json:"moved"`
	Spread float64 `json:"load_spread"`

	// Busy and StallMS say whether the machine was the bottleneck: what was used of
	// its processors, and for how long the listeners' process did not get to run.
	Busy    Busy  `json:"processors"`
	StallMS int64 `json:"stall_ms"`

	// Misses are what was lost, the first of it.
	Misses []Miss `json:"misses,omitempty"`

	from int64 // when it began, in µs since 1970
}

// Joins are how the listeners came.
type Joins struct {
	OverMS int64     `json:"over_ms"`        // they came evenly spread over this time
	First  Quantiles `json:"first_audio_ms"` // from coming until the first packet, the lobby included
	Expect uint64    `json:"expected"`       // frames, of those who were in, until the last had come
	Lost   uint64    `json:"lost"`
	After  []Spot    `json:"relays_after,omitempty"`
	Spread float64   `json:"load_spread"`
	Busy   Busy      `json:"processors"`
}

// Quantiles of times in milliseconds.
type Quantiles struct {
	P50 int64 `json:"p50"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

func quantilesOf(times []int64) Quantiles {
	sorted := slices.Sorted(slices.Values(times))
	return Quantiles{tally.Quantile(sorted, 0.5), tally.Quantile(sorted, 0.99), tally.Quantile(sorted, 1)}
}

// outcome fills in what listeners say.
func (o Outcome) outcome(r Report) Outcome {
	o.Expect, o.Lost, o.Longest, o.Hurt = r.Expected, r.Lost, r.LongestMS, r.Hurt
	o.Hops, o.Took, o.Causes = len(r.TookMS), quantilesOf(r.TookMS), r.Causes
	o.Moved, o.StallMS, o.Misses = r.Moved, r.StallMS, r.Misses
	return o
}

// add counts one strike.
func (r *Result) add(o Outcome, report Report) {
	o = o.outcome(report)
	r.Kills = append(r.Kills, o)
	r.Expected += o.Expect
	r.Lost += o.Lost
	r.Longest = max(r.Longest, o.Longest)
	r.took = append(r.took, report.TookMS...)
	r.Hops, r.Took = len(r.took), quantilesOf(r.took)
	r.Ended, r.Strange = report.Ended, report.Strange
}

// WriteText writes the result for people, a line a strike.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	partial := ""
	if r.Partial {
		partial = ", PARTIAL: ended before its time"
	}
	fmt.Fprintf(&b, "hop: %d listeners at %d relays, %d ms of delay, %s%s\n", r.Listeners, r.Relays, r.DelayMS, r.network(), partial)
	if r.Note != "" {
		fmt.Fprintf(&b, "  note: %s\n", r.Note)
	}
	const row = "  %-10s %-7s %-17s %9s %11s %6s %8s %6s %5s %14s\n"
	fmt.Fprintf(&b, row, "role", "cause", "relay", "listeners", "expected", "lost", "gap ms", "hurt", "hops", "took p50/p99")
	line := func(o Outcome) {
		if o.Skipped != "" {
			fmt.Fprintf(&b, "  %-10s %-7s skipped: %s\n", o.Role, o.Cause, o.Skipped)
			return
		}
		took := "-"
		if o.Hops > 0 {
			took = fmt.Sprintf("%d/%d ms", o.Took.P50, o.Took.P99)
		}
		fmt.Fprintf(&b, row, o.Role, o.Cause, o.Victim, text(o.Listen), text(o.Expect), text(o.Lost), text(o.Longest), text(o.Hurt), text(o.Hops), took)
		if len(o.After) > 0 {
			fmt.Fprintf(&b, "  %-10s %-7s moved %d; %s; stalled for %d ms\n", "", "", o.Moved, whereText(o.After, o.Spread, o.Busy), o.StallMS)
		}
		if o.ReadyMS > 0 {
			fmt.Fprintf(&b, "  %-10s %-7s ready after %d ms\n", "", "", o.ReadyMS)
		}
		if o.Late != "" {
			fmt.Fprintf(&b, "  %-10s %-7s it is not back: %s\n", "", "", o.Late)
		}
	}
	if j := r.Joins; j.First.Max > 0 {
		fmt.Fprintf(&b, "  joins within %d ms: first audio p50 %d ms, p99 %d ms; %s\n", j.OverMS, j.First.P50, j.First.P99, whereText(j.After, j.Spread, j.Busy))
	}
	quiet := r.Quiet
	quiet.Role, quiet.Victim = "(nothing)", "-"
	line(quiet)
	for _, o := range r.Kills {
		line(o)
	}
	r.writeMisses(&b)
	fmt.Fprintf(&b, "  in all: %d lost of %d frames, longest gap %d ms, %d hops: p50 %d ms, p99 %d ms, max %d ms\n",
		r.Lost, r.Expected, r.Longest, r.Hops, r.Took.P50, r.Took.P99, r.Took.Max)
	if r.Ended > 0 {
		fmt.Fprintf(&b, "  %d listeners gave up\n", r.Ended)
	}
	if r.Strange > 0 {
		fmt.Fprintf(&b, "  %d frames have a time that does not fit their number: the speaker has paused or begun anew\n", r.Strange)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// whereText says how many listen and stand by at which relay, and what all of it used.
func whereText(spots []Spot, spread float64, busy Busy) string {
	var b strings.Builder
	for i, s := range spots {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %d+%d (%d %%)", s.Relay, s.Listeners, s.Standbys, s.Load)
	}
	fmt.Fprintf(&b, "; most over mean %.2f; processors: relays %.2f, listeners %.2f, network %.2f, in all %.2f", spread, busy.Relays, busy.Listeners, busy.Network, busy.All)
	return b.String()
}

func text[T int | int64 | uint64](v T) string { return fmt.Sprint(v) }

// network says what lies between the hosts.
func (r *Result) network() string {
	if r.Network == loopback {
		return "all on the loopback"
	}
	seen := ""
	if r.Trip.P50 > 0 {
		seen = fmt.Sprintf(" (seen: %g, p99 %g)", r.Trip.P50, r.Trip.P99)
	}
	return fmt.Sprintf("%g ms of round trip%s, %g ms of jitter, %g %% loss", r.RTT, seen, r.Jitter, 100*r.Loss)
}

// fewMisses are told without being asked.
const fewMisses = 10

// writeMisses writes what was lost, and how.
func (r *Result) writeMisses(b *strings.Builder) {
	all, told := 0, 0
	for _, o := range append([]Outcome{r.Quiet}, r.Kills...) {
		all += len(o.Misses)
		for _, m := range o.Misses {
			if told == fewMisses && !r.verbose {
				break
			}
			told++
			fmt.Fprintf(b, "  %s\n", strings.TrimLeft(fmt.Sprintf("%s %s: %s", o.Role, o.Cause, m.text(o.from)), " :"))
		}
	}
	if told < all {
		fmt.Fprintf(b, "  and %d more gaps: --verbose tells of them\n", all-told)
	}
}
