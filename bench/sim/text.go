package sim

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteText writes the result for people: what happened, and promise by promise
// what became of it.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	partial := ""
	if r.Partial {
		partial = ", PARTIAL: ended before its time"
	}
	fmt.Fprintf(&b, "sim: %s, seed %d: %d listeners, %d relays, %d rooms, %v%s\n", r.Scenario, r.Seed, r.Listeners, r.Relays, r.Rooms, ms(r.EndMS), partial)
	if r.About != "" {
		fmt.Fprintf(&b, "  %s\n", r.About)
	}
	j := r.Joins
	fmt.Fprintf(&b, "  came %d, let in %d, left %d, not served at the end %d\n", j.Arrived, j.Admitted, j.Gone, r.Unserved)
	fmt.Fprintf(&b, "  told to wait %d times, handshakes refused %d, no place %d, nobody there %d\n", j.Waits, j.Refused, j.Full, j.Unanswered)
	fmt.Fprintf(&b, "  first audio p50 %v, p99 %v, at most %v\n", ms(j.FirstAudio.P50), ms(j.FirstAudio.P99), ms(j.FirstAudio.Max))
	fmt.Fprintf(&b, "  lost %d of %d frames: %d in hops, %d because a relay had nothing, %d because one had too much to do\n",
		r.Lost, r.Expected, r.LostAt.Hops, r.LostAt.Starved, r.LostAt.Overload)
	for _, g := range r.Gaps {
		fmt.Fprintf(&b, "  %s: %d listeners, %d heard a gap: p50 %v, p99 %v, at most %v\n", g.Who, g.Listeners, g.Hurt, ms(g.Gap.P50), ms(g.Gap.P99), ms(g.Gap.Max))
	}
	for _, h := range r.Hops {
		fmt.Fprintf(&b, "  hops for %s: %d, p50 %v, p99 %v, at most %v\n", h.Cause, h.Count, ms(h.Took.P50), ms(h.Took.P99), ms(h.Took.Max))
	}
	fmt.Fprintf(&b, "  load at the peak: p50 %.0f %%, p99 %.0f %%, at most %.0f %%\n", r.Load.P50, r.Load.P99, r.Load.Max)
	fmt.Fprintf(&b, "  trees: at most %d hops deep, %d relays fed by one, %d moved by one change, %d plans\n", r.DepthMax, r.DegreeMax, r.ReparentedMax, r.Messages.Plans)
	for _, h := range r.Happened {
		whole := "the trees were not whole again"
		if h.ConvergeMS >= 0 {
			whole = fmt.Sprintf("the trees were whole after %v", ms(h.ConvergeMS))
		}
		fmt.Fprintf(&b, "  %8v %s: %d relays, %d listeners there; %s\n", ms(h.AtMS), h.What, h.Relays, h.Listeners, whole)
	}
	if r.Shortfall != nil {
		fmt.Fprintf(&b, "  cannot be served: %s\n", r.Shortfall.Text)
	}
	for _, p := range r.Promises {
		kept := "kept  "
		if !p.Kept {
			kept = "BROKEN"
		}
		fmt.Fprintf(&b, "  %s %s: %s (%s)\n", kept, p.Text, p.Got, p.Want)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func ms(v int64) time.Duration { return time.Duration(v) * time.Millisecond }
