package process

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The test binary is its own child: with CHILD in its environment it plays a
// program instead of testing.
func TestMain(m *testing.M) {
	if part := os.Getenv("CHILD"); part != "" {
		os.Exit(play(part))
	}
	goleak.VerifyTestMain(m)
}

func play(part string) int {
	switch part {
	case "silent":
		select {}
	case "dies":
		fmt.Fprintln(os.Stderr, "no more paper")
		return 3
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready stubborn")
		time.Sleep(time.Hour)
	case "chatty":
		fmt.Println("hello")
		fmt.Println(strings.Repeat("x", bufio.MaxScanTokenSize/2))
		fmt.Println("ready to serve " + os.Getenv("OTHER") + os.Getenv("STENTOR_RELAY"))
		echo()
	case "long line":
		fmt.Println("ready now")
		fmt.Println(strings.Repeat("x", 2*bufio.MaxScanTokenSize))
		fmt.Println("after")
		fmt.Fprintln(os.Stderr, "wrote it all")
	case "busy":
		fmt.Println("ready now")
		for until := time.Now().Add(time.Hour); time.Now().Before(until); { // until it is killed
			continue
		}
	}
	return 0
}

// echo repeats what it is told until there is no more, which is how it learns
// that it should end.
func echo() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println("you said " + lines.Text())
	}
}

// start starts this binary in a part.
func start(t *testing.T, part string, o Options) (*Child, error) {
	t.Helper()
	o.Path, o.Args = os.Args[0], []string{"-test.run=^$"}
	o.Env = append(o.Env, "CHILD="+part)
	c, err := Start(t.Context(), o)
	if err == nil {
		t.Cleanup(func() { _ = c.Stop() })
	}
	return c, err
}
