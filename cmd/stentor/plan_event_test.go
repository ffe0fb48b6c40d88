package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// planEvent runs `stentor plan-event` and returns its exit code and what it
// printed.
func planEvent(args string) (code int, stdout, stderr string) {
	var out, messages bytes.Buffer
	app := &cli.App{
		Name: "stentor", Commands: []*cli.Command{planEventCommand()},
		Writer: &out, ErrWriter: &messages,
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   usageError,
	}
	err := app.Run(append([]string{"stentor", "plan-event"}, strings.Fields(args)...))
	if err != nil {
		messages.WriteString(err.Error())
	}
	return exitCode(err), out.String(), messages.String()
}

func TestPlanEvent(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cheap := file("cheap.json", `{"cpu_us_per_datagram_60ms": 5}`)
	absurd := file("absurd.json", `{"cpu_us_per_datagram_60ms": -5}`)
	tests := []struct {
		name string
		args string
		exit int
		says string // on stdout, or on stderr if that fails
	}{
		{"help", "--help", exitDone, "--listeners 100000"},
		{"an event", "--listeners 10000", exitDone, "10,000 listeners within 10m"},
		{"on other machines", "--listeners 10000 --cores 4 --memory 8GiB --egress 1Gbps --transport quic", exitDone, "4 processors, 8 GiB, 1 Gbit/s"},
		{"with what was measured", "--listeners 10000 --transport quic --constants " + cheap, exitDone, "16.7 packets × 5.0 µs"},
		{"a fleet that does", "--listeners 10000 --relays 6", exitDone, "6 (2 in each of 3 zones)"},
		{"a fleet that does not", "--listeners 1000000 --relays 6", exitFailed, "not enough: cpu"},
		{"no fleet does", "--listeners 100000000", exitFailed, "too big"},
		{"nobody says how many", "", exitUsage, "--listeners 100000"},
		{"nobody", "--listeners 0", exitUsage, "want 1 to"},
		{"no zone", "--listeners 5 --zones 0", exitUsage, "--zones 0: want at least 1"},
		{"no packet", "--listeners 5 --packet 0", exitUsage, "--packet 0s"},
		{"a packet that is none", "--listeners 5 --packet 50ms", exitUsage, "20ms, 60ms or 120ms"},
		{"no load", "--listeners 5 --load 0", exitUsage, "--load"},
		{"memory in bits", "--listeners 5 --memory 16Gbps", exitUsage, "a size such as 16GiB"},
		{"egress in apples", "--listeners 5 --egress 3apples", exitUsage, "a speed such as 10Gbps"},
		{"an argument", "--listeners 5 now", exitUsage, `"now"`},
		{"constants that are absurd", "--listeners 5 --constants " + absurd, exitUsage, "absurd.json"},
		{"constants that are not there", "--listeners 5 --constants " + filepath.Join(dir, "none.json"), exitUsage, "none.json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := planEvent(tt.args)
			if code != tt.exit {
				t.Fatalf("status %d, want %d: %s", code, tt.exit, errs)
			}
			text := out
			if tt.exit != exitDone {
				text = errs
			}
			if !strings.Contains(text, tt.says) {
				t.Errorf("it does not say %q:\n%s", tt.says, text)
			}
		})
	}
}

func TestPlanEventJSON(t *testing.T) {
	code, out, errs := planEvent("--listeners 100000 --zone-loss --json")
	var got struct {
		Relays   int  `json:"relays"`
		Fits     bool `json:"fits"`
		ZoneLoss struct {
			Carried bool `json:"carried"`
		} `json:"zone_loss"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitDone {
		t.Fatalf("status %d, %v: %s%s", code, err, out, errs)
	}
	if got.Relays < 2 || !got.Fits || !got.ZoneLoss.Carried {
		t.Errorf("%+v", got)
	}
}
