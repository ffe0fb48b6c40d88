package event

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// WriteText writes the result for people: what to deploy first, then how it was
// reckoned.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-15s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&b, "%s listeners within %v, %s, packets of %v over %s, %d speaking at a time\n",
		thousands(r.Event.Listeners), r.Event.Arrive, some(r.Event.Zones, "zone"), r.Event.PacketMS, r.Event.Transport, r.Event.Speakers)
	fmt.Fprintf(&b, "each relay: %s, %s, %s\n\n", some(r.Machine.Cores, "processor"), Bytes(r.Machine.Memory), Bits(r.Machine.Egress))

	verdict := "decides: " + r.Binds
	if !r.Fits {
		verdict = "NOT ENOUGH"
	}
	line("relays", "%s (%s); %s", thousands(r.Relays), r.byZone(), verdict)
	for _, lack := range r.Lack {
		line("", "lacking: %s", lack)
	}
	line("in all", "%s, %s, %s", some(r.Cores, "processor"), Bytes(r.Memory), Bits(r.Egress))
	line("in use", "%.1f processors, %s, %s, %s packets a second", r.Used.Processors, Bytes(r.Used.Memory), Bits(r.Used.Egress), thousands(int(math.Round(r.Used.Packets))))
	line("a relay", "%s listeners and as many who stand by, load %.0f %% of its %s; start it with --capacity %d", thousands(int(math.Round(r.PerRelay.Listeners))), r.PerRelay.Load, r.PerRelay.Of, r.PerRelay.Capacity)
	line("tree", "%s deep, a relay feeds up to %d, %s from zone to zone", some(r.Tree.Depth, "hop"), r.Tree.Degree, some(r.Tree.Crossings, "way"))
	r.writeArrival(line)
	r.writeLoss(line)

	b.WriteString("\nhow many listeners a relay bears\n")
	for _, l := range r.Limits {
		line(l.Name, "%s", l.Shown)
	}
	b.WriteString("\nhow many relays that makes\n")
	for _, n := range r.Needs {
		line(n.Name, "%s", n.Shown)
	}
	if r.ZoneLoss != nil {
		b.WriteString("\nif " + r.ZoneLoss.Zone + " dies\n")
		for _, s := range r.ZoneLoss.Shown {
			line("", "%s", s)
		}
	}
	b.WriteString("\n")
	for _, s := range r.Remarks {
		line("note", "%s", s)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// byZone says it once where zones are alike.
func (r *Result) byZone() string {
	first, last := r.Zones[0].Relays, r.Zones[len(r.Zones)-1].Relays
	switch {
	case len(r.Zones) == 1:
		return "in one zone"
	case first == last:
		return fmt.Sprintf("%s in each of %s", thousands(first), some(len(r.Zones), "zone"))
	}
	return fmt.Sprintf("%s or %s in each of %s", thousands(first), thousands(last), some(len(r.Zones), "zone"))
}

func (r *Result) writeArrival(line func(string, string, ...any)) {
	a := r.Arrival
	come := "all at once"
	if a.Rate > 0 {
		come = fmt.Sprintf("%s a second come", thousands(int(math.Round(a.Rate))))
	}
	if a.Waiting == 0 {
		line("arrival", "%s, nobody waits", come)
		return
	}
	if a.AllIn == Never {
		line("arrival", "%s, up to %s a second are let in; an hour after the last has come %s are still waiting", come, thousands(int(math.Round(a.Fastest))), thousands(a.LeftOut))
		return
	}
	line("arrival", "%s, up to %s a second are let in (%s at each relay); up to %s wait at once, %v on average, %v at the longest; all are in after %v",
		come, thousands(int(math.Round(a.Fastest))), thousands(int(math.Round(a.PerRelay))), thousands(a.Waiting), a.Mean, a.Longest, a.AllIn)
}

func (r *Result) writeLoss(line func(string, string, ...any)) {
	l := r.ZoneLoss
	if l == nil {
		line("zone loss", "there is only one: when it dies, nobody hears anything")
		return
	}
	var to []string
	for _, s := range l.To {
		to = append(to, fmt.Sprintf("%s to %s", thousands(s.Listeners), s.Zone))
	}
	state := fmt.Sprintf("load %.0f %% of %s", l.After, l.Of)
	if !l.Carried {
		state += fmt.Sprintf(", TOO MUCH: %s more relays are needed in the other zones (--zone-loss plans them)", thousands(l.Short))
	}
	line("zone loss", "%s listeners go elsewhere (%s); %s; they hear %s", thousands(l.Listeners), strings.Join(to, ", "), state, l.gap())
}
