package event

import (
	"fmt"

	"github.com/stentor-audio/stentor/relay/admission"
	"github.com/stentor-audio/stentor/relay/plan"
)

// A Need is one reason for so many relays.
type Need struct {
	Name   string `json:"name"`
	Relays int    `json:"relays"`
	Shown  string `json:"arithmetic"`
}

// needs are all reasons; the fleet is as large as the largest.
func (o Options) needs(limits []Limit) ([]Need, error) {
	var needs []Need
	add := func(name string, relays int, shown string, args ...any) {
		needs = append(needs, Need{name, relays, fmt.Sprintf(shown, args...)})
	}
	for _, l := range limits {
		if l.Listeners == 0 {
			return nil, fmt.Errorf("%w: a relay needs %s of %s for itself, and has %s at %g %%: take larger machines", ErrTooBig, l.amount(l.Fixed), l.Name, l.amount(l.Has), o.Load)
		}
		add(l.Name, l.Relays, "%s / %s listeners = %s", thousands(o.Listeners), thousands(l.Listeners), thousands(l.Relays))
	}
	most := bearable(limits, admission.Shed)
	left := relaysFor(o.Listeners, most)
	add("one relay less", left+1, "without any one, at most %d %%: %s / %s + 1 = %s", admission.Shed, thousands(o.Listeners), thousands(most), thousands(left+1))
	if o.ZoneLoss {
		n := withoutZone(left, o.Zones)
		add("one zone less", n, "without the largest zone, at most %d %%: %s / %s = %s in %s, so %s in all",
			admission.Shed, thousands(o.Listeners), thousands(most), some(left, "relay"), some(o.Zones-1, "zone"), thousands(n))
	}
	least := max(2, o.Zones)
	add("no single relay", least, "at least two, and one a zone: %d", least)

	needed := 0
	for _, n := range needs {
		needed = max(needed, n.Relays)
	}
	if needed > plan.MaxRelays {
		return needs, fmt.Errorf("%w: %s relays are needed, and a room may be on %s: take larger machines or longer packets", ErrTooBig, thousands(needed), thousands(plan.MaxRelays))
	}
	joins, err := o.forArrival(needed)
	if err != nil {
		return needs, err
	}
	add("joins", joins, "the last waits no longer than %v: %s", Time(o.Patience), thousands(joins))
	return needs, nil
}

// withoutZone is the least number of relays of which so many are left without the
// largest of the zones.
func withoutZone(left, zones int) int {
	n := left
	for n-inZone(n, zones, 0) < left {
		n++
	}
	return n
}

// forArrival is the least number of relays that let everybody in fast enough; it
// says from on rather than look at fewer.
func (o Options) forArrival(from int) (int, error) {
	enough := func(relays int) bool {
		a := o.arrive(relays)
		return a.AllIn != Never && a.Longest <= Time(o.Patience)
	}
	low, high := 1, from
	for !enough(high) {
		if high == plan.MaxRelays {
			return 0, fmt.Errorf("%w: not even %s relays let %s listeners in fast enough: let people wait longer than %v, or more cores open the doors",
				ErrTooBig, thousands(plan.MaxRelays), thousands(o.Listeners), Time(o.Patience))
		}
		low, high = high+1, min(2*high, plan.MaxRelays)
	}
	for low < high {
		if mid := (low + high) / 2; enough(mid) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return high, nil
}

// binding is the need for the most relays, the first of those that are alike.
func binding(needs []Need) Need {
	most := needs[0]
	for _, n := range needs {
		if n.Relays > most.Relays {
			most = n
		}
	}
	return most
}
