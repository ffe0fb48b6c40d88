package hop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "stentor-hop-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built.dir = dir
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// built is the program that the tests measure.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// executable builds the program, once.
func executable(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts the program")
	}
	path := filepath.Join(built.dir, "stentor")
	built.once.Do(func() {
		cmd := exec.CommandContext(context.Background(), "go", "build", "-o", path, "../../cmd/stentor")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return path
}

// small is a measurement that is over soon.
func small(t *testing.T) Options {
	return Options{Relays: 3, Listeners: 6, Outage: time.Second, Rest: 2 * time.Second, Roles: []Role{Edge}, Executable: executable(t)}
}

// Each cause strikes a relay that comes back, on the loopback and, where that can
// be had, on hosts.
func TestRun(t *testing.T) {
	tests := []struct {
		network string
		causes  []Cause
	}{
		{loopback, []Cause{Kill, Drain}},
		{hosts, []Cause{Freeze, Cut}},
	}
	for _, tt := range tests {
		t.Run(tt.network, func(t *testing.T) {
			o := small(t)
			o.Loopback, o.Causes = tt.network == loopback, tt.causes
			r, err := Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			causes := tt.causes
			if r.Network != tt.network {
				if r.Note == "" {
					t.Errorf("on %s, and nothing says why", r.Network)
				}
				causes = causes[:1] // nobody can be cut off
			}
			if len(r.Kills) != len(causes) || r.Partial {
				t.Fatalf("%+v", r.Kills)
			}
			for i, o := range r.Kills {
				if o.Cause != causes[i] || o.Role != Edge || !strings.HasPrefix(o.Victim, "zone") || o.Expect == 0 || o.Late != "" || o.Skipped != "" {
					t.Errorf("%+v", o)
				}
			}
			if r.Quiet.Expect != 6*250 || r.Lost > r.Expected || r.Strange != 0 {
				t.Errorf("quiet %+v, lost %d of %d, strange %d", r.Quiet, r.Lost, r.Expected, r.Strange)
			}
		})
	}
}

func TestRunEndsEarly(t *testing.T) {
	for _, when := range []string{"listeners joining", "edge, kill"} {
		t.Run(when, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			o := small(t)
			o.Loopback, o.Outage = true, time.Hour
			o.Progress = func(step string, _, _ int) {
				if step == when {
					cancel()
				}
			}
			r, err := Run(ctx, o)
			if !errors.Is(err, ErrInterrupted) || (r != nil) != (when == "edge, kill") || r != nil && !r.Partial {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	t.Run("no such program", func(t *testing.T) {
		if _, err := Run(t.Context(), Options{Executable: "/nonexistent/stentor"}); !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
}
