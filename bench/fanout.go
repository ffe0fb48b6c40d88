package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A FanoutResult is what [Fanout] found. Opus packets are counted over all
// listeners, whatever a datagram carries of them.
type FanoutResult struct {
	Setting

	Expected  uint64 `json:"expected"` // Opus packets
	Delivered uint64 `json:"delivered"`
	Lost      uint64 `json:"lost"`

	// What the relay used, medians over the slices. Absent if its process is not
	// known.
	CPUPerDatagram       *float64 `json:"relay_cpu_us_per_datagram,omitempty"`
	CPUPerListenerSecond *float64 `json:"relay_cpu_us_per_listener_second,omitempty"`
	KernelShare          *float64 `json:"relay_kernel_share,omitempty"`

	// RSSPerListener is how much more was resident at most in the measured time
	// than before the first listener joined, divided by the listeners.
	RSSPerListener *int64 `json:"relay_rss_bytes_per_listener,omitempty"`

	// Latency is from the moment the last Opus packet of a datagram left its
	// speaker to the moment a listener had it.
	Latency Quantiles `json:"latency_ms"`

	Packets      uint64 `json:"packets"`   // that the voice sent
	Datagrams    uint64 `json:"datagrams"` // that arrived
	Duplicates   uint64 `json:"duplicates"`
	Disconnected int    `json:"disconnected"` // listeners whose session ended
	VoiceDropped uint64 `json:"voice_dropped"`

	*BaselineResult
	Freeze *FreezeResult `json:"freeze,omitempty"`

	Slices         []Slice `json:"slices"`
	BaselineSlices []Slice `json:"baseline_slices,omitempty"`

	run *run
}

// A BaselineResult is what the plain loop used to do the same.
type BaselineResult struct {
	CPUPerDatagram       float64   `json:"baseline_cpu_us_per_datagram"`
	CPUPerListenerSecond float64   `json:"baseline_cpu_us_per_listener_second"`
	KernelShare          float64   `json:"baseline_kernel_share"`
	RSSPerListener       int64     `json:"baseline_rss_bytes_per_listener"`
	Lost                 uint64    `json:"baseline_lost"` // datagrams
	Latency              Quantiles `json:"baseline_latency_ms"`

	// Ratio is the relay's CPU time a datagram, divided by the loop's.
	Ratio *float64 `json:"ratio,omitempty"`
}

// A FreezeResult is what the others noticed of listeners that stopped reading.
type FreezeResult struct {
	Listeners int     `json:"listeners"`
	ForS      float64 `json:"for_s"` // how long they were stopped
	Lost      uint64  `json:"lost"`  // Opus packets that the others lost meanwhile
	Latency   float64 `json:"p99_ms"`
	Otherwise float64 `json:"p99_otherwise_ms"`
	Ratio     float64 `json:"ratio"` // of the two

	// Present is how many of the stopped ones still had a session a second after
	// they went on; -1 is unknown. RSSGrowth is what the relay's memory grew
	// while they were stopped.
	Present   int   `json:"present"`
	RSSGrowth int64 `json:"relay_rss_growth_bytes"`
}

// Fanout measures what listeners cost a relay, and what reaches them. If it is
// ended early by ctx, which is [ErrInterrupted], or by an error, it returns that
// and the result of what it measured until then, if it came to that.
func Fanout(ctx context.Context, o Options) (*FanoutResult, error) {
	o, err := o.withDefaults(600, time.Minute)
	if err != nil {
		return nil, err
	}
	if o.Relay != "" && o.PID == 0 {
		return nil, fmt.Errorf("%w: give the process id of that relay, too: a fan-out measures what it uses", ErrOptions)
	}
	r, err := measure(ctx, o, false)
	if r == nil {
		return nil, err
	}
	result := r.fanout(err)
	if err == nil {
		err = result.plausible()
	}
	return result, err
}

func (r *run) fanout(err error) *FanoutResult {
	c := r.relay.count()
	f := &FanoutResult{
		Setting:      r.setting(err),
		Expected:     c.expected,
		Delivered:    c.delivered,
		Lost:         c.lost,
		Latency:      quantilesOf(r.relay.grid.Delays(0, r.relay.grid.Groups())),
		Packets:      uint64(r.relay.grid.Groups() * r.relay.slots),
		Datagrams:    c.datagrams,
		Duplicates:   c.duplicates,
		Disconnected: r.o.Listeners - r.relay.crowd.Present(),
		VoiceDropped: r.voice.Dropped(),
		Slices:       r.relay.slices,
		run:          r,
	}
	cost := r.relay.cost()
	if r.relay.meter != nil {
		f.CPUPerDatagram = finite(cost.perDatagram)
		f.CPUPerListenerSecond = finite(cost.perListenerSecond)
		f.KernelShare = &cost.kernel
		f.RSSPerListener = &cost.perListener
	}
	if r.baseline != nil && len(r.baseline.slices) > 0 {
		f.BaselineResult = r.compare(cost)
		f.BaselineSlices = r.baseline.slices
	}
	if r.frozen != nil && r.frozen.stopped {
		f.Freeze = r.thawed()
	}
	return f
}

// compare puts the baseline beside the relay.
func (r *run) compare(relay cost) *BaselineResult {
	s := r.baseline
	cost := s.cost()
	groups := s.grid.Groups()
	b := &BaselineResult{
		CPUPerDatagram:       cost.perDatagram,
		CPUPerListenerSecond: cost.perListenerSecond,
		KernelShare:          cost.kernel,
		RSSPerListener:       cost.perListener,
		Lost:                 uint64(s.grid.Expected(0, groups)) - s.grid.Delivered(),
		Latency:              quantilesOf(s.grid.Delays(0, groups)),
	}
	if r.relay.meter != nil {
		b.Ratio = finite(relay.perDatagram / cost.perDatagram)
	}
	if finite(b.CPUPerDatagram) == nil {
		b.CPUPerDatagram = 0 // nothing arrived; Lost says so
	}
	return b
}

// thawed compares the time of the freeze with the rest.
func (r *run) thawed() *FreezeResult {
	grid, f := r.relay.grid, r.frozen
	from, _ := grid.Column(f.from)
	to, ok := grid.Column(f.to)
	if !ok {
		to = grid.Groups()
	}
	during := grid.Delays(from, to)
	otherwise := merge(grid.Delays(0, from), grid.Delays(to, grid.Groups()))
	out := &FreezeResult{
		Listeners: r.o.Freeze,
		ForS:      (time.Duration(to-from) * r.o.Packet).Seconds(),
		Lost:      uint64((grid.Expected(from, to) - len(during)) * r.relay.slots),
		Latency:   quantilesOf(during).P99,
		Otherwise: quantilesOf(otherwise).P99,
		Present:   f.present,
		RSSGrowth: f.growth,
	}
	if out.Otherwise > 0 {
		out.Ratio = out.Latency / out.Otherwise
	}
	return out
}

// errImplausible says that the figures are not those of the relay.
var errImplausible = errors.New("implausible")

// plausible finds a process id that is not the relay's: whoever sent so many
// packets has used some time for it.
func (f *FanoutResult) plausible() error {
	const least = 0.5 // µs; a system call alone takes as long
	if f.Relay != "" && f.CPUPerDatagram != nil && *f.CPUPerDatagram < least {
		return fmt.Errorf("%w: process %d used next to no CPU time while %d datagrams came: it is not the relay at %s",
			errImplausible, f.run.o.PID, f.Datagrams, f.Relay)
	}
	return nil
}
