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
