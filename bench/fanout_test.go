package bench

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/bench/process"
)

// small is a measurement that is over soon.
func small(t *testing.T) Options {
	return Options{Listeners: 5, Duration: time.Second, Executable: executable(t)}
}

// keys of the contract that every result of a kind has in its JSON.
var (
	fanoutKeys = []string{"listeners", "packet_ms", "transport", "duration_s", "expected", "delivered", "lost",
		"relay_cpu_us_per_datagram", "relay_cpu_us_per_listener_second", "relay_rss_bytes_per_listener", "latency_ms"}
	latencyKeys = []string{"listeners", "packet_ms", "transport", "duration_s", "expected", "delivered", "lost",
		"latency_ms", "direct_ms", "added_ms"}
)

func checkJSON(t *testing.T, result any, keys []string) {
	t.Helper()
	b, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(b, &object); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if _, ok := object[key]; !ok {
			t.Errorf("the JSON lacks %q: %s", key, b)
		}
	}
}

// checkForms writes the result for people and as a page.
func checkForms(t *testing.T, text, html func(*strings.Builder) error, want ...string) {
	t.Helper()
	var b strings.Builder
	if err := text(&b); err != nil {
		t.Fatal(err)
	}
	for _, w := range want {
		if !strings.Contains(b.String(), w) {
			t.Errorf("the text lacks %q:\n%s", w, b.String())
		}
	}
	b.Reset()
	if err := html(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "<svg") || strings.Contains(b.String(), "NaN") {
		t.Errorf("the page has no plots, or no numbers in them")
	}
}

func TestFanout(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Options)
		groups uint64 // to each listener
	}{
		{"single packets over QUIC, with the baseline", func(o *Options) { o.Baseline = true }, 54},
		{"bundles over WebTransport", func(o *Options) {
			o.Packet, o.Transport = 60*time.Millisecond, crowd.WebTransport
		}, 18},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := small(t)
			tt.change(&o)
			var steps []string
			o.Progress = func(step string, _, _ int) {
				if !slices.Contains(steps, step) {
					steps = append(steps, step)
				}
			}
			f, err := Fanout(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			// 1 s is rounded up to nine times 120 ms.
			if f.Expected != 5*54 || f.Delivered+f.Lost != f.Expected || f.Datagrams > 5*tt.groups || f.DurationS != 1.08 {
				t.Errorf("expected %d, delivered %d, lost %d, datagrams %d, %v s", f.Expected, f.Delivered, f.Lost, f.Datagrams, f.DurationS)
			}
			if f.Delivered == 0 || f.Disconnected != 0 || f.Latency.Max <= 0 || f.Latency.P50 > f.Latency.P99 || f.Latency.P99 > f.Latency.Max {
				t.Errorf("delivered %d, disconnected %d, latency %v", f.Delivered, f.Disconnected, f.Latency)
			}
			if *f.CPUPerDatagram <= 0 || *f.CPUPerListenerSecond <= 0 {
				t.Errorf("CPU %v, %v", *f.CPUPerDatagram, *f.CPUPerListenerSecond)
			}
			if (f.BaselineResult != nil) != o.Baseline || o.Baseline && (f.Ratio == nil || *f.Ratio <= 0) {
				t.Errorf("baseline %+v", f.BaselineResult)
			}
			if !slices.Contains(steps, "measuring") || !slices.Contains(steps, "listeners joining") {
				t.Errorf("progress %q", steps)
			}
			checkJSON(t, f, fanoutKeys)
			checkForms(t, func(b *strings.Builder) error { return f.WriteText(b) },
				func(b *strings.Builder) error { return f.WriteHTML(b) }, "fan-out: 5 listeners", "lost", "latency")
		})
	}
}

func TestLatency(t *testing.T) {
	l, err := Latency(t.Context(), small(t))
	if err != nil {
		t.Fatal(err)
	}
	if l.Expected != 5*54 || l.Compared == 0 || l.Latency.Max <= 0 || l.Direct.Max <= 0 {
		t.Errorf("expected %d, compared %d, latency %v, direct %v", l.Expected, l.Compared, l.Latency, l.Direct)
	}
	if !slices.IsSorted(l.added) || len(l.added) != l.Compared {
		t.Errorf("%d compared, of %d; sorted: %v", l.Compared, len(l.added), slices.IsSorted(l.added))
	}
	checkJSON(t, l, latencyKeys)
	checkForms(t, func(b *strings.Builder) error { return l.WriteText(b) },
		func(b *strings.Builder) error { return l.WriteHTML(b) }, "latency: 5 listeners", "the relay adds")
}

// A relay that runs already is measured by its URL and process, with a profile
// of one of our own.
func TestFanoutOfARunningRelay(t *testing.T) {
	o := small(t)
	relay, err := startRelay(t.Context(), Options{Executable: o.Executable, Listeners: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer relay.close()
	o.Relay, o.PID = relay.url.String(), relay.child.PID()
	f, err := Fanout(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if f.Relay != o.Relay || f.Delivered == 0 {
		t.Errorf("%+v", f)
	}
	// It outlives the measurement.
	select {
	case <-relay.died():
		t.Error(relay.child.Err())
	default:
	}
	// The wrong process uses no time for it.
	idle, err := process.Start(t.Context(), process.Options{Path: o.Executable, Args: []string{"bench", "bare-server", "--packet", "20ms", "--bytes", "1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = idle.Stop() }()
	o.PID = idle.PID()
	if _, err := Fanout(t.Context(), o); !errors.Is(err, errImplausible) {
		t.Errorf("with another process's id: %v", err)
	}
}

func TestProfile(t *testing.T) {
	o := small(t)
	o.Profile = filepath.Join(t.TempDir(), "relay.pprof")
	if _, err := Fanout(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(o.Profile)
	if err != nil || len(b) < 2 || b[0] != 0x1f || b[1] != 0x8b {
		t.Errorf("no gzip: %d bytes, %v", len(b), err)
	}
}

func TestFreeze(t *testing.T) {
	o := small(t)
	o.Duration, o.Freeze, o.FreezeFor = 3*time.Second, 1, time.Second
	f, err := Fanout(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	z := f.Freeze
	if z == nil || z.Listeners != 1 || z.ForS <= 0 || z.Ratio <= 0 || z.Present < -1 || z.Present > 1 {
		t.Fatalf("%+v", z)
	}
	checkForms(t, func(b *strings.Builder) error { return f.WriteText(b) },
		func(b *strings.Builder) error { return f.WriteHTML(b) }, "frozen", "the others lost")
}

// A relay that dies ends the measurement with the reason; so does the caller.
func TestEndsEarly(t *testing.T) {
	o := small(t)
	o.Duration = time.Minute
	relay, err := startRelay(t.Context(), Options{Executable: o.Executable, Listeners: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer relay.close()

	t.Run("the caller", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o := o
		o.Progress = func(step string, done, _ int) {
			if step == "measuring" && done >= 1 {
				cancel()
			}
		}
		f, err := Fanout(ctx, o)
		if !errors.Is(err, ErrInterrupted) || f == nil || !f.Partial || f.Delivered == 0 {
			t.Fatalf("%+v, %v", f, err)
		}
		checkForms(t, func(b *strings.Builder) error { return f.WriteText(b) },
			func(b *strings.Builder) error { return f.WriteHTML(b) }, "PARTIAL")
	})
	t.Run("the caller, before anything was measured", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o := o
		o.Progress = func(step string, _, _ int) {
			if step == "listeners joining" {
				cancel()
			}
		}
		if f, err := Fanout(ctx, o); !errors.Is(err, ErrInterrupted) || f != nil {
			t.Fatalf("%+v, %v", f, err)
		}
	})
	t.Run("the relay", func(t *testing.T) {
		o := o
		o.Relay, o.PID = relay.url.String(), relay.child.PID()
		o.Progress = func(step string, done, _ int) {
			if step == "measuring" && done >= 1 {
				_ = relay.child.Signal(syscall.SIGKILL)
			}
		}
		if _, err := Fanout(t.Context(), o); !errors.Is(err, process.ErrNoProcess) {
			t.Fatal(err)
		}
	})
}
