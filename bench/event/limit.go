package event

import (
	"fmt"
	"math"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/relay/admission"
)

// A Limit is what a relay may run out of, and when.
type Limit struct {
	Name string `json:"name"` // cpu, memory, egress, packets or sessions

	// Has is what there is at a load of 100 %, Fixed what a relay needs without any
	// listener, and Each what a listener takes, its standby elsewhere included.
	Has   float64 `json:"has"`
	Fixed float64 `json:"fixed"`
	Each  float64 `json:"per_listener"`
	Unit  string  `json:"unit"`

	Listeners int    `json:"listeners_per_relay"` // at the planned load
	Relays    int    `json:"relays"`              // for all listeners, if this were the only limit
	Shown     string `json:"arithmetic"`
}

// memoryShare is how much of a machine's memory a relay may have: the rest is the
// system's, and the socket's buffers'.
const memoryShare = 0.85

// bears is how many listeners a relay has room for at a load in percent.
func (l Limit) bears(load float64) int {
	return int(max(0, math.Floor((l.Has*load/100-l.Fixed)/l.Each+1e-9)))
}

// load is how busy a relay with so many listeners is, in percent.
func (l Limit) load(listeners float64) float64 {
	return 100 * (l.Fixed + listeners*l.Each) / l.Has
}

// limits are all there are, for a relay of this event.
func (o Options) limits() []Limit {
	list := []Limit{o.cpu(), o.memory(), o.egress(), o.packets()}
	if o.Capacity > 0 {
		list = append(list, o.sessions())
	}
	for i := range list {
		l := &list[i]
		l.Listeners = l.bears(o.Load)
		l.Relays = relaysFor(o.Listeners, l.Listeners)
		l.Shown += fmt.Sprintf("; at %g %%: (%g %% × %s − %s) / %s = %s listeners", o.Load, o.Load, l.amount(l.Has), l.amount(l.Fixed), l.amount(l.Each), thousands(l.Listeners))
	}
	return list
}

// none stands for more relays than there can be.
const none = math.MaxInt32

func relaysFor(listeners, each int) int {
	if each <= 0 {
		return none
	}
	return (listeners + each - 1) / each
}

// cpu is in microseconds of processor time a second.
func (o Options) cpu() Limit {
	c := o.Constants
	full := fullCPU()
	listener := micros(c.CPUPerListener(o.Transport, o.Packet)) * float64(o.Speakers)
	standby := micros(c.CPUPerStandby(o.Transport))
	feeds := micros(c.CPUPerListener(cost.QUIC, cost.Packets[0])) * float64(o.Degree*o.Speakers)
	return Limit{
		Name: "cpu", Unit: "µs/s",
		Has: float64(o.Cores) * full * 1e6, Fixed: feeds, Each: listener + standby,
		Shown: fmt.Sprintf("%s × %g %% = %s µs a second; %d relays fed with 20 ms packets: %s µs; a listener: %.1f packets × %.1f µs × %d = %.1f µs, its standby: %.1f µs",
			some(o.Cores, "processor"), 100*full, thousands(int(float64(o.Cores)*full*1e6)), o.Degree, thousands(int(math.Round(feeds))),
			cost.Rate(o.Packet), micros(c.CPUPerDatagram(o.Transport, o.Packet)), o.Speakers, listener, standby),
	}
}

// fullCPU is the share of the processors that relays take for a load of 100 %.
func fullCPU() float64 {
	const use = 0.5
	return math.Round(1e6*use*100/admission.Measure(admission.Use{CPU: use}, admission.Limit{})[admission.CPU]) / 1e6
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// memory is in bytes.
func (o Options) memory() Limit {
	c := o.Constants
	each, standby, base := c.Memory(o.Transport), c.Value(cost.MemoryStandby), c.Value(cost.MemoryRelay)
	return Limit{
		Name: "memory", Unit: "B",
		Has: o.Memory * memoryShare, Fixed: base, Each: each + standby,
		Shown: fmt.Sprintf("%s × %g %% = %s; the relay: %s; a listener: %s, its standby: %s",
			Bytes(o.Memory), 100*memoryShare, Bytes(o.Memory*memoryShare), Bytes(base), Bytes(each), Bytes(standby)),
	}
}

// egress is in bits a second, as they fill the line.
func (o Options) egress() Limit {
	c := o.Constants
	size := c.DatagramBytes(o.Transport, o.Packet)
	listener := 8 * c.LinePerListener(o.Transport, o.Packet) * float64(o.Speakers)
	// A standby's packets are short; taken as those of 20 ms.
	standby := 8 * c.LinePerListener(o.Transport, cost.Packets[0]) / cost.Rate(cost.Packets[0]) * c.Value(cost.StandbyPackets)
	feeds := 8 * c.LinePerListener(cost.QUIC, cost.Packets[0]) * float64(o.Degree*o.Speakers)
	return Limit{
		Name: "egress", Unit: "bit/s",
		Has: o.Egress, Fixed: feeds, Each: listener + standby,
		Shown: fmt.Sprintf("%s; %d relays fed: %s; a listener: %.1f packets × (%d bytes and the frame of Ethernet) × %d = %s, its standby: %s",
			Bits(o.Egress), o.Degree, Bits(feeds), cost.Rate(o.Packet), size, o.Speakers, Bits(listener), Bits(standby)),
	}
}

// packets are sent a second: the machine's, or what one thread gets through the
// socket.
func (o Options) packets() Limit {
	c := o.Constants
	each := c.Value(cost.SerialSend)
	has, why := math.Round(1e6/each), fmt.Sprintf("one thread sends for all, %.2f µs each: %s a second", each, thousands(int(math.Round(1e6/each))))
	if o.Packets > 0 && o.Packets < has {
		has, why = o.Packets, fmt.Sprintf("the machine lets out %s a second", thousands(int(o.Packets)))
	}
	listener, standby := cost.Rate(o.Packet)*float64(o.Speakers), c.Value(cost.StandbyPackets)
	feeds := cost.Rate(cost.Packets[0]) * float64(o.Degree*o.Speakers)
	return Limit{
		Name: "packets", Unit: "/s",
		Has: has, Fixed: feeds, Each: listener + standby,
		Shown: fmt.Sprintf("%s; %d relays fed: %.0f; a listener: %.1f × %d, its standby: %g",
			why, o.Degree, feeds, cost.Rate(o.Packet), o.Speakers, standby),
	}
}

// sessions are those that the relay is told to be meant for.
func (o Options) sessions() Limit {
	return Limit{
		Name: "sessions", Has: float64(o.Capacity), Each: 2,
		Shown: fmt.Sprintf("--capacity %d; a listener and its standby: 2", o.Capacity),
	}
}

// amount writes a figure of the limit with its unit.
func (l Limit) amount(v float64) string {
	switch l.Unit {
	case "B":
		return Bytes(v)
	case "bit/s":
		return Bits(v)
	case "µs/s":
		return thousands(int(math.Round(v))) + " µs"
	}
	if v < 100 {
		return short(v)
	}
	return thousands(int(math.Round(v)))
}

// busiest is the highest load of a relay with so many listeners, in percent, and
// of what.
func busiest(limits []Limit, listeners float64) (percent float64, of string) {
	for _, l := range limits {
		if v := l.load(listeners); v > percent {
			percent, of = v, l.Name
		}
	}
	return percent, of
}

// bearable is how many listeners a relay bears at a load, whatever is tightest.
func bearable(limits []Limit, load float64) int {
	n := none
	for _, l := range limits {
		n = min(n, l.bears(load))
	}
	return n
}
