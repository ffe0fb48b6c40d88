package membership

import "time"

const (
	// updateInterval is the least time between two announcements of a relay's
	// load. Shorter, and a storm of joins becomes a storm of gossip; longer, and
	// newcomers are sent to relays that have filled up meanwhile.
	updateInterval = 2 * time.Second

	// urgentInterval is the least time between two announcements when the state
	// or the certificates changed. A drain is told at once; one that somebody
	// switches on and off in a loop is not.
	urgentInterval = 200 * time.Millisecond

	// updatesPerSecond is how many announcements a second all relays together
	// make at most. A relay passes on some 320 descriptions a second (see
	// tuning.go) and each of them 16 times, or 24 above 99 relays, the new ones
	// first. What is more than that would push out the repetitions that others
	// may need.
	updatesPerSecond = 20
)

// A pace says when a relay may next announce a change of itself, in a network
// of so many relays.
type pace struct {
	last time.Time // of the last announcement
}

// due returns the earliest time for the next announcement.
func (p pace) due(relays int, urgent bool) time.Time {
	if urgent {
		return p.last.Add(urgentInterval)
	}
	return p.last.Add(max(updateInterval, time.Duration(relays)*time.Second/updatesPerSecond))
}

// NextUpdate is when a relay that last announced itself at a time may do so again,
// in a network of so many relays: what a [Directory] keeps to. An urgent change is
// that of a state or a certificate.
func NextUpdate(last time.Time, relays int, urgent bool) time.Time {
	return pace{last}.due(relays, urgent)
}
