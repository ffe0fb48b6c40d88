package sim

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"
	"time"
)

// TestTry runs a scenario by hand: SIM=NAME go test -run TestTry -v.
func TestTry(t *testing.T) {
	name := os.Getenv("SIM")
	if name == "" {
		t.Skip()
	}
	s, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := strconv.Atoi(os.Getenv("N"))
	r, _ := strconv.Atoi(os.Getenv("R"))
	began := time.Now()
	res, err := Run(t.Context(), Options{Scenario: s, Listeners: n, Relays: r, Progress: func(s string, a, b int) {
		if a%20 == 0 {
			t.Log(a, time.Since(began).Round(time.Millisecond))
		}
	}})
	t.Log(err, time.Since(began))
	if res == nil {
		return
	}
	b, _ := json.Marshal(res.Series)
	os.WriteFile("/tmp/sim_series.json", b, 0o644)
	res.Series, res.Before, res.After, res.Constants = Series{}, Tree{}, Tree{}, nil
	for i := range res.Hops {
		res.Hops[i].Bins = nil
	}
	for i := range res.Gaps {
		res.Gaps[i].Bins = nil
	}
	b, _ = json.MarshalIndent(res, "", " ")
	t.Log(string(b))
}
