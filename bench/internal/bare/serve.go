package bare

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// Options say what is sent.
type Options struct {
	// Every is the time between two datagrams to a connection. Zero means 20 ms.
	Every time.Duration

	// Bytes is the size of the payload in the datagram, which has a header of at
	// most 24 bytes before it.
	Bytes int
}

// ErrOptions says that the options make no sense.
var ErrOptions = errors.New("bare server options")

// Serve opens a port of the loopback and writes "ready bare HOST:PORT" to out.
// Then each line "talk N" on in makes it send N datagrams to every connection,
// fewer if a line "stop" comes, and write "done NEXT": the sequence of the one to
// come. It ends with in or ctx.
func Serve(ctx context.Context, o Options, in io.Reader, out io.Writer) error {
	if o.Every == 0 {
		o.Every = 20 * time.Millisecond
	}
	if o.Every < time.Millisecond || o.Bytes < 0 || o.Bytes > protocol.MaxDatagram-24 {
		return fmt.Errorf("%w: %d bytes every %v", ErrOptions, o.Bytes, o.Every)
	}
	s, err := listen()
	if err != nil {
		return err
	}
	t := talker{server: s, every: o.Every, payload: make([]byte, o.Bytes)}
	return errors.Join(t.obey(ctx, in, out), s.close())
}

// A command is a line of the input.
type command struct {
	talk int
	stop bool
}

// commands reads the lines of the input and leaves out what is no command. The
// channel is closed at the end of the input. The reading outlives ctx where in
// does: nothing interrupts it.
func commands(ctx context.Context, in io.Reader) <-chan command {
	out := make(chan command)
	go func() {
		defer close(out)
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			var c command
			_, err := fmt.Sscanf(lines.Text(), "talk %d", &c.talk)
			if c.stop = lines.Text() == "stop"; !c.stop && (err != nil || c.talk < 0) {
				continue
			}
			select {
			case out <- c:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// A talker sends datagrams at their times.
type talker struct {
	server  *server
	every   time.Duration
	payload []byte
	next    uint64
	body    []byte
}

// obey does what the input says.
func (t *talker) obey(ctx context.Context, in io.Reader, out io.Writer) error {
	if _, err := fmt.Fprintf(out, "ready bare %s\n", t.server.udp.LocalAddr()); err != nil {
		return err
	}
	input := commands(ctx, in)
	for {
		select {
		case c, ok := <-input:
			if !ok {
				return nil
			}
			if c.stop {
				continue // after the last one went out
			}
			if !t.talk(ctx, c.talk, input) {
				return nil
			}
			if _, err := fmt.Fprintf(out, "done %d\n", t.next); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// talk sends n datagrams to every connection by absolute deadlines, fewer if
// another command comes. It reports false if it should be the last. Each datagram
// carries the moment at which its round began.
func (t *talker) talk(ctx context.Context, n int, input <-chan command) bool {
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := range n {
		timer.Reset(time.Until(start.Add(time.Duration(i) * t.every)))
		select {
		case <-timer.C:
		case _, ok := <-input:
			return ok
		case <-ctx.Done():
			return false
		}
		t.body = protocol.Datagram{
			Sequence:  t.next,
			Timestamp: uint64(max(time.Now().UnixMicro(), 0)),
			Payload:   t.payload,
		}.Append(t.body[:0])
		t.server.send(t.body)
		t.next++
	}
	return true
}
