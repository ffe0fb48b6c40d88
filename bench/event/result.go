package event

import (
	"fmt"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/relay/admission"
)

// A Result is what an event takes.
type Result struct {
	Event   Event   `json:"event"`
	Machine Machine `json:"machine"`

	// Fits says that the fleet does all that was asked: everybody is in in time, at
	// the planned load, and stays without any one relay, and without any one zone
	// if that was asked for. It is so unless the fleet was given.
	Fits bool     `json:"fits"`
	Lack []string `json:"lack,omitempty"` // what it lacks

	Relays int     `json:"relays"`
	Zones  []Share `json:"zones"`
	Binds  string  `json:"binds"` // the need that made the fleet so large

	// Cores, Memory and Egress are those of the whole fleet; Used is what the event
	// takes of them when all are in.
	Cores  int     `json:"cores"`
	Memory float64 `json:"memory_bytes"`
	Egress float64 `json:"egress_bits_per_s"`
	Used   Use     `json:"used"`

	PerRelay Relay   `json:"per_relay"`
	Limits   []Limit `json:"limits"`
	Needs    []Need  `json:"needs"`

	Tree     Tree    `json:"tree"`
	Arrival  Arrival `json:"arrival"`
	ZoneLoss *Loss   `json:"zone_loss,omitempty"` // nil with one zone

	Remarks   []string      `json:"remarks"`
	Constants []cost.Figure `json:"constants"`
}

// An Event is what was asked for.
type Event struct {
	Listeners int            `json:"listeners"`
	Arrive    Time           `json:"arrive_ms"`
	Zones     int            `json:"zones"`
	PacketMS  Time           `json:"packet_ms"`
	Transport cost.Transport `json:"transport"`
	Speakers  int            `json:"speakers"`
	Load      float64        `json:"load"`
	Patience  Time           `json:"patience_ms"`
	ZoneLoss  bool           `json:"zone_loss"`
	Given     int            `json:"given_relays,omitempty"`
}

// A Machine is what each relay has.
type Machine struct {
	Cores   int     `json:"cores"`
	Memory  float64 `json:"memory_bytes"`
	Egress  float64 `json:"egress_bits_per_s"`
	Packets float64 `json:"packets_per_s,omitempty"`

	Capacity int `json:"capacity,omitempty"` // sessions, if it was given
}

// A Use is what the whole fleet uses.
type Use struct {
	Processors float64 `json:"processors"`
	Memory     float64 `json:"memory_bytes"`
	Egress     float64 `json:"egress_bits_per_s"`
	Packets    float64 `json:"packets_per_s"`
}

// A Relay is one of the fleet when all are in.
type Relay struct {
	Listeners float64 `json:"listeners"`
	Sessions  float64 `json:"sessions"` // with those who stand by
	Load      float64 `json:"load"`     // percent
	Of        string  `json:"load_of"`
	Capacity  int     `json:"capacity"` // what to give `stentor relay --capacity`
}

// Make plans an event. It fails with [ErrOptions], or with [ErrTooBig] if no
// number of such machines carries it.
func Make(o Options) (*Result, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	limits := o.limits()
	r := &Result{
		Event:   Event{o.Listeners, Time(o.Arrive), o.Zones, Time(o.Packet), o.Transport, o.Speakers, o.Load, Time(o.Patience), o.ZoneLoss, o.Relays},
		Machine: Machine{o.Cores, o.Memory, o.Egress, o.Packets, o.Capacity},
		Limits:  limits,
	}
	var err error
	if r.Needs, err = o.needs(limits); err != nil && (o.Relays == 0 || r.Needs == nil) {
		return nil, err
	}
	most := binding(r.Needs)
	r.Binds, r.Relays = most.Name, most.Relays
	if o.Relays > 0 {
		r.Relays = o.Relays
	}
	return r, r.describe(o)
}

// describe fills in what follows from the number of relays.
func (r *Result) describe(o Options) error {
	for i := range o.Zones {
		n := inZone(r.Relays, o.Zones, i)
		r.Zones = append(r.Zones, Share{zoneName(i), n, share(o.Listeners, n, r.Relays)})
	}
	r.Cores, r.Memory, r.Egress = r.Relays*o.Cores, float64(r.Relays)*o.Memory, float64(r.Relays)*o.Egress
	r.perRelay(o)
	p, err := arrange(fleet(r.Relays, o.Zones), o.Degree)
	if err != nil {
		return fmt.Errorf("event: %w", err)
	}
	r.Tree = treeOf(p)
	r.Arrival = o.arrive(r.Relays)
	if o.Zones > 1 {
		if r.ZoneLoss, err = o.loseZone(r.Relays, r.Limits, p); err != nil {
			return err
		}
	}
	for _, n := range r.Needs {
		if n.Relays > r.Relays {
			r.Lack = append(r.Lack, fmt.Sprintf("%s: %s relays are needed, there are %s", n.Name, thousands(n.Relays), thousands(r.Relays)))
		}
	}
	r.Fits = len(r.Lack) == 0
	r.remark(o)
	r.Constants = o.Constants.Figures()
	return nil
}

func (r *Result) perRelay(o Options) {
	each := float64(o.Listeners) / float64(r.Relays)
	r.PerRelay = Relay{Listeners: each, Sessions: 2 * each}
	r.PerRelay.Load, r.PerRelay.Of = busiest(r.Limits, each)
	// Sessions are a part of a relay's load like others: it is to be none that is
	// short before the machine is.
	if r.PerRelay.Capacity = o.Capacity; o.Capacity == 0 {
		r.PerRelay.Capacity = max(1, 2*bearable(r.Limits, admission.Full))
	}
	for _, l := range r.Limits {
		v := float64(r.Relays) * (l.Fixed + each*l.Each)
		switch l.Name {
		case "cpu":
			r.Used.Processors = v / 1e6
		case "memory":
			r.Used.Memory = v
		case "egress":
			r.Used.Egress = v
		case "packets":
			r.Used.Packets = v
		}
	}
}

// unheardJoins are the joins a second and processor at which those who are in have
// been seen to notice nothing (docs/scale.md).
const unheardJoins = 50

// measuredCores are those of the machine of docs/benchmarks.md.
const measuredCores = 2

// remark says what the arithmetic does not.
func (r *Result) remark(o Options) {
	say := func(format string, args ...any) { r.Remarks = append(r.Remarks, fmt.Sprintf(format, args...)) }
	if n := bearable(r.Limits, placement.DefaultBound); placement.DefaultBound >= admission.ColdStandby && n > 0 && r.Relays > 1 {
		full := min(r.Relays, o.Listeners/n)
		say("listeners are placed at the first relay of the room's order that is below %d %%, so unless they come faster than doors open, about %s of %s relays are at %d %% and the others nearly empty; from %d %% on listeners have no warm standby",
			placement.DefaultBound, thousands(full), thousands(r.Relays), placement.DefaultBound, admission.ColdStandby)
	}
	if r.PerRelay.Load >= admission.LongPackets && o.Packet < admission.At(admission.LongPackets, 0).Packet {
		say("from %d %% on newcomers are offered packets of 120 ms, which cost less: the last of them are not counted as such", admission.LongPackets)
	}
	if !r.Fits {
		r.remarkLong(o, say)
	}
	if r.PerRelay.Load >= admission.ColdStandby {
		say("at %.0f %% clients are asked to do without a standby: a relay that dies is heard by its listeners", r.PerRelay.Load)
	}
	if a := r.Arrival; a.PerRelay > unheardJoins*float64(o.Cores) {
		say("up to %.0f newcomers a second and processor are let in; at %d nobody who was in noticed, at 120 they did (docs/scale.md): --join-rate holds the doors", a.PerRelay/float64(o.Cores), unheardJoins)
	}
	if o.Cores > measuredCores {
		say("the figures were measured with %d processors; that %d do as much more has not been", measuredCores, o.Cores)
	}
	say("the figures are of one machine (docs/benchmarks.md): measure yours with `stentor bench fanout` and `stentor bench storm`, and give their --json with --constants")
}

// remarkLong says what the longest packets would do for a fleet that is too small:
// relays offer them by themselves.
func (r *Result) remarkLong(o Options, say func(string, ...any)) {
	long := o
	if long.Packet = admission.At(admission.LongPackets, 0).Packet; long.Packet == o.Packet {
		return
	}
	load, of := busiest(long.limits(), r.PerRelay.Listeners)
	say("with packets of %v for everybody the load would be %.0f %% of %s: relays offer them to newcomers from %d %% on", long.Packet, load, of, admission.LongPackets)
}
