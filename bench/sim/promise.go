package sim

import (
	"fmt"
)

// promises looks at what the scenario expects.
func (w *world) promises() []Promise {
	list := []Promise{}
	e, res := w.s.Expect, w.res
	add := func(name, text, want, got string, kept bool) {
		list = append(list, Promise{Name: name, Text: text, Want: want, Got: got, Kept: kept})
	}
	ms := func(v int64) string { return ms(v).String() }
	atMost := func(v any) string { return fmt.Sprintf("at most %v", v) }
	if v := e.Lost; v != nil {
		add("lost", "frames lost by those who were let in", atMost(*v), fmt.Sprint(res.Lost), res.Lost <= *v)
	}
	if v := e.OthersLost; v != nil {
		got := res.Gaps[1].Lost
		add("others_lost", "frames lost by those whose relay was not struck", atMost(*v), fmt.Sprint(got), got <= *v)
	}
	if v := e.StruckGapP99; v != nil {
		got := res.Gaps[0].Gap.P99
		add("struck_gap_p99", "longest gap of those whose relay was struck, p99", atMost(v.get()), ms(got), got <= v.get().Milliseconds())
	}
	if v := e.Unserved; v != nil {
		add("unserved", "who came and does not listen at the end", atMost(*v), fmt.Sprint(res.Unserved), res.Unserved <= *v)
	}
	if v := e.Failed; v != nil {
		add("failed", "newcomers who were shown an error", atMost(*v), fmt.Sprint(res.Joins.Failed), res.Joins.Failed <= *v)
	}
	if v := e.AllIn; v != nil {
		text := "until all are in, after the last came"
		if w.adds() {
			text = "until all are in, after the last capacity was ready"
		}
		got := res.Joins.AllInMS
		if got < 0 {
			add("all_in", text, atMost(v.get()), fmt.Sprintf("%d are not in", res.Unserved), false)
		} else {
			add("all_in", text, atMost(v.get()), ms(got), got <= v.get().Milliseconds())
		}
	}
	if v := e.SpeakersOut; v != nil {
		got := res.Speakers.OutMS
		add("speakers_out", "for how long no relay had a speaker, at the longest", atMost(v.get()), ms(got), got <= v.get().Milliseconds())
	}
	if v := e.LoadSpread; v != nil {
		worst, where := 1.0, ""
		for _, z := range res.Spreads {
			if z.Mean > 0 && z.Max/z.Mean > worst {
				worst, where = z.Max/z.Mean, " in "+z.Zone
			}
		}
		add("load_spread", "the busiest relay of a zone over the zone's mean, at the end", atMost(*v), fmt.Sprintf("%.2f%s", worst, where), worst <= *v)
	}
	if v := e.Converge; v != nil {
		kept, got := true, ms(res.ConvergeMS)
		for _, h := range res.Happened {
			if h.ConvergeMS < 0 {
				kept, got = false, fmt.Sprintf("not before the end after %s at %s", h.What, ms(h.AtMS))
			}
		}
		add("converge", "until all trees are whole after what happens, at the longest", atMost(v.get()), got, kept && res.ConvergeMS <= v.get().Milliseconds())
	}
	if res.Partial {
		for i := range list {
			list[i].Kept = false
			list[i].Got += ", until it was ended"
		}
	}
	return list
}
