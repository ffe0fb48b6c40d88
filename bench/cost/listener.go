package cost

import (
	"math"
	"time"
)

// A Transport is how a listener is connected.
type Transport string

// The transports that are told apart.
const (
	QUIC         Transport = "quic"
	WebTransport Transport = "webtransport"
)

// Packets are the lengths of packets that there are figures of.
var Packets = [3]time.Duration{20 * time.Millisecond, 60 * time.Millisecond, 120 * time.Millisecond}

// CPUPerDatagram is a relay's CPU time for each datagram to a listener. Packets
// of other lengths than those of [Packets] are a mistake in the program.
func (c Constants) CPUPerDatagram(t Transport, packet time.Duration) time.Duration {
	keys := [...]Key{QUIC20, QUIC60, QUIC120}
	if t == WebTransport {
		keys = [...]Key{WebTransport20, WebTransport60, WebTransport120}
	}
	return c.Time(keys[index(packet)])
}

// CPUPerListener is a relay's CPU time a second for a listener to one speaker.
func (c Constants) CPUPerListener(t Transport, packet time.Duration) time.Duration {
	return time.Duration(float64(c.CPUPerDatagram(t, packet)) * Rate(packet))
}

// CPUPerStandby is a relay's CPU time a second for a session that stands by,
// however it is connected.
func (c Constants) CPUPerStandby(Transport) time.Duration { return c.Time(StandbyCPU) }

// Memory is what is resident for a listener.
func (c Constants) Memory(t Transport) float64 {
	if t == WebTransport {
		return c.Value(MemoryWebTransport)
	}
	return c.Value(MemoryQUIC)
}

// Rate is how many packets of a length there are a second.
func Rate(packet time.Duration) float64 { return float64(time.Second) / float64(packet) }

func index(packet time.Duration) int {
	for i, p := range Packets {
		if p == packet {
			return i
		}
	}
	panic("cost: no figures for packets of " + packet.String())
}

// JoinRate is how many listeners a second a relay has CPU time for, if so much of
// its processors, 0 to 1, is used already.
func (c Constants) JoinRate(cores int, used float64) float64 {
	spare := math.Max(c.Value(JoinSpare)-used, 0)
	return spare * float64(cores) * 1000 / c.Value(JoinCPU)
}

// Overdue is how long after a packet the next one is missed on a line whose
// packets come up to late later than the earliest: docs/hops.md.
func (c Constants) Overdue(packet, late time.Duration) time.Duration {
	return packet + min(max(late*3/2, c.Time(MarginLeast)), c.Time(MarginMost))
}

// Silent is how long after the last packet or tick a line on which nobody speaks
// is taken for silent; it is left a tick later.
func (c Constants) Silent(late time.Duration) time.Duration {
	return c.Overdue(c.Time(Tick), late)
}

// Gossip is about how long a piece of news takes to reach each of so many relays:
// in each round whoever knows it tells it to some others.
func (c Constants) Gossip(relays int) time.Duration {
	if relays < 2 {
		return 0
	}
	rounds := math.Ceil(math.Log(float64(relays)) / math.Log(c.Value(GossipNodes)+1))
	// The last few are told by chance: one round more.
	return time.Duration((rounds + 1) * float64(c.Time(GossipInterval)))
}
