package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/bench/process"
	"github.com/stentor-audio/stentor/bench/tally"
	"github.com/stentor-audio/stentor/bench/voice"
	"github.com/stentor-audio/stentor/protocol"
)

// A side is one of those that are compared: the relay, the baseline, the direct
// way. It has listeners of its own and is silent while the other is measured.
type side struct {
	slots   int            // Opus packets' worth of time in a group
	bundles bool           // groups are bundles of them
	meter   *process.Meter // nil: what it uses is unknown
	grid    *tally.Grid
	crowd   *crowd.Crowd

	// say sends so many groups at their times, fewer if ctx ends, and returns the
	// sequence of the group to come and how late each went out, where that is
	// known. The context's end is no error.
	say func(ctx context.Context, groups int) (next uint64, late []time.Duration, err error)

	// fail ends the measurement.
	fail func(error)

	holes  atomic.Uint64 // Opus packets missing in bundles that came
	before process.Usage // before the listeners joined
	next   uint64        // group to come

	// Filled by measure.
	slices []Slice
	late   []time.Duration
}

// A Slice is an uninterrupted piece of the measured time of one side.
type Slice struct {
	// StartS is when it began, in seconds after the first slice of any side.
	StartS float64 `json:"start_s"`

	// Groups is how many were sent to each listener, DurationS how much audio
	// that is.
	Groups    int     `json:"groups"`
	DurationS float64 `json:"duration_s"`

	// CPUMs is the CPU time that went into it, until the last acknowledgement.
	CPUMs float64 `json:"cpu_ms"`

	// KernelMs is what of it the kernel used, to a tick of 10 ms.
	KernelMs float64 `json:"kernel_ms"`

	// RSSBytes is the resident memory at its end.
	RSSBytes int64 `json:"rss_bytes"`

	// Samples are taken every second.
	Samples []Sample `json:"samples,omitempty"`
}

// A Sample is what a process used in the time since the sample before.
type Sample struct {
	AtS        float64 `json:"at_s"` // as StartS
	CPUPercent float64 `json:"cpu_percent"`
	RSSBytes   int64   `json:"rss_bytes"`
}

const (
	// drain is how long after its last packet a slice ends: the last
	// acknowledgements come within 25 ms (RFC 9000 §13.2.1), the rest is for a
	// machine that is busy with other things.
	drain = 200 * time.Millisecond
	// sampleEvery is how often a slice looks at its process.
	sampleEvery = time.Second
)

// talk sends so many groups.
func (s *side) talk(ctx context.Context, groups int) (late []time.Duration, err error) {
	s.next, late, err = s.say(ctx, groups)
	return late, err
}

// measure lets the side talk for so many Opus packets and notes what that took.
// Groups count from the first call on.
func (s *side) measure(ctx context.Context, began time.Time, packets int) error {
	if len(s.slices) == 0 {
		s.grid.Begin(s.next)
	}
	start, first := time.Now(), s.next
	slice := Slice{StartS: start.Sub(began).Seconds()}
	before, err := s.read()
	if err != nil {
		return err
	}
	sampling, stop := context.WithCancel(ctx)
	var sampler sync.WaitGroup
	sampler.Go(func() { slice.Samples = s.sample(sampling, began, start, before) })
	late, err := s.talk(ctx, packets/s.slots)
	time.Sleep(drain)
	stop()
	sampler.Wait()
	s.grid.End(s.next)
	if err != nil {
		return err
	}
	after, err := s.read()
	if err != nil {
		return err
	}
	s.late = append(s.late, late...)
	if slice.Groups = int(s.next - first); slice.Groups == 0 {
		return nil
	}
	used := after.Sub(before)
	slice.DurationS = (time.Duration(slice.Groups*s.slots) * voice.Every).Seconds()
	slice.CPUMs = milliseconds(used.CPU)
	slice.KernelMs = milliseconds(used.System)
	slice.RSSBytes = after.RSS
	s.slices = append(s.slices, slice)
	return nil
}

// read is what the process has used, nothing where that is unknown.
func (s *side) read() (process.Usage, error) {
	if s.meter == nil {
		return process.Usage{}, nil
	}
	return s.meter.Read()
}

// sample looks at the process every second until ctx ends.
func (s *side) sample(ctx context.Context, began, start time.Time, before process.Usage) (samples []Sample) {
	if s.meter == nil {
		return nil
	}
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	last := start
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return samples
		}
		u, err := s.meter.Read()
		if err != nil {
			s.fail(err)
			return samples
		}
		now := time.Now()
		samples = append(samples, Sample{
			AtS:        now.Sub(began).Seconds(),
			CPUPercent: 100 * (u.CPU - before.CPU).Seconds() / now.Sub(last).Seconds(),
			RSSBytes:   u.RSS,
		})
		before, last = u, now
	}
}

// arrived returns what takes the side's datagrams. sent says when the last Opus
// packet of a group left its speaker.
func (s *side) arrived(sent func(d protocol.Datagram) time.Time) func(int, protocol.Datagram, time.Time) {
	return func(listener int, d protocol.Datagram, at time.Time) {
		first := s.grid.Record(listener, d.Sequence, at.Sub(sent(d)))
		if first && s.bundles {
			s.holes.Add(holes(d.Payload, s.slots))
		}
	}
}

// holes counts the packets that a bundle does not have.
func holes(payload []byte, slots int) (n uint64) {
	packets, err := protocol.ParseBundle(payload, slots)
	if err != nil {
		return uint64(slots)
	}
	for _, p := range packets {
		if p == nil {
			n++
		}
	}
	return n
}

// A count is what became of a side's Opus packets and groups.
type count struct {
	expected, delivered, lost uint64 // Opus packets, over all listeners
	datagrams, duplicates     uint64
}

// count takes stock. The crowd must have been closed.
func (s *side) count() count {
	groups := s.grid.Groups()
	c := count{
		expected:   uint64(s.grid.Expected(0, groups) * s.slots),
		datagrams:  s.grid.Delivered(),
		duplicates: s.grid.Duplicates(),
	}
	c.delivered = c.datagrams*uint64(s.slots) - s.holes.Load()
	c.lost = c.expected - c.delivered
	return c
}

// cost is what the side's process used, as medians over the slices, which leave
// out those in which the machine was busy with something else.
type cost struct {
	perDatagram       float64 // µs, of those that arrived
	perListenerSecond float64 // µs
	kernel            float64 // share of the time, 0 to 1
	perListener       int64   // bytes resident
}

func (s *side) cost() cost {
	var datagram, second []float64
	var cpu, kernel float64
	most := s.before.RSS
	listeners := float64(s.grid.Listeners())
	column := 0
	for _, slice := range s.slices {
		if n := s.grid.Filled(column, column+slice.Groups); n > 0 {
			datagram = append(datagram, 1000*slice.CPUMs/float64(n))
		}
		column += slice.Groups
		second = append(second, 1000*slice.CPUMs/(slice.DurationS*listeners))
		cpu, kernel = cpu+slice.CPUMs, kernel+slice.KernelMs
		most = max(most, slice.RSSBytes)
		for _, sample := range slice.Samples {
			most = max(most, sample.RSSBytes)
		}
	}
	c := cost{
		perDatagram:       tally.Median(datagram),
		perListenerSecond: tally.Median(second),
		perListener:       (most - s.before.RSS) / int64(s.grid.Listeners()),
	}
	if cpu > 0 {
		c.kernel = min(kernel/cpu, 1)
	}
	return c
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
