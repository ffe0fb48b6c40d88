package main

import (
	"os"
	"path/filepath"
	"testing"
)

// What cannot be rehearsed is wrong usage; a promise that is broken is a failure.
func TestBenchSimStatus(t *testing.T) {
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const tiny = "name: tiny\nduration: 10s\nnetwork: {zones: [{name: a, relays: 2}], capacity: 100}\narrivals: [{listeners: 20, from: 0s, over: 1s}]\n"
	good := file("good.yaml", tiny+"expect: {unserved: 0}\n")
	broken := file("broken.yaml", tiny+"happenings: [{at: 5s, do: kill, zone: a}]\nexpect: {unserved: 0}\n")
	short := file("short.yaml", tiny+"network: {}\n")
	page := filepath.Join(t.TempDir(), "page.html")
	for _, tt := range []struct {
		name string
		args []string
		want int
	}{
		{"no scenario", nil, exitUsage},
		{"no such scenario", []string{"--scenario", "no-such"}, exitUsage},
		{"a key twice", []string{"--scenario", short}, exitUsage},
		{"no listeners", []string{"--scenario", good, "--listeners", "0"}, exitUsage},
		{"too many relays", []string{"--scenario", good, "--relays", "100000"}, exitUsage},
		{"no seed", []string{"--scenario", good, "--seed", "0"}, exitUsage},
		{"no such constants", []string{"--scenario", good, "--constants", "/no/such.json"}, exitUsage},
		{"absurd constants", []string{"--scenario", good, "--constants", file("c.json", `{"cpu_ms_per_join": -1}`)}, exitUsage},
		{"unknown constants", []string{"--scenario", good, "--constants", file("c.json", `{"colour": 1}`)}, exitUsage},
		{"an argument", []string{"--scenario", good, "now"}, exitUsage},
		{"a promise that is broken", []string{"--scenario", broken, "--json"}, exitFailed},
		{"promises that are kept", []string{"--scenario", good, "--json", "--report", page}, exitDone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout := os.Stdout
			null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			os.Stdout = null
			defer func() { os.Stdout = stdout; _ = null.Close() }()
			if got := run(append([]string{"stentor", "bench", "sim"}, tt.args...)); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
		})
	}
	if info, err := os.Stat(page); err != nil || info.Size() < 1000 {
		t.Errorf("the page: %v, %v", info, err)
	}
}
