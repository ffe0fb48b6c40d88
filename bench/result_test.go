package bench

import (
	"math"
	"testing"
	"time"
)

func TestQuantiles(t *testing.T) {
	if q := quantilesOf(nil); q != (Quantiles{}) {
		t.Errorf("of nothing: %v", q)
	}
	times := make([]time.Duration, 200)
	for i := range times {
		times[len(times)-1-i] = time.Duration(i+1) * time.Millisecond // not in order
	}
	if q, want := quantilesOfTimes(times), (Quantiles{P50: 100, P99: 198, Max: 200}); q != want {
		t.Errorf("%v, want %v", q, want)
	}
}

func TestCPUModel(t *testing.T) {
	for cpuinfo, want := range map[string]string{
		"":                                     "",
		"processor\t: 0\nBogoMIPS\t: 50.00\n":  "",
		"processor\t: 0\nmodel name\t: A: B\n": "A: B",
		"model\t: 1\nmodel name : C":           "C",
	} {
		if got := cpuModel(cpuinfo); got != want {
			t.Errorf("%q: %q, want %q", cpuinfo, got, want)
		}
	}
}

func TestFinite(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if finite(v) != nil {
			t.Errorf("%v is a number", v)
		}
	}
	if p := finite(0); p == nil || *p != 0 {
		t.Error("0 is none")
	}
}

// A machine that was busy with the measurement itself is pointed out.
func TestBusy(t *testing.T) {
	for p99, want := range map[float64]bool{0: false, 19.9: false, 20.1: true} {
		if got := (Setting{LateSends: Quantiles{P99: p99}}).busy() != ""; got != want {
			t.Errorf("sends %v ms late: busy %v", p99, got)
		}
	}
}
