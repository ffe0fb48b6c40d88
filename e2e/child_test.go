package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A child is a program that runs in a process group of its own until the test
// ends at the latest, and what it has written.
type child struct {
	t              testing.TB
	cmd            *exec.Cmd
	stdout, stderr *transcript
	exited         chan struct{} // closed once it has been waited for
}

// spawn starts a program. The environment is that of the tests without what
// would configure Stentor, and with env.
func spawn(t testing.TB, env []string, program string, args ...string) *child {
	t.Helper()
	c := newChild(t, env, program, args...)
	c.run()
	return c
}

// spawnPiped runs the program under test with pipes that the test has taken of it.
func spawnPiped(t testing.TB, pipes func(*exec.Cmd), args ...string) *child {
	t.Helper()
	c := newChild(t, nil, stentor, args...)
	c.cmd.Stdout = nil
	pipes(c.cmd)
	c.run()
	return c
}

func newChild(t testing.TB, env []string, program string, args ...string) *child {
	c := &child{
		t:      t,
		cmd:    exec.Command(program, args...),
		stdout: newTranscript(),
		stderr: newTranscript(),
		exited: make(chan struct{}),
	}
	c.cmd.Stdout, c.cmd.Stderr = c.stdout, c.stderr
	c.cmd.SysProcAttr = ownGroup()
	c.cmd.WaitDelay = 5 * time.Second // what a child of its own may hold open
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "STENTOR_") {
			c.cmd.Env = append(c.cmd.Env, v)
		}
	}
	c.cmd.Env = append(c.cmd.Env, env...)
	return c
}

func (c *child) run() {
	c.t.Helper()
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() {
		defer close(c.exited)
		_ = c.cmd.Wait()
		c.stdout.end()
		c.stderr.end()
	}()
	c.t.Cleanup(c.reap)
}

// start runs the program under test.
func start(t testing.TB, args ...string) *child {
	t.Helper()
	return spawn(t, nil, stentor, args...)
}

// reap ends the child and all it started, and fails the test for what the race
// detector or the runtime had to say.
func (c *child) reap() {
	c.end()
	said := c.stderr.text()
	for _, trouble := range []string{"WARNING: DATA RACE", "panic: ", "fatal error: "} {
		if strings.Contains(said, trouble) {
			c.t.Errorf("%s: %s", c, trouble)
		}
	}
	if c.t.Failed() {
		c.t.Logf("%s (%v)\nstdout: %s\nstderr: %s", c, c.cmd.ProcessState, clip(c.stdout.text()), clip(said))
	}
}

// kill sends SIGKILL to the child's process group.
func (c *child) kill() { _ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) }

// end kills the child and waits until it and all that writes where it writes are
// gone.
func (c *child) end() {
	c.kill()
	<-c.exited
}

func (c *child) String() string { return clip(strings.Join(c.cmd.Args, " ")) }

// signal sends a signal to the child alone.
func (c *child) signal(sig syscall.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(sig); err != nil {
		c.t.Fatalf("%s: %v: %v", c, sig, err)
	}
}

// wait waits for the child to end and returns its exit code, -1 if a signal
// ended it.
func (c *child) wait() int {
	c.t.Helper()
	select {
	case <-c.exited:
	case <-time.After(patience):
		c.t.Fatalf("%s: still running", c)
	}
	return c.cmd.ProcessState.ExitCode()
}

// succeed waits for the child to end with 0.
func (c *child) succeed() {
	c.t.Helper()
	if code := c.wait(); code != 0 {
		c.t.Fatalf("%s: exit code %d", c, code)
	}
}

// line waits for a whole line that holds want, on out.
func (c *child) line(out *transcript, want string) string {
	c.t.Helper()
	line, err := out.line(want, patience)
	if err != nil {
		c.t.Fatalf("%s: no line with %q: %v", c, want, err)
	}
	return line
}

// A transcript is what a child has written so far.
type transcript struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	ended   bool
	changed chan struct{} // closed and replaced at every change
}

func newTranscript() *transcript { return &transcript{changed: make(chan struct{})} }

func (tr *transcript) Write(b []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.wake()
	return tr.buf.Write(b)
}

func (tr *transcript) end() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.ended = true
	tr.wake()
}

func (tr *transcript) wake() {
	close(tr.changed)
	tr.changed = make(chan struct{})
}

func (tr *transcript) text() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.buf.String()
}

// line returns the first whole line that holds want, without its end, and waits
// for it if need be.
func (tr *transcript) line(want string, patience time.Duration) (string, error) {
	late := time.After(patience)
	for {
		tr.mu.Lock()
		text, ended, changed := tr.buf.String(), tr.ended, tr.changed
		tr.mu.Unlock()
		for line := range strings.Lines(text) {
			if strings.Contains(line, want) && strings.HasSuffix(line, "\n") {
				return strings.TrimSuffix(line, "\n"), nil
			}
		}
		if ended {
			return "", errors.New("it ended")
		}
		select {
		case <-changed:
		case <-late:
			return "", errors.New("waited long enough")
		}
	}
}

// clip shortens what a message quotes.
func clip(s string) string {
	const most = 4000
	if len(s) <= most {
		return s
	}
	return s[:most/2] + "\n…\n" + s[len(s)-most/2:]
}
