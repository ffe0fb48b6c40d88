package bench

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/stentor-audio/stentor/bench/tally"
)

// Quantiles of times in milliseconds. P99 is what one in a hundred exceeds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// quantilesOf makes Quantiles of microseconds in ascending order.
func quantilesOf(sorted []int64) Quantiles {
	ms := func(q float64) float64 { return float64(tally.Quantile(sorted, q)) / 1000 }
	return Quantiles{P50: ms(0.5), P99: ms(0.99), Max: ms(1)}
}

func quantilesOfTimes(times []time.Duration) Quantiles {
	micros := make([]int64, len(times))
	for i, t := range times {
		micros[i] = t.Microseconds()
	}
	slices.Sort(micros)
	return quantilesOf(micros)
}

// Setting is what was measured, and where.
type Setting struct {
	Listeners int     `json:"listeners"`
	PacketMs  int     `json:"packet_ms"`
	Transport string  `json:"transport"`
	DurationS float64 `json:"duration_s"` // of audio that was measured at the relay
	Bytes     int     `json:"bytes"`      // of each 20 ms Opus packet
	Relay     string  `json:"relay,omitempty"`
	Machine   Machine `json:"machine"`

	// LateSends is how far behind its time each Opus packet left: how busy the
	// machine was with the measurement itself, or with something else.
	LateSends Quantiles `json:"late_sends_ms"`

	// Partial says that the measurement was ended before its time, or by an
	// error, and that the figures are of what there was until then.
	Partial bool `json:"partial,omitempty"`
}

// Machine is what the figures hold for.
type Machine struct {
	CPUs   int    `json:"cpus"`
	Model  string `json:"model,omitempty"`
	Kernel string `json:"kernel,omitempty"`
	Go     string `json:"go"`
}

// setting takes down what r measured.
func (r *run) setting(err error) Setting {
	s := Setting{
		Listeners: r.o.Listeners,
		PacketMs:  int(r.o.Packet / time.Millisecond),
		Transport: r.o.Transport,
		Bytes:     r.o.Bytes,
		Relay:     r.o.Relay,
		Machine:   thisMachine(),
		LateSends: quantilesOfTimes(r.relay.late),
		Partial:   err != nil,
	}
	for _, slice := range r.relay.slices {
		s.DurationS += slice.DurationS
	}
	return s
}

// busy warns of figures that say more about the machine than about the relay;
// empty where it kept up. A voice that is a whole packet late was not let run.
func (s Setting) busy() string {
	const late = 20 // ms
	if s.LateSends.P99 <= late {
		return ""
	}
	return fmt.Sprintf("This machine could not keep up: one packet in a hundred left %.0f ms late or more. "+
		"Losses and delays are its own, too.", s.LateSends.P99)
}

func thisMachine() Machine {
	m := Machine{CPUs: runtime.NumCPU(), Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(b))
	}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.Model = cpuModel(string(b))
	}
	return m
}

// cpuModel finds the processor's name in /proc/cpuinfo; some architectures have
// none there.
func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// finite is v, or nothing where v is no number that JSON could carry.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
