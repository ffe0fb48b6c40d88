package admission

// A Lane is who comes.
type Lane uint8

const (
	// Public is for those who only listen.
	Public Lane = iota
	// Unknown is for sessions that have not said yet what they are.
	Unknown
	// Reserved is for those who may speak or host.
	Reserved
)

// slack is how many times its capacity of sessions a relay takes: newcomers are
// sent elsewhere from the capacity on, and what is above is for those who stand
// by, and for those whose relay has died.
const slack = 2

// Reserve is how many sessions are kept for those who may speak or host, above
// what listeners can take.
func Reserve(capacity int) int { return max(16, capacity/20) }

// Room reports whether a relay that is meant for so many listeners has room for
// one more session in a lane, besides those that are in. Listeners take up to
// twice the capacity, and never the reserve.
func Room(lane Lane, capacity, sessions int) bool {
	if lane == Public {
		return sessions < slack*capacity
	}
	return sessions < slack*capacity+Reserve(capacity)
}
