package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"
)

// Stats are what the contract says about the file of `listen --stats`. Further
// members may be there.
type stats struct {
	Room       *string      `json:"room"`
	DurationMS *int64       `json:"duration_ms"`
	Relay      *string      `json:"relay"`
	Standby    *string      `json:"standby"`
	Tracks     []trackStats `json:"tracks"`
	Hops       []struct {
		From  string `json:"from"`
		To    string `json:"to"`
		Cause string `json:"cause"`
	} `json:"hops"`
	LatencyMS *struct {
		P50 *float64 `json:"p50"`
		P99 *float64 `json:"p99"`
		Max *float64 `json:"max"`
	} `json:"latency_ms"`
}

type trackStats struct {
	Speaker   *string `json:"speaker"`
	First     *uint64 `json:"first"`
	Last      *uint64 `json:"last"`
	Expected  *uint64 `json:"expected"`
	Played    *uint64 `json:"played"`
	Lost      *uint64 `json:"lost"`
	Concealed *uint64 `json:"concealed"`
	Repaired  *uint64 `json:"repaired"`
	Duplicate *uint64 `json:"duplicate"`
	Late      *uint64 `json:"late"`
}

// readStats reads a stats file and fails the test if it is not one, whole, at
// this moment. It returns false while there is no file yet.
func readStats(t testing.TB, path string) (stats, bool) {
	t.Helper()
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return stats{}, false
	}
	if err != nil {
		t.Fatal(err)
	}
	var s stats
	if err := json.Unmarshal(bytes.TrimSpace(b), &s); err != nil {
		t.Fatalf("%s: %v: %q", path, err, b)
	}
	if s.Room == nil || s.DurationMS == nil || s.Relay == nil || s.Standby == nil || s.Tracks == nil || s.Hops == nil {
		t.Fatalf("a member is missing in %s", b)
	}
	for _, tr := range s.Tracks {
		if tr.Speaker == nil || tr.First == nil || tr.Last == nil || tr.Expected == nil || tr.Played == nil || tr.Lost == nil ||
			tr.Concealed == nil || tr.Repaired == nil || tr.Duplicate == nil || tr.Late == nil {
			t.Fatalf("a member of a track is missing in %s", b)
		}
	}
	if l := s.LatencyMS; l != nil && (l.P50 == nil || l.P99 == nil || l.Max == nil) {
		t.Fatalf("a member of the latency is missing in %s", b)
	}
	return s, true
}

// follow reads a stats file until until says that it has what it wants.
func follow(t *testing.T, path, what string, until func(stats) bool) stats {
	t.Helper()
	var s stats
	if !holds(func() bool {
		var ok bool
		s, ok = readStats(t, path)
		return ok && until(s)
	}) {
		b, _ := os.ReadFile(path)
		t.Fatalf("still not so: %s; %s", what, b)
	}
	return s
}

// flawless returns the only track of s, whose every frame was played.
func (s stats) flawless(t *testing.T, speaker string) trackStats {
	t.Helper()
	if len(s.Tracks) != 1 {
		t.Fatalf("%d tracks, want one", len(s.Tracks))
	}
	tr := s.Tracks[0]
	if *tr.Speaker != speaker || *tr.Lost != 0 || *tr.Concealed != 0 || *tr.Late != 0 || *tr.Played != *tr.Expected ||
		*tr.Expected != *tr.Last-*tr.First+1 || *tr.Played == 0 {
		t.Errorf("%q: frames %d to %d, %d expected, %d played, %d lost, %d concealed, %d late",
			*tr.Speaker, *tr.First, *tr.Last, *tr.Expected, *tr.Played, *tr.Lost, *tr.Concealed, *tr.Late)
	}
	return tr
}
