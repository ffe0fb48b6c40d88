package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// stentor is the program under test, built by TestMain.
var stentor string

// patience bounds every wait for something that must come. It says nothing about
// how fast that should be: a machine may be busy with other tests.
const patience = time.Minute

func TestMain(m *testing.M) {
	// These tests wait for real time to pass much more than they compute, so
	// more of them may run at once than there are processors. A -parallel on the
	// command line still counts.
	_ = flag.Set("test.parallel", "6")
	dir, err := os.MkdirTemp("", "stentor-e2e-")
	if err == nil {
		stentor = filepath.Join(dir, "stentor")
		err = build(stentor)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
		os.Exit(code)
	}))
}

// build makes the program, with the race detector if the tests have it.
func build(path string) error {
	args := []string{"build", "-o", path}
	if raceEnabled {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "github.com/stentor-audio/stentor/cmd/stentor")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build cmd/stentor: %w\n%s", err, out)
	}
	return nil
}
