package event

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay/admission"
	"github.com/stentor-audio/stentor/relay/plan"
)

// ErrOptions says that what is asked for is no event, or no machine.
var ErrOptions = errors.New("event")

// ErrTooBig says that no number of such machines carries the event.
var ErrTooBig = errors.New("too big")

// Options are an event and the machines for it.
type Options struct {
	// Listeners are how many come, 1 to 100 million, and Arrive the time in which
	// they do, evenly. Zero: all at once.
	Listeners int
	Arrive    time.Duration

	// Zones are how many data centres there are, 1 to 64. Listeners are taken to
	// be spread over them evenly. Zero means 1.
	Zones int

	// What a relay's machine has. Cores are processors, Memory bytes, Egress bits
	// a second of an Ethernet line. None has a default.
	Cores  int
	Memory float64
	Egress float64

	// Packets are the UDP packets a second that the machine's network lets out;
	// clouds limit them. Zero: no limit but the relay's own.
	Packets float64

	// Capacity is the relays' --capacity, in sessions: each listener has two, one of
	// them elsewhere. Zero: as much as the machine bears.
	Capacity int

	// Packet is how much audio a datagram carries, one of [cost.Packets]. Zero
	// means 60 ms.
	Packet time.Duration

	// Transport is how listeners come. Empty means WebTransport: browsers.
	Transport cost.Transport

	// Speakers are how many speak at the same time, 1 to 16. Zero means 1.
	Speakers int

	// Load is how busy a relay is to be when all are in, in percent. Zero means a
	// step below that from which listeners are asked to do without a standby.
	Load float64

	// Patience is how long the last may have to wait. Zero means 30 s.
	Patience time.Duration

	// Relays is a fleet to look at. Zero: find out how many are needed.
	Relays int

	// ZoneLoss sizes the fleet so that it carries everybody without any one zone.
	ZoneLoss bool

	// Degree is how many relays one feeds. Zero means [plan.DefaultDegree].
	Degree int

	Constants cost.Constants
}

// Bounds of what can be asked for.
const (
	maxListeners = 100_000_000
	maxZones     = 64
	maxSpeakers  = 16
	maxTime      = 24 * time.Hour
)

// DefaultLoad is a step below the load from which standbys are cold: then every
// listener has a relay to go to that it is connected with.
const DefaultLoad = admission.ColdStandby - membership.LoadStep

func (o Options) withDefaults() Options {
	o.Zones = cmp.Or(o.Zones, 1)
	o.Packet = cmp.Or(o.Packet, 60*time.Millisecond)
	o.Transport = cmp.Or(o.Transport, cost.WebTransport)
	o.Speakers = cmp.Or(o.Speakers, 1)
	o.Load = cmp.Or(o.Load, DefaultLoad)
	o.Patience = cmp.Or(o.Patience, 30*time.Second)
	o.Degree = cmp.Or(o.Degree, plan.DefaultDegree)
	return o
}

// check says what is wrong, and what is allowed.
func (o Options) check() error {
	for _, n := range []struct {
		name             string
		value, low, high float64
	}{
		{"listeners", float64(o.Listeners), 1, maxListeners},
		{"zones", float64(o.Zones), 1, maxZones},
		{"cores", float64(o.Cores), 1, 1024},
		{"speakers", float64(o.Speakers), 1, maxSpeakers},
		{"load", o.Load, 1, admission.Shed},
		{"relays", float64(o.Relays), 0, plan.MaxRelays},
		{"degree", float64(o.Degree), plan.MinDegree, plan.MaxDegree},
		{"packets", o.Packets, 0, 1e12},
		{"capacity", float64(o.Capacity), 0, 1e9},
	} {
		if math.IsNaN(n.value) || n.value < n.low || n.value > n.high {
			return fmt.Errorf("%w: %s %v: want %v to %v", ErrOptions, n.name, n.value, n.low, n.high)
		}
	}
	switch {
	case o.Arrive < 0 || o.Arrive > maxTime:
		return fmt.Errorf("%w: arrive %v: want 0 to %v", ErrOptions, o.Arrive, maxTime)
	case o.Patience < 0 || o.Patience > maxTime:
		return fmt.Errorf("%w: patience %v: want up to %v", ErrOptions, o.Patience, maxTime)
	case !(o.Memory >= 128<<20 && o.Memory <= 1<<50):
		return fmt.Errorf("%w: memory of %.0f bytes: want 128 MiB to 1 PiB, as in 16GiB", ErrOptions, o.Memory)
	case !(o.Egress >= 1e6 && o.Egress <= 1e13):
		return fmt.Errorf("%w: egress of %.0f bit/s: want 1 Mbps to 10 Tbps, as in 10Gbps", ErrOptions, o.Egress)
	case o.Packet != cost.Packets[0] && o.Packet != cost.Packets[1] && o.Packet != cost.Packets[2]:
		return fmt.Errorf("%w: packet %v: want 20ms, 60ms or 120ms", ErrOptions, o.Packet)
	case o.Transport != cost.QUIC && o.Transport != cost.WebTransport:
		return fmt.Errorf("%w: transport %q: want quic or webtransport", ErrOptions, o.Transport)
	case o.ZoneLoss && o.Zones < 2:
		return fmt.Errorf("%w: who loses the only zone has nowhere to go: give --zones 2 or more", ErrOptions)
	case o.Relays > 0 && o.Relays < o.Zones:
		return fmt.Errorf("%w: %d relays in %d zones: want at least one in each", ErrOptions, o.Relays, o.Zones)
	}
	return nil
}
