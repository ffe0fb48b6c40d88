package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options say what to start. Path is required.
type Options struct {
	// Path is the program, Args what comes after its name.
	Path string
	Args []string

	// Env is added to the environment, less its STENTOR_ variables: those were
	// meant for this program and would be taken for flags by the other.
	Env []string

	// Thread is called on the thread that starts the program, which is then kept
	// for that alone: it may put it elsewhere, into a network namespace. Nil does
	// nothing.
	Thread func() error

	// ReadyWithin is how long the program may take to say that it is ready. Zero
	// means 10 s.
	ReadyWithin time.Duration

	// Grace is how long it may take to end after SIGTERM before it is killed.
	// Zero means 5 s.
	Grace time.Duration
}

var (
	// ErrNotReady says that a program did not say in time that it is ready.
	ErrNotReady = errors.New("not ready in time")
	// ErrEnded says that a program has ended by itself.
	ErrEnded = errors.New("ended by itself")
)

// A Child is a process that this one has started. It does not get the signals of
// the terminal, and it is ended when this process is, however that happens.
type Child struct {
	// Set by Start, constant afterwards.
	name  string
	grace time.Duration
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ready string
	lines chan string   // of stdout, after the ready one
	done  chan struct{} // closed when the process has ended
	tail  *tail

	stop sync.Once
	err  error // of Wait; readable after done
}

// readyPrefix is what the line begins with that says that a program serves.
const readyPrefix = "ready "

// Start starts a program and waits for a line "ready …" on its stdout. ctx bounds
// only the wait.
func Start(ctx context.Context, o Options) (*Child, error) {
	c := &Child{
		name:  o.Path,
		grace: o.Grace,
		cmd:   exec.Command(o.Path, o.Args...),
		lines: make(chan string, 64),
		done:  make(chan struct{}),
		tail:  &tail{},
	}
	if len(o.Args) > 0 {
		c.name = o.Args[0]
	}
	if c.grace == 0 {
		c.grace = 5 * time.Second
	}
	if o.ReadyWithin == 0 {
		o.ReadyWithin = 10 * time.Second
	}
	c.cmd.Env = append(environment(os.Environ()), o.Env...)
	c.cmd.Stderr = c.tail
	c.cmd.SysProcAttr = attributes()
	ctx, cancel := context.WithTimeoutCause(ctx, o.ReadyWithin, ErrNotReady)
	defer cancel()
	if err := c.start(o.Thread); err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	select {
	case line, ok := <-c.lines:
		if ok {
			c.ready = strings.TrimPrefix(line, readyPrefix)
			return c, nil
		}
		<-c.done
		return nil, c.Err()
	case <-ctx.Done():
		_ = c.Stop()
		return nil, fmt.Errorf("%s: %w%s", c.name, context.Cause(ctx), c.tail.quote())
	}
}

// start starts the process and what reads from it.
func (c *Child) start(thread func() error) error {
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return err
	}
	started := make(chan error)
	go func() {
		// The kernel ends the child with the thread that started it, so this
		// goroutine keeps its thread until the child is gone.
		runtime.LockOSThread()
		if thread != nil {
			if err := thread(); err != nil {
				c.abandon(stdout)
				started <- err
				return
			}
		}
		if err := c.cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		c.read(stdout)
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	return <-started
}

// abandon closes what belongs to a process that was not started.
func (c *Child) abandon(stdout io.Closer) {
	_ = stdout.Close()
	_ = c.stdin.Close()
}

// read takes the lines of stdout until it is closed. Lines before the ready one
// are not meant for this program; later ones that nobody takes are dropped.
func (c *Child) read(stdout io.Reader) {
	defer close(c.lines)
	scanner := bufio.NewScanner(stdout)
	ready := false
	for scanner.Scan() {
		line := scanner.Text()
		if ready = ready || strings.HasPrefix(line, readyPrefix); !ready {
			continue
		}
		select {
		case c.lines <- line:
		default:
		}
	}
	_, _ = io.Copy(io.Discard, stdout) // a line too long for the scanner
}

// Ready is what stood in the ready line, after the word.
func (c *Child) Ready() string { return c.ready }

// PID is the process's id.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Lines are what the process writes to stdout after its ready line. The channel
// is closed when it ends.
func (c *Child) Lines() <-chan string { return c.lines }

// Command writes a line to the process's stdin.
func (c *Child) Command(line string) error {
	if _, err := io.WriteString(c.stdin, line+"\n"); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

// Signal sends the process a signal.
func (c *Child) Signal(sig os.Signal) error {
	if err := c.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

// Done is closed when the process has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Err says how the process ended and what it last wrote to stderr. It may be
// called once Done is closed.
func (c *Child) Err() error {
	how := "with status 0"
	if c.err != nil {
		how = c.err.Error()
	}
	return fmt.Errorf("%s %w: %s%s", c.name, ErrEnded, how, c.tail.quote())
}

// Stop ends the process with SIGTERM, or kills it if it does not go, and waits
// for it. The error is that of a process which did not end well.
func (c *Child) Stop() error {
	c.stop.Do(func() {
		_ = c.stdin.Close()
		_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails if it has ended
		timer := time.NewTimer(c.grace)
		defer timer.Stop()
		select {
		case <-c.done:
		case <-timer.C:
			_ = c.cmd.Process.Kill()
			<-c.done
		}
	})
	if c.err != nil {
		return c.Err()
	}
	return nil
}

// environment is env without the variables that stand for this program's flags.
func environment(env []string) []string {
	out := make([]string, 0, len(env))
	for _, v := range env {
		if !strings.HasPrefix(v, "STENTOR_") {
			out = append(out, v)
		}
	}
	return out
}
