package bench

import (
	"errors"
	"math"
	"testing"
	"time"
)

func TestOptionsRefused(t *testing.T) {
	tests := map[string]Options{
		"fewer than no listeners":            {Listeners: -1},
		"more listeners than ports":          {Listeners: MaxListeners + 1},
		"more listeners than memory":         {Listeners: MaxListeners, Duration: time.Hour, Baseline: true},
		"packets of a length there is not":   {Packet: 40 * time.Millisecond},
		"too short":                          {Duration: time.Second - 1},
		"too long":                           {Duration: time.Hour + 1},
		"another transport":                  {Transport: "tcp"},
		"packets too short":                  {Bytes: 2},
		"packets too long for a datagram":    {Bytes: 1200},
		"packets too long for six of them":   {Bytes: 195, Packet: 120 * time.Millisecond},
		"a negative rate":                    {Rate: -1},
		"a rate too high":                    {Rate: 10_001},
		"fewer than none frozen":             {Freeze: -1},
		"more frozen than there are":         {Listeners: 3, Freeze: 4},
		"frozen for more than half the time": {Freeze: 1, Duration: 19 * time.Second},
		"frozen for no time":                 {Freeze: 1, FreezeFor: time.Millisecond},
		"a room that is no path":             {Room: "\xff"},
		"a process without a relay":          {PID: 1},
		"a token without a relay":            {Token: "x"},
		"a relay in the clear":               {Relay: "http://127.0.0.1:1", PID: 1},
		"a relay without a host":             {Relay: "https://:1", PID: 1},
		"a relay that is no URL":             {Relay: "https://\x7f", PID: 1},
		"a negative process":                 {Relay: "https://127.0.0.1:1", PID: -1},
		"a process that is not":              {Relay: "https://127.0.0.1:1", PID: math.MaxInt32},
		"a relay whose process is unknown":   {Relay: "https://127.0.0.1:1"},
		"a profile of another's relay":       {Relay: "https://127.0.0.1:1", PID: 1, Profile: "x"},
	}
	for name, o := range tests {
		o.Executable = "/nonexistent/stentor" // nothing may be started
		if _, err := Fanout(t.Context(), o); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Latency(t.Context(), Options{Freeze: 1, FreezeFor: time.Second}); !errors.Is(err, ErrOptions) {
		t.Errorf("frozen listeners: %v", err)
	}
}

func TestDefaults(t *testing.T) {
	o, err := Options{}.withDefaults(600, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if o.Listeners != 600 || o.Duration != time.Minute || o.Packet != 20*time.Millisecond || o.Bytes != 80 || o.Executable == "" {
		t.Errorf("%+v", o)
	}
	o.Progress("a step", 0, 1) // tells nobody
}

// The payload that the baseline sends is as long as the relay's, and as much as
// may be asked for fits.
func TestPayload(t *testing.T) {
	for packet := range tracks {
		o := Options{Packet: packet}
		o.Bytes = o.maxBytes()
		if got := o.payload(); got > 1200-24 {
			t.Errorf("%v: a payload of %d bytes", packet, got)
		}
		o.Bytes += 40
		if got := o.payload(); got <= 1200-24 {
			t.Errorf("%v: %d bytes are refused although a payload of %d fits", packet, o.Bytes, got)
		}
	}
}

func TestTurns(t *testing.T) {
	tests := []struct {
		name  string
		o     Options
		relay []int // packets of each of its turns
		pause int   // packets of each of the baseline's, before, between and after
	}{
		{"no baseline", Options{Duration: time.Minute}, []int{3000}, 0},
		{"a second is rounded up", Options{Duration: time.Second, Baseline: true}, []int{54}, 54},
		{"one slice", Options{Duration: 6 * time.Second, Baseline: true}, []int{300}, 150},
		{"slices of whole bundles", Options{Duration: 20 * time.Second, Baseline: true}, []int{330, 330, 342}, 150},
		{"a freeze is not cut", Options{Duration: 24 * time.Second, Baseline: true, Freeze: 1}, []int{1200}, 150},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var relay []int
			paused := 0
			for i, turn := range tt.o.turns() {
				if turn.packets%6 != 0 {
					t.Errorf("turn %d has %d packets: no whole bundles", i, turn.packets)
				}
				if turn.relay {
					relay = append(relay, turn.packets)
					continue
				}
				if paused++; turn.packets != tt.pause {
					t.Errorf("the baseline has %d packets, want %d", turn.packets, tt.pause)
				}
			}
			if len(relay) != len(tt.relay) || tt.o.Baseline && paused != len(relay)+1 || !tt.o.Baseline && paused != 0 {
				t.Fatalf("relay %v, want %v; %d turns of the baseline", relay, tt.relay, paused)
			}
			sum := 0
			for i := range relay {
				if sum += relay[i]; relay[i] != tt.relay[i] {
					t.Errorf("relay %v, want %v", relay, tt.relay)
				}
			}
			if sum != tt.o.packets() || tt.o.baselinePackets() != paused*tt.pause {
				t.Errorf("%d packets of %d; baseline %d", sum, tt.o.packets(), tt.o.baselinePackets())
			}
		})
	}
}
