package room

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

var errAborted = errors.New("aborted")

func TestGroupGrowsUnderItsReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup(7, time.Now())
		read := make(chan string, 1)
		go func() {
			s := ""
			for i := 0; ; i++ {
				f, err := g.Frame(t.Context(), i)
				if err != nil {
					read <- s + err.Error()
					return
				}
				s += string(f.Payload)
			}
		}()
		for _, payload := range []string{"a", "b", "c"} {
			synctest.Wait()
			if !g.Append(protocol.Frame{Payload: []byte(payload)}) {
				t.Error("not taken")
			}
		}
		g.End(nil)
		if got := <-read; got != "abcEOF" {
			t.Errorf("read %q", got)
		}
		if g.Append(protocol.Frame{}) {
			t.Error("grew after its end")
		}
	})
}

func TestGroupCutShortSaysWhy(t *testing.T) {
	g := NewGroup(7, epoch)
	g.Append(protocol.Frame{})
	g.End(errAborted)
	g.End(nil) // only the first counts
	if _, err := g.Frame(t.Context(), 0); err != nil {
		t.Errorf("what came before the cut: %v", err)
	}
	if _, err := g.Frame(t.Context(), 1); !errors.Is(err, errAborted) {
		t.Errorf("behind it: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := NewGroup(8, epoch).Frame(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("a reader that leaves: %v", err)
	}
}

func TestGroupHasLimits(t *testing.T) {
	g := NewGroup(1, epoch)
	n := 0
	for g.Append(protocol.Frame{}) {
		n++
	}
	if n != maxGroupFrames {
		t.Errorf("took %d frames", n)
	}
	g = NewGroup(2, epoch)
	big := protocol.Frame{Payload: make([]byte, maxGroupBytes/2)}
	for range 2 {
		if !g.Append(big) {
			t.Error("not taken below the limit")
		}
	}
	if g.Append(protocol.Frame{Payload: []byte{1}}) {
		t.Error("taken above the limit of bytes")
	}
}

func TestWholeGroupSharesOneDatagramBody(t *testing.T) {
	f := protocol.Frame{Timestamp: 40000, Payload: []byte{0xaa, 0xbb}}
	g := NewWhole(6, f, epoch)
	for _, id := range []uint64{0, 63, 64, 70000} {
		got := g.AppendDatagram(nil, id)
		want := protocol.Datagram{SubscribeID: id, Sequence: 6, Timestamp: 40000, Payload: f.Payload}.Append(nil)
		if string(got) != string(want) {
			t.Errorf("id %d: %x, want %x", id, got, want)
		}
	}
	if _, err := g.Frame(t.Context(), 1); !errors.Is(err, io.EOF) {
		t.Errorf("behind the only frame: %v", err)
	}
	buf := make([]byte, 0, protocol.MaxDatagram)
	if n := testing.AllocsPerRun(100, func() { buf = g.AppendDatagram(buf[:0], 5) }); n != 0 {
		t.Errorf("%v allocations a listener", n)
	}
}
