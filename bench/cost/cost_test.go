package cost

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Every figure is within its own bounds, says where it is from, and has a unit.
func TestDefaults(t *testing.T) {
	seen := make(map[Key]bool)
	for _, f := range (Constants{}).Figures() {
		if seen[f.Key] {
			t.Errorf("%s twice", f.Key)
		}
		seen[f.Key] = true
		if f.Value < f.Low || f.Value > f.High || f.Low < 0 || f.Low >= f.High {
			t.Errorf("%s is %v, bounds %v to %v", f.Key, f.Value, f.Low, f.High)
		}
		if f.Unit == "" || f.Source == "" {
			t.Errorf("%s: unit %q, source %q", f.Key, f.Unit, f.Source)
		}
		if strings.Contains(string(f.Key), "_ms") && f.Unit == "ms" != (strings.HasSuffix(string(f.Key), "_ms") || f.Key == JoinCPU || f.Key == JoinClientCPU) {
			t.Errorf("%s is in %s", f.Key, f.Unit)
		}
	}
}

func TestWith(t *testing.T) {
	tests := []struct {
		name  string
		key   Key
		value float64
		want  error
	}{
		{"as it was", QUIC60, 35.2, nil},
		{"another machine", QUIC60, 7, nil},
		{"unknown", "cpu_per_listener", 1, ErrUnknown},
		{"negative", QUIC60, -1, ErrAbsurd},
		{"nothing", QUIC60, 0, ErrAbsurd},
		{"nanoseconds for microseconds", QUIC60, 35200, ErrAbsurd},
		{"no number", QUIC60, math.NaN(), ErrAbsurd},
		{"without end", Hop99, math.Inf(1), ErrAbsurd},
		{"a share above all", JoinSpare, 1.5, ErrAbsurd},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before Constants
			c, err := before.With(tt.key, tt.value, "a test")
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if err != nil {
				return
			}
			if f := c.Figure(tt.key); f.Value != tt.value || f.Source != "a test" {
				t.Errorf("%+v", f)
			}
			if before.Value(tt.key) != 35.2 {
				t.Error("the constants before have changed")
			}
		})
	}
}

func TestWithKeepsTheOthers(t *testing.T) {
	c, err := Constants{}.With(QUIC20, 5, "a")
	if err == nil {
		c, err = c.With(QUIC60, 6, "b")
	}
	if err == nil {
		c, err = c.WithLink("ams", "par", 11*time.Millisecond)
	}
	if err == nil {
		c, err = c.With(QUIC120, 7, "c")
	}
	if err != nil {
		t.Fatal(err)
	}
	if c.Value(QUIC20) != 5 || c.Value(QUIC60) != 6 || c.Value(QUIC120) != 7 || c.RTT("par", "ams") != 11*time.Millisecond {
		t.Errorf("%v", c.Figures())
	}
}

func TestRTT(t *testing.T) {
	var c Constants
	c, err := c.WithLink("par", "ams", 11*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = c.WithLink("tok", "tok", 3*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		a, b string
		want time.Duration
	}{
		{"par", "ams", 11 * time.Millisecond},
		{"ams", "par", 11 * time.Millisecond},
		{"par", "tok", 40 * time.Millisecond},
		{"par", "par", time.Millisecond},
		{"tok", "tok", 3 * time.Millisecond},
		{"", "", time.Millisecond},
	} {
		if got := c.RTT(tt.a, tt.b); got != tt.want {
			t.Errorf("%q %q: %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
	for _, bad := range []time.Duration{-1, time.Minute} {
		if _, err := c.WithLink("a", "b", bad); !errors.Is(err, ErrAbsurd) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestListener(t *testing.T) {
	var c Constants
	ms := time.Millisecond
	for _, tt := range []struct {
		packet time.Duration
		cpu    time.Duration // a second
		size   int
	}{
		// What a packet is made of: 40 IP, 8 UDP, 7 short header, 1 type, 16 tag; 1
		// subscribe id, 4 sequence (180,000; 60,000; 30,000), 8 timestamp, and
		//
		//	20 ms   8 timestamp, 80 Opus         101, 2 to say so   175
		//	60 ms   3 times 2 and 80             259, 2             333
		//	120 ms  6 times 2 and 80             505, 2             579
		{20 * ms, 1150 * time.Microsecond, 175},
		{60 * ms, 586666 * time.Nanosecond, 333},
		{120 * ms, 360833 * time.Nanosecond, 579},
	} {
		if got := c.CPUPerListener(QUIC, tt.packet); got != tt.cpu {
			t.Errorf("%v: %v a second, want %v", tt.packet, got, tt.cpu)
		}
		if got := c.DatagramBytes(QUIC, tt.packet); got != tt.size {
			t.Errorf("%v: %d bytes, want %d", tt.packet, got, tt.size)
		}
		if got := c.DatagramBytes(WebTransport, tt.packet); got != tt.size+1 {
			t.Errorf("%v: %d bytes of WebTransport, want %d", tt.packet, got, tt.size+1)
		}
	}
	if got := c.EgressPerListener(QUIC, 20*ms); got != 50*175 {
		t.Errorf("%v bytes a second", got)
	}
	if got := c.LinePerListener(QUIC, 20*ms); got != 50*213 {
		t.Errorf("%v bytes of the line a second", got)
	}
	if got := c.CPUPerStandby(QUIC); got != 88*time.Microsecond {
		t.Errorf("standby: %v a second", got)
	}
	if c.Memory(QUIC) != 103e3 || c.Memory(WebTransport) != 164e3 {
		t.Errorf("memory %v, %v", c.Memory(QUIC), c.Memory(WebTransport))
	}
}

// Small packets, and a length of one byte.
func TestDatagramOfSmallPackets(t *testing.T) {
	c, err := Constants{}.With(OpusBytes, 10, "a test")
	if err != nil {
		t.Fatal(err)
	}
	// 72 around, 13 in front, 8 timestamp and 10 Opus, and 1 to say 31.
	if got := c.DatagramBytes(QUIC, 20*time.Millisecond); got != 104 {
		t.Errorf("%d bytes", got)
	}
}

func TestJoinRate(t *testing.T) {
	c, err := Constants{}.With(JoinCPU, 2, "a test")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		cores int
		used  float64
		want  float64
	}{{1, 0, 350}, {8, 0, 2800}, {8, 0.35, 1400}, {8, 0.70, 0}, {8, 0.9, 0}} {
		if got := c.JoinRate(tt.cores, tt.used); math.Abs(got-tt.want) > 1e-6 {
			t.Errorf("%d cores, %v used: %v, want %v", tt.cores, tt.used, got, tt.want)
		}
	}
}

// The table of docs/hops.md.
func TestOverdue(t *testing.T) {
	var c Constants
	ms := time.Millisecond
	for _, tt := range []struct{ packet, late, want time.Duration }{
		{60 * ms, 0, 90 * ms},
		{60 * ms, 20 * ms, 90 * ms},
		{60 * ms, 40 * ms, 120 * ms},
		{60 * ms, time.Second, 180 * ms},
		{120 * ms, 0, 150 * ms},
	} {
		if got := c.Overdue(tt.packet, tt.late); got != tt.want {
			t.Errorf("%v, %v late: %v, want %v", tt.packet, tt.late, got, tt.want)
		}
	}
	if got := c.Silent(0); got != 230*ms {
		t.Errorf("a line is silent after %v", got)
	}
}

func TestGossip(t *testing.T) {
	var c Constants
	ms := time.Millisecond
	// In a round each of those who know tells eight others: 1, 9, 81, 729, 6561.
	for relays, want := range map[int]time.Duration{0: 0, 1: 0, 2: 200 * ms, 9: 200 * ms, 81: 300 * ms, 200: 400 * ms, 2000: 500 * ms} {
		if got := c.Gossip(relays); got != want {
			t.Errorf("%d relays: %v, want %v", relays, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 5000).Draw(t, "relays")
		if c.Gossip(n+1) < c.Gossip(n) {
			t.Fatalf("%d relays hear later than %d", n, n+1)
		}
	})
}

func TestMistakesOfTheProgram(t *testing.T) {
	for name, f := range map[string]func(){
		"a key that is none":    func() { Constants{}.Value("nonsense") },
		"a time that is none":   func() { Constants{}.Time(MemoryQUIC) },
		"packets of any length": func() { Constants{}.CPUPerDatagram(QUIC, 40*time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("goes unnoticed")
				}
			}()
			f()
		})
	}
}
