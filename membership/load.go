package membership

import "math"

// LoadStep is how far apart the loads are that a relay announces, in percent.
const LoadStep = 5

// A Meter turns a load that is measured all the time into one that is announced
// seldom. It moves only when the measured load is a whole step away from the
// announced one, so a load that trembles by less than that around any value is
// announced once. The zero value has announced 0.
type Meter struct{ step uint8 }

// Report takes a measured load in percent and returns the load to announce, and
// whether that is another than before. Below 0 counts as 0, above 100 and what
// is no number as 100: a relay that does not know how busy it is takes nobody.
func (m *Meter) Report(percent float64) (step uint8, changed bool) {
	if math.IsNaN(percent) {
		percent = 100
	}
	percent = min(max(percent, 0), 100)
	if math.Abs(percent-float64(m.step)) < LoadStep {
		return m.step, false
	}
	m.step = uint8(math.Round(percent/LoadStep) * LoadStep)
	return m.step, true
}

// Turns are the loads at which newcomers are sent elsewhere, and at which there is
// no place for them any more (package placement, relay/admission).
const (
	busyTurn = 80
	fullTurn = 100
)

// Turned reports whether a load that is announced after another one changes where
// newcomers are sent. Such a change is told at once: in a network of 2,000 relays
// others wait for 100 s, and meanwhile an audience would fall upon the relays that
// were the first to have room. Each relay that fills up turns twice, so it is little
// to tell.
func Turned(before, after uint8) bool {
	return before < busyTurn != (after < busyTurn) || before < fullTurn != (after < fullTurn)
}
