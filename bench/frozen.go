package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/bench/process"
	"github.com/stentor-audio/stentor/protocol"
)

// frozen is a process of listeners that is stopped in the middle, and when.
type frozen struct {
	child    *process.Child
	from, to uint64 // groups that were sent meanwhile
	stopped  bool   // it came to that
	present  int    // listeners that still had a session at the end; -1: unknown
	growth   int64  // bytes that the relay's memory grew meanwhile
}

func (f *frozen) close() {
	_ = f.child.Thaw() // a frozen process ends only when it is killed
	_ = f.child.Stop()
}

// prepareFrozen starts the process that will be stopped. The relay's listeners
// are there already.
func (r *run) prepareFrozen(ctx context.Context) error {
	talking, hush := context.WithCancel(ctx)
	talked := make(chan error, 1)
	go func() {
		_, err := r.relay.talk(talking, endless)
		talked <- err
	}()
	o := r.listening()
	child, err := process.Start(ctx, process.Options{Path: r.o.Executable, Args: []string{"bench", "frozen",
		"--address", o.Address, "--path", o.Path, "--transport", o.Transport,
		"--broadcast", string(o.Broadcast), "--track", o.Track, "--listeners", strconv.Itoa(r.o.Freeze)},
		ReadyWithin: 30 * time.Second})
	hush()
	if e := <-talked; err == nil {
		err = e
	}
	if child != nil {
		r.frozen = &frozen{child: child, present: -1}
	}
	return err
}

// freeze stops the process in the middle of a slice of the given length.
func (r *run) freeze(ctx context.Context, length time.Duration) {
	f := r.frozen
	if wait(ctx, (length-r.o.FreezeFor)/2) != nil {
		return
	}
	before, err := r.relay.read()
	if err == nil {
		err = f.child.Freeze()
	}
	if err != nil {
		r.stop(err)
		return
	}
	f.stopped, f.from = true, r.group()
	_ = wait(ctx, r.o.FreezeFor) // thawed in any case
	f.to = r.group()
	if after, err := r.relay.read(); err == nil {
		f.growth = after.RSS - before.RSS
	}
	if err := f.child.Thaw(); err != nil {
		r.stop(err)
		return
	}
	f.present = f.count(ctx)
}

// group is the group to come.
func (r *run) group() uint64 { return r.voice.Next() / uint64(r.o.slots()) }

// count asks the process how many of its listeners have a session, -1 if it does
// not say. It has a second to notice that it lost them.
func (f *frozen) count(ctx context.Context) int {
	if wait(ctx, time.Second) != nil || f.child.Command("count") != nil {
		return -1
	}
	select {
	case line := <-f.child.Lines():
		var n int
		if _, err := fmt.Sscanf(line, "present %d", &n); err == nil {
			return n
		}
	case <-time.After(time.Second):
	}
	return -1
}

// ListenFrozen is the process that is stopped: it lets the listeners in, writes
// "ready N" to out and, for each line "count" on in, "present N". It ends with in
// or ctx.
func ListenFrozen(ctx context.Context, o crowd.Options, in io.Reader, out io.Writer) error {
	o.Arrived = func(int, protocol.Datagram, time.Time) {}
	c, err := crowd.Join(ctx, o)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := fmt.Fprintf(out, "ready %d\n", o.Listeners); err != nil {
		return err
	}
	lines := make(chan string)
	go func() { // ends with in, which nothing interrupts
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			select {
			case lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return nil
			}
			if line != "count" {
				continue
			}
			if _, err := fmt.Fprintf(out, "present %d\n", c.Present()); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}
