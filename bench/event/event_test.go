package event

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/bench/cost"
	"github.com/stentor-audio/stentor/relay/plan"
)

// round are constants that one can reckon with in one's head: a listener to 60 ms
// packets costs 500 µs a second, a join 2 ms, a standby nothing but its memory.
func round(t fataler) cost.Constants {
	t.Helper()
	var c cost.Constants
	for k, v := range map[cost.Key]float64{
		cost.QUIC20: 20, cost.QUIC60: 30, cost.QUIC120: 36, cost.SerialSend: 10, cost.StandbyPackets: 0, cost.StandbyCPU: 0,
		cost.MemoryQUIC: 100e3, cost.MemoryStandby: 100e3, cost.MemoryRelay: 50e6,
		cost.JoinCPU: 2, cost.JoinSpare: 0.7,
	} {
		var err error
		if c, err = c.With(k, v, "a test"); err != nil {
			t.Fatalf("%v", err)
		}
	}
	return c
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// small is an event on machines of one processor, 1 GB and 100 Mbit/s.
func small(t fataler) Options {
	t.Helper()
	return Options{
		Listeners: 1000, Arrive: time.Minute, Zones: 2, Cores: 1, Memory: 1e9, Egress: 100e6,
		Transport: cost.QUIC, Load: 50, Constants: round(t),
	}
}

func TestLimits(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Options)
		want   map[string]int // listeners a relay
	}{
		// cpu: 850,000 µs × 50 % − 16 × 50 × 20 µs = 409,000, over 500
		// memory: 850 MB × 50 % − 50 MB = 375 MB, over 200 kB
		// egress: a datagram is 333 bytes and 38 of the frame, 16.67 times 8 × 371 =
		// 49,467 bit/s; feeds 16 × 50 × 8 × 213 = 1,363,200; 48,636,800 over that
		// packets: 100,000 × 50 % − 800 = 49,200, over 16.67
		{"as it is", func(*Options) {}, map[string]int{"cpu": 818, "memory": 1875, "egress": 983, "packets": 2952}},
		{"four processors", func(o *Options) { o.Cores = 4 }, map[string]int{"cpu": 3368, "memory": 1875, "egress": 983, "packets": 2952}},
		{"two speak", func(o *Options) { o.Speakers = 2 }, map[string]int{"cpu": 393, "memory": 1875, "egress": 477, "packets": 1452}},
		// 8.33 × 36 µs = 300 µs; 8.33 × 8 × (579 + 38) = 41,133 bit/s
		{"long packets", func(o *Options) { o.Packet = 120 * time.Millisecond }, map[string]int{"cpu": 1363, "memory": 1875, "egress": 1182, "packets": 5904}},
		{"a cloud that lets out 10,000 packets", func(o *Options) { o.Packets = 10000 }, map[string]int{"packets": 252}},
		{"and a million", func(o *Options) { o.Packets = 1e6 }, map[string]int{"packets": 2952}},
		{"meant for 1,000 sessions", func(o *Options) { o.Capacity = 1000 }, map[string]int{"cpu": 818, "sessions": 250}},
		{"full", func(o *Options) { o.Load = 95 }, map[string]int{"cpu": 1583}},
		{"nothing left", func(o *Options) { o.Load = 1 }, map[string]int{"cpu": 0, "memory": 0, "egress": 0, "packets": 12}},
		{"few are fed", func(o *Options) { o.Degree = 6 }, map[string]int{"cpu": 838}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := small(t)
			tt.change(&o)
			for _, l := range o.withDefaults().limits() {
				want, ok := tt.want[l.Name]
				if ok && l.Listeners != want {
					t.Errorf("%s: %d listeners, want %d: %s", l.Name, l.Listeners, want, l.Shown)
				}
				if l.Listeners > 0 && (l.load(float64(l.Listeners)) > o.Load+1e-6 || l.load(float64(l.Listeners+1)) <= o.Load) {
					t.Errorf("%s: %d listeners are a load of %v", l.Name, l.Listeners, l.load(float64(l.Listeners)))
				}
			}
		})
	}
}

func TestWebTransport(t *testing.T) {
	o := small(t)
	o.Transport = ""
	var err error
	if o.Constants, err = o.Constants.With(cost.WebTransport60, 60, "a test"); err != nil {
		t.Fatal(err)
	}
	if l := o.withDefaults().cpu(); l.Each != 1000 || l.Fixed != 16000 {
		t.Errorf("%+v: listeners come over WebTransport, relays do not", l)
	}
}

func TestMake(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Options)
		relays int
		binds  string
		zones  []int
	}{
		// 818 a relay.
		{"a thousand", func(*Options) {}, 2, "cpu", []int{1, 1}},
		{"ten thousand", func(o *Options) { o.Listeners = 10000 }, 13, "cpu", []int{7, 6}},
		// 1,583 at 95 %: 7 relays are left of 14, of which 7 are in the largest.
		{"and a zone to spare", func(o *Options) { o.Listeners, o.ZoneLoss = 10000, true }, 14, "one zone less", []int{7, 7}},
		// Three zones: 7 are left of 11, if 4 are in the largest; 10 would leave 6.
		{"of three", func(o *Options) { o.Listeners, o.ZoneLoss, o.Zones = 10000, true, 3 }, 13, "cpu", []int{5, 4, 4}},
		// 1,667 at 100 %; at the planned load 95 % 1,583: one relay less needs 7 + 1.
		{"a busy fleet", func(o *Options) { o.Listeners, o.Load = 10000, 95 }, 8, "one relay less", []int{4, 4}},
		{"a few", func(o *Options) { o.Listeners = 5 }, 2, "one relay less", []int{1, 1}},
		{"a few, in many zones", func(o *Options) { o.Listeners, o.Zones = 5, 5 }, 5, "no single relay", []int{1, 1, 1, 1, 1}},
		{"a fleet that was given", func(o *Options) { o.Listeners, o.Relays, o.Zones = 10000, 20, 3 }, 20, "cpu", []int{7, 7, 6}},
		{"a small capacity", func(o *Options) { o.Listeners, o.Capacity = 10000, 400 }, 100, "sessions", []int{50, 50}},
		{"little memory", func(o *Options) { o.Listeners, o.Memory = 10000, 300e6 }, 26, "memory", []int{13, 13}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := small(t)
			tt.change(&o)
			r, err := Make(o)
			if err != nil {
				t.Fatal(err)
			}
			if r.Relays != tt.relays || r.Binds != tt.binds || !r.Fits || len(r.Lack) > 0 {
				t.Errorf("%d relays because of %s, want %d because of %s; %v %+v", r.Relays, r.Binds, tt.relays, tt.binds, r.Lack, r.Needs)
			}
			for i, z := range r.Zones {
				if z.Relays != tt.zones[i] {
					t.Errorf("%s has %d relays, want %d", z.Zone, z.Relays, tt.zones[i])
				}
			}
			if r.Cores != r.Relays*o.Cores || r.Memory != float64(r.Relays)*o.Memory || r.Egress != float64(r.Relays)*o.Egress {
				t.Errorf("%d cores, %v bytes, %v bit/s", r.Cores, r.Memory, r.Egress)
			}
		})
	}
}

// What all relays use is what the listeners and the relays themselves do.
func TestUsed(t *testing.T) {
	o := small(t)
	o.Listeners = 10000
	r, err := Make(o)
	if err != nil {
		t.Fatal(err)
	}
	// 13 relays: 10,000 × 500 µs + 13 × 16,000 µs, 10,000 × 200 kB + 13 × 50 MB.
	if math.Abs(r.Used.Processors-5.208) > 1e-6 || math.Abs(r.Used.Memory-2.65e9) > 1 {
		t.Errorf("%+v", r.Used)
	}
	if math.Abs(r.Used.Packets-(10000.0*50/3+13*800)) > 1e-6 {
		t.Errorf("%v packets a second", r.Used.Packets)
	}
	if r.PerRelay.Of != "cpu" || math.Abs(r.PerRelay.Load-100*(10000.0/13*500+16000)/850000) > 1e-6 {
		t.Errorf("%+v", r.PerRelay)
	}
	o.Capacity = 2000
	if c, err := Make(o); err != nil || c.PerRelay.Capacity != 2000 {
		t.Errorf("capacity that was given: %+v, %v", c, err)
	}
	// (850,000 − 16,000) / 500 listeners at 100 %, and as many who stand by.
	if r.PerRelay.Capacity != 2*1668 {
		t.Errorf("capacity %d", r.PerRelay.Capacity)
	}
}

func TestNotEnough(t *testing.T) {
	o := small(t)
	o.Listeners, o.Relays, o.ZoneLoss = 10000, 8, true
	r, err := Make(o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Fits || r.Relays != 8 {
		t.Errorf("8 relays are said to do: %+v", r.Needs)
	}
	lack := strings.Join(r.Lack, "; ")
	for _, want := range []string{"cpu: 13 relays are needed, there are 8", "one zone less: 14"} {
		if !strings.Contains(lack, want) {
			t.Errorf("%q lacks %q", lack, want)
		}
	}
	if l := r.ZoneLoss; l.Carried || l.Short != 3 {
		t.Errorf("4 are left where 7 are needed: %+v", l)
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Options)
		want   error
		says   string
	}{
		{"nobody", func(o *Options) { o.Listeners = 0 }, ErrOptions, "listeners 0: want 1 to"},
		{"fewer", func(o *Options) { o.Listeners = -1 }, ErrOptions, "listeners"},
		{"more than there are", func(o *Options) { o.Listeners = 1e9 }, ErrOptions, "listeners"},
		{"zones", func(o *Options) { o.Zones = 65 }, ErrOptions, "zones 65: want 1 to 64"},
		{"no processor", func(o *Options) { o.Cores = 0 }, ErrOptions, "cores 0"},
		{"no memory", func(o *Options) { o.Memory = 0 }, ErrOptions, "16GiB"},
		{"memory of no number", func(o *Options) { o.Memory = math.NaN() }, ErrOptions, "16GiB"},
		{"no line", func(o *Options) { o.Egress = 0 }, ErrOptions, "10Gbps"},
		{"a negative line", func(o *Options) { o.Egress = -1 }, ErrOptions, "10Gbps"},
		{"packets of no number", func(o *Options) { o.Packets = math.NaN() }, ErrOptions, "packets"},
		{"a time before", func(o *Options) { o.Arrive = -1 }, ErrOptions, "arrive"},
		{"a month", func(o *Options) { o.Arrive = 31 * 24 * time.Hour }, ErrOptions, "arrive"},
		{"no patience at all", func(o *Options) { o.Patience = -1 }, ErrOptions, "patience"},
		{"packets of 40 ms", func(o *Options) { o.Packet = 40 * time.Millisecond }, ErrOptions, "20ms, 60ms or 120ms"},
		{"another transport", func(o *Options) { o.Transport = "tcp" }, ErrOptions, "webtransport"},
		{"a crowd of speakers", func(o *Options) { o.Speakers = 17 }, ErrOptions, "speakers"},
		{"overload", func(o *Options) { o.Load = 101 }, ErrOptions, "load 101: want 1 to 95"},
		{"a load of no number", func(o *Options) { o.Load = math.NaN() }, ErrOptions, "load"},
		{"the only zone", func(o *Options) { o.Zones, o.ZoneLoss = 1, true }, ErrOptions, "--zones 2"},
		{"empty zones", func(o *Options) { o.Zones, o.Relays = 5, 4 }, ErrOptions, "at least one in each"},
		{"a fleet beyond a room", func(o *Options) { o.Relays = plan.MaxRelays + 1 }, ErrOptions, "relays"},
		{"a capacity below nothing", func(o *Options) { o.Capacity = -1 }, ErrOptions, "capacity"},
		{"a degree that is no tree", func(o *Options) { o.Degree = 5 }, ErrOptions, "degree"},
		{"more than relays can be", func(o *Options) { o.Listeners = 10_000_000 }, ErrTooBig, "a room may be on 4,096"},
		{"machines too small for the relay alone", func(o *Options) { o.Load = 1 }, ErrTooBig, "larger machines"},
		{"more than can get in", func(o *Options) { o.Listeners, o.Arrive, o.Patience = 2_500_000, 0, time.Second }, ErrTooBig, "wait longer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := small(t)
			tt.change(&o)
			r, err := Make(o)
			if !errors.Is(err, tt.want) || r != nil {
				t.Fatalf("%v, want %v; result %v", err, tt.want, r != nil)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q does not say %q", err, tt.says)
			}
		})
	}
}
