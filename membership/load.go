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

const (
	// BusyAt is the load from which on newcomers are sent to relays that are less
	// busy. It lies well below the one from which on a relay asks its listeners to do
	// without a warm standby (relay/admission): when relays die, those who stood by
	// for them take what they had, and still have to be below that. So a room is on
	// more relays than it needs, which costs little.
	BusyAt = 50
	// FullAt is the load from which on there is no place for listeners.
	FullAt = 100
)

// Turned reports whether a load that is announced after another one changes where
// newcomers are sent. Such a change is told at once: in a network of 2,000 relays
// others wait for 100 s, and meanwhile an audience would fall upon the relays that
// were the first to have room. Each relay that fills up turns twice, so it is little
// to tell.
func Turned(before, after uint8) bool {
	return before < BusyAt != (after < BusyAt) || before < FullAt != (after < FullAt)
}
