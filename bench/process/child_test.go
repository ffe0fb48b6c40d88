package process

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestStart(t *testing.T) {
	t.Setenv("STENTOR_RELAY", "leaked")
	c, err := start(t, "chatty", Options{Env: []string{"OTHER=you"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Ready(), "to serve you"; got != want {
		t.Errorf("ready line %q, want %q", got, want)
	}
	if c.PID() == os.Getpid() || c.PID() <= 0 {
		t.Errorf("process id %d", c.PID())
	}
	if err := c.Command("hurry"); err != nil {
		t.Fatal(err)
	}
	if got := <-c.Lines(); got != "you said hurry" {
		t.Errorf("line %q", got)
	}
	if err := c.Stop(); err != nil && !strings.Contains(err.Error(), "terminated") {
		t.Errorf("Stop: %v", err)
	}
	select {
	case <-c.Done():
	default:
		t.Error("Stop returned before the process ended")
	}
	if err := c.Signal(syscall.SIGTERM); err == nil {
		t.Error("a signal to a process that has ended")
	}
	if err := c.Command("more"); err == nil {
		t.Error("a command to a process that has ended")
	}
}

func TestStartFails(t *testing.T) {
	t.Run("no such program", func(t *testing.T) {
		_, err := Start(t.Context(), Options{Path: "/nonexistent/stentor"})
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v", err)
		}
	})
	t.Run("it ends before it is ready", func(t *testing.T) {
		_, err := start(t, "dies", Options{})
		if !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no more paper") {
			t.Errorf("%v", err)
		}
	})
	t.Run("its thread cannot go where it should", func(t *testing.T) {
		lost := errors.New("lost")
		if _, err := start(t, "chatty", Options{Thread: func() error { return lost }}); !errors.Is(err, lost) {
			t.Errorf("%v", err)
		}
	})
	t.Run("it says nothing", func(t *testing.T) {
		_, err := start(t, "silent", Options{ReadyWithin: 50 * time.Millisecond})
		if !errors.Is(err, ErrNotReady) {
			t.Errorf("%v", err)
		}
	})
	t.Run("the caller gives up", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		cancel(enough)
		_, err := Start(ctx, Options{Path: os.Args[0], Args: []string{"-test.run=^$"}, Env: []string{"CHILD=silent"}})
		if !errors.Is(err, enough) {
			t.Errorf("%v", err)
		}
	})
}

func TestStopKillsWhoDoesNotGo(t *testing.T) {
	c, err := start(t, "stubborn", Options{Grace: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	first := c.Stop()
	if first == nil || !strings.Contains(first.Error(), "killed") {
		t.Errorf("Stop: %v", first)
	}
	if second := c.Stop(); second == nil || second.Error() != first.Error() {
		t.Errorf("and again: %v", second)
	}
}

func TestLineTooLongForTheScanner(t *testing.T) {
	c, err := start(t, "long line", Options{})
	if err != nil {
		t.Fatal(err)
	}
	<-c.Done() // it could not end if nobody read on
	if err := c.Err(); !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), "status 0") || !strings.Contains(err.Error(), "wrote it all") {
		t.Errorf("%v", err)
	}
}

func TestTail(t *testing.T) {
	long := strings.Repeat("0123456789\n", tailSize/11+5)
	tests := []struct {
		name   string
		writes []string
		want   string
	}{
		{"nothing", nil, ""},
		{"blank lines", []string{"\n \n"}, ""},
		{"two lines", []string{"one\n", "two\n"}, "; it said:\n  one\n  two"},
		{"only whole lines of more than it keeps", []string{long, "last"}, "; it said:\n  " + strings.Repeat("0123456789\n  ", (tailSize-4)/11) + "last"},
		{"one line of more than it keeps", []string{strings.Repeat("x", tailSize+1)}, "; it said:\n  " + strings.Repeat("x", tailSize)},
	}
	for _, tt := range tests {
		var tl tail
		for _, w := range tt.writes {
			if n, err := tl.Write([]byte(w)); n != len(w) || err != nil {
				t.Fatalf("%s: Write = %d, %v", tt.name, n, err)
			}
		}
		if got := tl.quote(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
