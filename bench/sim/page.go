package sim

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/stentor-audio/stentor/bench/report"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/relay/admission"
)

// WriteHTML writes the result as one HTML file.
func (r *Result) WriteHTML(w io.Writer) error {
	p := report.Page{
		Title:    "stentor bench: sim, " + r.Scenario,
		Subtitle: fmt.Sprintf("%s: %s, %s, %s, %v of simulated time, seed %d", r.About, some(r.Listeners, "listener"), some(r.Relays, "relay"), some(r.Rooms, "room"), ms(r.EndMS), r.Seed),
		Warning:  r.warning(),
		Tiles:    r.tiles(),
		Checks:   r.checks(),
		Facts:    r.facts(),
	}
	if r.About == "" {
		p.Subtitle = p.Subtitle[2:]
	}
	c := r.clock()
	p.Charts = append(r.crowds(c), r.hopTimes(), r.gaps(), counted("Depth", "Relays by their hops from the farther root, in all rooms at the end.", "hops", r.Depths),
		counted("Degree", "Relays by how many they feed, in all rooms at the end.", "relays fed", r.Degrees))
	for i := range c.charts(p.Charts) {
		p.Charts[i].Events = r.moments(c)
	}
	p.Heats = []report.Heat{r.loads(c)}
	p.Forests = []report.Forest{r.Before.forest("before", r.zones()), r.After.forest("after", r.zones())}
	return p.Write(w)
}

// warning says what the figures are not.
func (r *Result) warning() string {
	var text string
	if r.Partial {
		text = "The simulation was ended before its time; these are the figures until then. "
	}
	if s := r.Shortfall; s != nil {
		text += "It cannot be served: " + s.Text
	}
	return text
}

func (r *Result) tiles() []report.Tile {
	kept := 0
	for _, p := range r.Promises {
		if p.Kept {
			kept++
		}
	}
	all := report.Tile{Label: "all are in", Value: "never", Note: "since the last capacity that was added"}
	if r.Joins.AllInMS >= 0 {
		all.Value, all.Unit = brief(float64(r.Joins.AllInMS)/1000), "s"
	}
	tiles := []report.Tile{
		{Label: "promises kept", Value: strconv.Itoa(kept), Note: fmt.Sprintf("of %d", len(r.Promises))},
		{Label: "frames lost at playout", Value: whole(r.Lost), Note: "of " + whole(r.Expected)},
		{Label: "not served at the end", Value: whole(r.Unserved), Note: fmt.Sprintf("of %s who came; %s left by themselves", whole(r.Joins.Arrived), whole(r.Joins.Gone))},
		all,
		{Label: "first audio, p99", Value: brief(float64(r.Joins.FirstAudio.P99)), Unit: "ms", Note: "from coming, waiting included"},
		{Label: "load at the peak, max", Value: brief(r.Load.Max), Unit: "%", Note: fmt.Sprintf("mean %.0f %%, p99 %.0f %%, of relays with listeners", r.Load.Mean, r.Load.P99)},
	}
	for _, g := range r.Gaps {
		tiles = append(tiles, report.Tile{Label: "gap of " + g.Who + ", p99", Value: brief(float64(g.Gap.P99)), Unit: "ms",
			Note: fmt.Sprintf("%s of %s listeners heard one, at most %s ms", whole(g.Hurt), whole(g.Listeners), whole(g.Gap.Max))})
	}
	return tiles
}

// brief writes a figure without digits that say nothing, and with its thousands
// apart.
func brief(v float64) string {
	digits := 0
	if v < 100 && v != math.Trunc(v) {
		digits = 1
	}
	s := strings.TrimSuffix(strconv.FormatFloat(v, 'f', digits, 64), ".0")
	whole, rest, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		rest = "." + rest
	}
	return whole + rest
}

func whole[T int | int64](n T) string { return brief(float64(n)) }

// some is how many there are of something.
func some(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return whole(n) + " " + what
}

func (r *Result) checks() []report.Check {
	var out []report.Check
	for _, p := range r.Promises {
		out = append(out, report.Check{Name: p.Text, Want: p.Want, Got: p.Got, Kept: p.Kept})
	}
	return out
}

// A timeline is the unit of the axes of time.
type timeline struct {
	ms   float64
	unit string
}

func (r *Result) clock() timeline {
	if r.EndMS > 10*60*1000 {
		return timeline{60 * 1000, "minutes"}
	}
	return timeline{1000, "seconds"}
}

func (c timeline) at(ms int64) float64 { return float64(ms) / c.ms }

// charts are those over time, which come first.
func (c timeline) charts(all []report.Chart) []report.Chart {
	n := 0
	for n < len(all) && all[n].X == c.unit {
		n++
	}
	return all[:n]
}

func (r *Result) moments(c timeline) []report.Event {
	var out []report.Event
	for _, h := range r.Happened {
		out = append(out, report.Event{X: c.at(h.AtMS), Label: fmt.Sprintf("%s: %s, %s", h.What, some(h.Relays, "relay"), some(h.Listeners, "listener"))})
	}
	return out
}

// crowds are the charts over time.
func (r *Result) crowds(c timeline) []report.Chart {
	s := &r.Series
	level := func(name string, values []int64) report.Series {
		out := report.Series{Name: name}
		for i, v := range values[:min(len(values), len(s.T))] {
			out.Points = append(out.Points, report.Point{X: c.at(s.T[i]), Y: float64(v)})
		}
		return out
	}
	// Counts until now become what there was since the sample before, a second.
	pace := func(name string, values []int64) report.Series {
		out := report.Series{Name: name}
		for i := 1; i < min(len(values), len(s.T)); i++ {
			if span := s.T[i] - s.T[i-1]; span > 0 {
				out.Points = append(out.Points, report.Point{X: c.at(s.T[i]), Y: 1000 * float64(values[i]-values[i-1]) / float64(span)})
			}
		}
		return out
	}
	mean, most := s.load(c)
	return []report.Chart{
		{Title: "Listeners", Note: "Who has come, who listens, and who waits.", X: c.unit, Y: "people",
			Series: []report.Series{level("come", s.Arrived), level("listening", s.Listening), level("waiting", s.Waiting)}},
		{Title: "At the doors", Note: "Answers that were a waiting time, and handshakes or sessions that were refused.", X: c.unit, Y: "a second",
			Series: []report.Series{pace("told to wait", s.Told), pace("refused", s.Refused)}},
		{Title: "Frames lost", Note: "At playout, of listeners who had been let in.", X: c.unit, Y: "frames a second", Series: []report.Series{pace("lost", s.Lost)}},
		{Title: "Hops", Note: "Listeners who went on at another relay.", X: c.unit, Y: "a second", Series: []report.Series{pace("hops", s.Hops)}},
		{Title: "Relays", Note: "That take newcomers.", X: c.unit, Y: "relays", Series: []report.Series{level("ready", s.Relays)}},
		{Title: "Load", Note: fmt.Sprintf("Of all relays that are there. Newcomers are sent elsewhere from %d %% on.", placement.DefaultBound), X: c.unit, Y: "%", Series: []report.Series{mean, most}},
	}
}

// load is the mean and the highest load of all relays at each time.
func (s *Series) load(c timeline) (mean, most report.Series) {
	mean.Name, most.Name = "mean", "highest"
	for i, t := range s.T {
		sum, n, high := 0.0, 0, 0.0
		for _, z := range s.Zones {
			for _, row := range z.Load {
				if i < len(row) && row[i] >= 0 {
					sum, n, high = sum+float64(row[i]), n+1, max(high, float64(row[i]))
				}
			}
		}
		if n > 0 {
			mean.Points = append(mean.Points, report.Point{X: c.at(t), Y: sum / float64(n)})
			most.Points = append(most.Points, report.Point{X: c.at(t), Y: high})
		}
	}
	return mean, most
}

// hopTimes is what share of hops took no longer, by cause.
func (r *Result) hopTimes() report.Chart {
	c := report.Chart{Title: "Time to hop, cumulative", Note: "From what made them hop to the first frame over the new session.", X: "ms", Y: "% not above", LogX: true}
	for _, h := range r.Hops {
		if h.Count > 0 {
			c.Series = append(c.Series, report.Series{Name: fmt.Sprintf("%s (%d)", h.Cause, h.Count), Points: cumulative(h.Bins)})
		}
	}
	return c
}

// gaps is how long the longest gap was of those who heard one.
func (r *Result) gaps() report.Chart {
	c := report.Chart{Title: "Longest gap, cumulative", Note: "Of the listeners who heard one.", X: "ms", Y: "% not above", LogX: true}
	for _, g := range r.Gaps {
		if g.Hurt > 0 {
			c.Series = append(c.Series, report.Series{Name: fmt.Sprintf("%s (%d of %d)", g.Who, g.Hurt, g.Listeners), Points: cumulative(g.Bins)})
		}
	}
	return c
}

func cumulative(bins []Bin) []report.Point {
	all, until := 0, 0
	for _, b := range bins {
		all += b.Count
	}
	var out []report.Point
	for _, b := range bins {
		until += b.Count
		out = append(out, report.Point{X: float64(b.UpTo), Y: 100 * float64(until) / float64(max(all, 1))})
	}
	return out
}

// counted is a bar for each index.
func counted(title, note, x string, counts []int) report.Chart {
	s := report.Series{Name: "relays", Kind: report.Bars}
	for i, n := range counts {
		s.Points = append(s.Points, report.Point{X: float64(i), Y: float64(n)})
	}
	return report.Chart{Title: title, Note: note, X: x, Y: "relays", Series: []report.Series{s}}
}

// loads is the heat map: every relay, all the time.
func (r *Result) loads(c timeline) report.Heat {
	h := report.Heat{
		Title: "Load of each relay",
		Note: fmt.Sprintf("A row is a relay. From %d %% on newcomers get long packets, from %d %% on listeners have no standby, from %d %% on newcomers are sent elsewhere; at %d %% a relay is full. Where there is nothing it was not there.",
			placement.DefaultBound, admission.LongPackets, admission.ColdStandby, admission.Full),
		X: c.unit, Warm: placement.DefaultBound, Hot: admission.Full, Unit: "%",
	}
	for _, t := range r.Series.T {
		h.Steps = append(h.Steps, c.at(t))
	}
	for _, z := range r.Series.Zones {
		rows := make([][]float64, len(z.Load))
		for i, row := range z.Load {
			for _, v := range row {
				rows[i] = append(rows[i], float64(v))
			}
		}
		h.Zones = append(h.Zones, report.HeatRows{Name: z.Zone, Rows: rows})
	}
	return h
}

// zones are all there are, in an order that both trees share.
func (r *Result) zones() []string {
	var names []string
	for _, z := range r.Series.Zones {
		names = append(names, z.Zone)
	}
	return names
}

// forest draws the two trees of a room.
func (t Tree) forest(when string, zones []string) report.Forest {
	f := report.Forest{
		Title: fmt.Sprintf("The trees of room %s, %s", t.Room, when),
		Note:  fmt.Sprintf("%v: %s. Below each are those that it feeds; the fuller the colour, the busier.", ms(t.AtMS), some(len(t.Nodes), "relay")),
		Trees: []string{"red", "blue"}, Groups: zones,
	}
	for _, n := range t.Nodes {
		f.Nodes = append(f.Nodes, report.Node{
			Name: n.Relay, Group: n.Zone, Parents: []string{n.Red, n.Blue}, Value: n.Load,
			Label: fmt.Sprintf("in %s, %.0f %%, %s deep", n.Zone, n.Load, some(n.Depth, "hop")),
		})
	}
	return f
}

func (r *Result) facts() []report.Fact {
	var out []report.Fact
	add := func(name, format string, args ...any) {
		out = append(out, report.Fact{Name: name, Value: fmt.Sprintf(format, args...)})
	}
	for _, h := range r.Happened {
		trees := "the trees were not whole again"
		if h.ConvergeMS >= 0 {
			trees = fmt.Sprintf("the trees were whole after %v", ms(h.ConvergeMS))
		}
		add("at "+ms(h.AtMS).String(), "%s: %s, %s; %s", h.What, some(h.Relays, "relay"), some(h.Listeners, "listener"), trees)
	}
	j := r.Joins
	add("newcomers", "%d came, %d were let in, %d shown an error; %d lobby answers, %d of them a waiting time; %d handshakes refused, %d sessions without a place, %d dials at relays that were gone",
		j.Arrived, j.Admitted, j.Failed, j.Lobby, j.Waits, j.Refused, j.Full, j.Unanswered)
	add("lost to", "%d hops, %d relays that had nothing to pass on, %d relays with too much to do", r.LostAt.Hops, r.LostAt.Starved, r.LostAt.Overload)
	add("trees", "at most %d hops deep and %d fed by one; at most %d changed a parent at once; no relay feeds others in both colours: %v", r.DepthMax, r.DegreeMax, r.ReparentedMax, r.Disjoint)
	add("speakers", "%d, %s, %d refused, published nowhere for %v at most", r.Speakers.Speakers, some(r.Speakers.Hops, "hop"), r.Speakers.Refused, ms(r.Speakers.OutMS))
	for _, z := range r.Spreads {
		if z.Mean > 0 {
			add("load in "+z.Zone+" at the end", "%s: mean %.0f %%, p99 %.0f %%, max %.0f %%, which is %.2f of the mean", some(z.Relays, "relay"), z.Mean, z.P99, z.Max, z.Max/z.Mean)
		}
	}
	m := r.Messages
	add("simulated", "%d events, %d steps of %d listeners' state machines, %d plans, %d parents changed, %d placements, invariants checked %d times", m.Events, m.Steps, m.Woken, m.Plans, m.Moves, m.Placed, m.Checked)
	for _, c := range r.Constants {
		add(c.Name, "%s %s (%s)", strconv.FormatFloat(c.Value, 'f', -1, 64), c.Unit, c.Source)
	}
	return out
}
