package bare

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every connection of either transport gets each datagram, and the loop says
// where it is.
func TestServe(t *testing.T) {
	for _, transport := range crowd.Transports {
		t.Run(transport, func(t *testing.T) {
			in, tell := io.Pipe()
			hear, out := io.Pipe()
			served := make(chan error, 1)
			go func() {
				err := Serve(t.Context(), Options{Every: time.Millisecond, Bytes: 100}, in, out)
				_ = out.Close()
				served <- err
			}()
			lines := bufio.NewScanner(hear)
			lines.Scan()
			address, ok := strings.CutPrefix(lines.Text(), "ready bare ")
			if !ok {
				t.Fatalf("it said %q", lines.Text())
			}
			_, _ = fmt.Fprintln(tell, "talk 1000000")
			var last [3]atomic.Uint64
			c, err := crowd.Join(t.Context(), crowd.Options{
				Address: address, Transport: transport, Listeners: 3, Track: protocol.TrackAudio,
				Arrived: func(n int, d protocol.Datagram, _ time.Time) {
					if len(d.Payload) != 100 {
						t.Errorf("%d bytes", len(d.Payload))
					}
					last[n].Store(d.Sequence)
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, _ = fmt.Fprintln(tell, "stop")
			lines.Scan()
			var next, after uint64
			if _, err := fmt.Sscanf(lines.Text(), "done %d", &next); err != nil || next == 0 {
				t.Fatalf("%q: %v", lines.Text(), err)
			}
			_, _ = fmt.Fprint(tell, "what\ntalk -1\nstop\ntalk 5\n") // only the last is a command now
			lines.Scan()
			if _, err := fmt.Sscanf(lines.Text(), "done %d", &after); err != nil || after != next+5 {
				t.Errorf("%q after %d: %v", lines.Text(), next, err)
			}
			for n := range last {
				for deadline := time.Now().Add(10 * time.Second); last[n].Load() != after-1; time.Sleep(time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatalf("listener %d has %d, want %d", n, last[n].Load(), after-1)
					}
				}
			}
			_ = tell.Close()
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestServeRefuses(t *testing.T) {
	for _, o := range []Options{{Every: time.Microsecond}, {Bytes: -1}, {Bytes: protocol.MaxDatagram}} {
		if err := Serve(t.Context(), o, strings.NewReader(""), io.Discard); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestServeEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Serve(ctx, Options{}, strings.NewReader("talk 1000000\n"), io.Discard); err != nil {
		t.Errorf("with its context: %v", err)
	}
	if err := Serve(t.Context(), Options{}, strings.NewReader(""), io.Discard); err != nil {
		t.Errorf("with its input: %v", err)
	}
}
