package bench

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes the result for people, a line a figure.
func (f *FanoutResult) WriteText(w io.Writer) error {
	var b strings.Builder
	f.head(&b, "fan-out")
	line(&b, "lost", "%d of %d Opus packets (%d datagrams came, %d twice)", f.Lost, f.Expected, f.Datagrams, f.Duplicates)
	if f.Disconnected > 0 {
		line(&b, "disconnected", "%d listeners", f.Disconnected)
	}
	if f.CPUPerDatagram != nil && f.CPUPerListenerSecond != nil {
		line(&b, "relay CPU", "%.1f µs a datagram, %.0f µs a listener-second, %.0f %% of it in the kernel",
			*f.CPUPerDatagram, *f.CPUPerListenerSecond, 100**f.KernelShare)
	}
	if p := f.BaselineResult; p != nil {
		line(&b, "baseline CPU", "%.1f µs a datagram, %.0f µs a listener-second, %.0f %% of it in the kernel",
			p.CPUPerDatagram, p.CPUPerListenerSecond, 100*p.KernelShare)
		if p.Ratio != nil {
			line(&b, "ratio", "%.2f", *p.Ratio)
		}
	}
	if f.RSSPerListener != nil {
		line(&b, "relay memory", "%.0f kB a listener", float64(*f.RSSPerListener)/1000)
	}
	if p := f.BaselineResult; p != nil {
		line(&b, "baseline memory", "%.0f kB a listener", float64(p.RSSPerListener)/1000)
	}
	line(&b, "latency", "%s", f.Latency)
	if p := f.BaselineResult; p != nil {
		line(&b, "baseline latency", "%s", p.Latency)
	}
	if z := f.Freeze; z != nil {
		line(&b, "frozen", "%d for %.1f s: the others lost %d, p99 %.2f ms instead of %.2f ms (%.2f ×); relay memory %+.1f MB; %s",
			z.Listeners, z.ForS, z.Lost, z.Latency, z.Otherwise, z.Ratio, float64(z.RSSGrowth)/1e6, z.afterwards())
	}
	line(&b, "late sends", "%s", f.LateSends)
	_, err := io.WriteString(w, b.String())
	return err
}

// afterwards says what became of those that were frozen.
func (z *FreezeResult) afterwards() string {
	if z.Present < 0 {
		return "whether they kept their sessions is unknown"
	}
	return fmt.Sprintf("sessions kept: %d", z.Present)
}

// WriteText writes the result for people, a line a figure.
func (l *LatencyResult) WriteText(w io.Writer) error {
	var b strings.Builder
	l.head(&b, "latency")
	line(&b, "the relay adds", "%s (%d datagrams compared)", l.Added, l.Compared)
	line(&b, "through the relay", "%s", l.Latency)
	line(&b, "direct", "%s", l.Direct)
	if l.Baseline != nil {
		line(&b, "a plain loop", "%s", *l.Baseline)
	}
	line(&b, "lost", "%d of %d Opus packets", l.Lost, l.Expected)
	line(&b, "late sends", "%s", l.LateSends)
	_, err := io.WriteString(w, b.String())
	return err
}

// head writes what was measured.
func (s Setting) head(b *strings.Builder, what string) {
	partial := ""
	if s.Partial {
		partial = ", PARTIAL: ended before its time"
	}
	fmt.Fprintf(b, "%s: %d listeners over %s, %d ms a datagram, %d bytes a packet, %.1f s%s\n",
		what, s.Listeners, s.Transport, s.PacketMs, s.Bytes, s.DurationS, partial)
	if w := s.busy(); w != "" {
		line(b, "warning", "%s", w)
	}
}

func line(b *strings.Builder, name, format string, args ...any) {
	fmt.Fprintf(b, "  %-18s %s\n", name, fmt.Sprintf(format, args...))
}

// String is the quantiles in milliseconds.
func (q Quantiles) String() string {
	return fmt.Sprintf("p50 %.2f ms, p99 %.2f ms, max %.2f ms", q.P50, q.P99, q.Max)
}
