package conn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/qmux"
	"github.com/stentor-audio/stentor/protocol/session"
)

// pattern is n bytes that tell where they stand.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func TestStreamsCarryBytesBothWays(t *testing.T) {
	client, server := pair(t, nil)
	for _, size := range []int{0, 1, 100, maxChunk, streamWindow + 1, 3 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			want := pattern(size)
			s, err := client.OpenStream(within(t))
			if err != nil {
				t.Fatal(err)
			}
			var echo sync.WaitGroup
			echo.Go(func() {
				peer, err := server.AcceptStream(within(t))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := io.Copy(peer, peer); err != nil {
					t.Error(err)
				}
				_ = peer.Close()
			})
			echo.Go(func() {
				if _, err := s.Write(want); err != nil {
					t.Error(err)
				}
				_ = s.Close()
			})
			got, err := io.ReadAll(s)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes came back, %v", len(got), err)
			}
			echo.Wait()
		})
	}
	for _, c := range []*Conn{client, server} {
		c.mu.Lock()
		if len(c.sending) > 0 || len(c.receiving) > 0 {
			t.Errorf("left behind: %d halves sending, %d receiving", len(c.sending), len(c.receiving))
		}
		c.mu.Unlock()
	}
}

// TestGroupsComeInOrder sends many times as many streams as may be open at once.
func TestGroupsComeInOrder(t *testing.T) {
	client, server := pair(t, nil)
	const groups = 5 * streamSlots
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range groups {
			w, err := server.OpenUniStream()
			for errors.Is(err, session.ErrNoCredit) {
				time.Sleep(time.Millisecond)
				w, err = server.OpenUniStream()
			}
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := w.Write([]byte{byte(i), byte(i >> 8)}); err != nil {
				t.Error(err)
				return
			}
			_ = w.Close()
		}
	})
	for i := range groups {
		r, err := client.AcceptUniStream(within(t))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if want := []byte{byte(i), byte(i >> 8)}; err != nil || !bytes.Equal(b, want) {
			t.Fatalf("group %d: %x, %v", i, b, err)
		}
	}
	writer.Wait()
}

func TestOpenUniStreamDoesNotWaitForCredit(t *testing.T) {
	s := open(t, nil)
	p := s.stranger(t, "qmux-02.moq-lite-05")
	defer p.leave()
	few := browser
	few.MaxStreamsUni, few.MaxStreamsBidi = 1, 0
	p.say(few)
	c := s.server(t)
	if _, err := c.OpenUniStream(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.OpenUniStream(); !errors.Is(err, session.ErrNoCredit) {
		t.Errorf("a second stream: %v", err)
	}
	ctx, stop := context.WithCancel(within(t))
	stop()
	if _, err := c.OpenStream(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a bidirectional one, without time: %v", err)
	}
	opened := make(chan error, 1)
	go func() {
		_, err := c.OpenStream(within(t))
		opened <- err
	}()
	p.say(qmux.MaxStreams{Max: 1}, qmux.MaxStreams{Uni: true, Max: 2})
	if err := <-opened; err != nil {
		t.Error(err)
	}
	if _, err := c.OpenUniStream(); err != nil {
		t.Error(err)
	}
}

func TestFlowControl(t *testing.T) {
	s := open(t, nil)
	p := s.stranger(t, "qmux-02.moq-lite-05")
	defer p.leave()
	tight := browser
	tight.MaxData, tight.MaxStreamDataUni, tight.MaxStreamDataBidiRemote = 150, 100, 100
	p.say(tight)
	c := s.server(t)
	w, err := c.OpenUniStream()
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		_, err := w.Write(pattern(300))
		written <- err
	}()
	read := 0
	upTo := func(n int) {
		t.Helper()
		for read < n {
			f := p.until(is[qmux.Stream]).(qmux.Stream)
			if int(f.Offset) != read || !bytes.Equal(f.Data, pattern(300)[read:read+len(f.Data)]) {
				t.Fatalf("%d bytes at %d, want those at %d", len(f.Data), f.Offset, read)
			}
			read += len(f.Data)
		}
		p.say(qmux.Ping{Sequence: uint64(n)})
		p.until(func(f qmux.Frame) bool {
			if s, ok := f.(qmux.Stream); ok {
				read += len(s.Data)
			}
			return f == qmux.Pong{Sequence: uint64(n)}
		})
		if read != n {
			t.Fatalf("%d bytes were sent, %d allowed", read, n)
		}
	}
	upTo(100) // the stream's limit
	p.say(qmux.MaxStreamData{ID: 3, Max: 1000})
	upTo(150) // the connection's
	select {
	case err := <-written:
		_ = err // all of it waits for the socket now
	default:
	}
	p.say(qmux.MaxData{Max: 1000})
	upTo(300)
}

// TestWritersWaitWhileEnoughIsQueued lets the peer stop reading: a writer may not
// fill memory, and its deadline holds.
func TestWritersWaitWhileEnoughIsQueued(t *testing.T) {
	s := open(t, newPipes())
	p := s.stranger(t, "qmux-02.moq-lite-05")
	defer p.leave()
	p.say(browser)
	c := s.server(t)
	var accepted int
	var err error
	for i := 0; err == nil && i < 90; i++ {
		var w session.SendStream
		if w, err = c.OpenUniStream(); err != nil {
			t.Fatal(err)
		}
		_ = w.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		var n int
		n, err = w.Write(make([]byte, 200))
		accepted += n
		if err == nil {
			_ = w.Close()
		} else {
			w.CancelWrite(protocol.CodeTooOld)
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes taken, %v", accepted, err)
	}
	if accepted > maxQueued+2*enough {
		t.Errorf("%d bytes taken", accepted)
	}
	p.until(func(f qmux.Frame) bool { // and goes on when it reads again
		r, ok := f.(qmux.ResetStream)
		return ok && r.FinalSize == 0 && r.Code == uint64(protocol.CodeTooOld)
	})
}

func TestResets(t *testing.T) {
	client, server := pair(t, nil)
	w, err := server.OpenUniStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	r, err := client.AcceptUniStream(within(t))
	if err != nil {
		t.Fatal(err)
	}
	w.CancelWrite(protocol.CodeTooOld)
	<-w.Context().Done()
	if _, err := io.ReadAll(r); !errors.Is(err, &session.ResetError{Code: protocol.CodeTooOld}) {
		t.Errorf("read %v", err)
	}
	if _, err := w.Write([]byte("d")); !errors.Is(err, &session.ResetError{Code: protocol.CodeTooOld}) {
		t.Errorf("written %v", err)
	}

	// The reader stops: the writer hears of it, and what it had sent is given back.
	s, err := client.OpenStream(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(pattern(1000)); err != nil {
		t.Fatal(err)
	}
	peer, err := server.AcceptStream(within(t))
	if err != nil {
		t.Fatal(err)
	}
	peer.CancelRead(protocol.CodeCancel)
	<-s.Context().Done()
	var reset *session.ResetError
	if _, err := s.Write([]byte("x")); !errors.As(err, &reset) || !reset.Remote || reset.Code != protocol.CodeCancel {
		t.Errorf("written %v", err)
	}
	if _, err := peer.Read(make([]byte, 1)); !errors.As(err, &reset) || reset.Remote {
		t.Errorf("read %v", err)
	}
	_ = peer.Close() // the other half is not concerned
	if b, err := io.ReadAll(s); err != nil || len(b) > 0 {
		t.Errorf("read %x, %v", b, err)
	}
	server.mu.Lock()
	defer server.mu.Unlock()
	if server.window.received != server.window.consumed {
		t.Errorf("%d bytes came, %d given back", server.window.received, server.window.consumed)
	}
}

func TestReadDeadline(t *testing.T) {
	client, server := pair(t, nil)
	s, err := client.OpenStream(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("a")); err != nil {
		t.Fatal(err)
	}
	peer, err := server.AcceptStream(within(t))
	if err != nil {
		t.Fatal(err)
	}
	_ = peer.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := io.ReadAll(peer); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %v", err)
	}
	_ = peer.SetReadDeadline(time.Time{})
	read := make(chan error, 1)
	go func() {
		_, err := peer.Read(make([]byte, 1))
		read <- err
	}()
	_ = peer.SetReadDeadline(time.Now()) // wakes who waits
	if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %v", err)
	}
}

// TestStopOfAStreamReadToItsEnd is what @moq/qmux sends for every SETUP stream.
func TestStopOfAStreamReadToItsEnd(t *testing.T) {
	s := open(t, nil)
	p := s.stranger(t, "qmux-02.moq-lite-05")
	defer p.leave()
	p.say(browser)
	c := s.server(t)
	w, err := c.OpenUniStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("setup")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p.until(func(f qmux.Frame) bool { s, ok := f.(qmux.Stream); return ok && s.FIN })
	p.say(qmux.StopSending{ID: 3}, qmux.Ping{Sequence: 1})
	p.until(func(f qmux.Frame) bool {
		if is[qmux.ResetStream](f) {
			t.Error("reset although it was finished")
		}
		return is[qmux.Pong](f)
	})
}

func TestAbout(t *testing.T) {
	client, server := pair(t, nil)
	if path, ok := server.Path(); !ok || path != "/room?jwt=x" {
		t.Errorf("path %q, %v", path, ok)
	}
	if server.RemoteAddr().String() != client.LocalAddr().String() || server.LocalAddr().String() != client.RemoteAddr().String() {
		t.Errorf("%v to %v, and %v to %v", server.LocalAddr(), server.RemoteAddr(), client.LocalAddr(), client.RemoteAddr())
	}
	if server.Datagrams() || !errors.Is(server.SendDatagram(nil), session.ErrNoDatagrams) {
		t.Error("datagrams")
	}
	if _, err := server.ReceiveDatagram(within(t)); !errors.Is(err, session.ErrNoDatagrams) {
		t.Errorf("ReceiveDatagram: %v", err)
	}
	if server.Transport() != "websocket" || server.Version() != protocol.Lite05 {
		t.Errorf("%s, %v", server.Transport(), server.Version())
	}
}

// TestParametersAreThoseOfTheVectors: the bytes that other implementations have
// been tried with.
func TestParametersAreThoseOfTheVectors(t *testing.T) {
	const want = "ff5153300d0a0d0a310104800075300404808000000504800400000604800400000704800400000802440009024400c571c59429cd0845027ffe"
	if got := fmt.Sprintf("%x", ours().Append(nil)); got != want {
		t.Errorf("sent as %s, want %s (TRANSPORT_PARAMETERS/6)", got, want)
	}
}

// TestRequestsPassGroups: what a peer asked for does not stand behind groups it is
// slow to take.
func TestRequestsPassGroups(t *testing.T) {
	s := open(t, newPipes())
	p := s.stranger(t, "qmux-02.moq-lite-05")
	defer p.leave()
	p.say(browser)
	c := s.server(t)
	for range 20 { // the socket takes the parameters and no more until somebody reads
		w, err := c.OpenUniStream()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 50)); err != nil {
			t.Fatal(err)
		}
		_ = w.Close()
	}
	request, err := c.OpenStream(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := request.Write([]byte("first")); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	c.say(qmux.MaxStreamData{ID: 2, Max: 1 << 20})
	var order []string
	c.mu.Unlock()
	for len(order) == 0 || order[len(order)-1] != "last group" {
		p.until(func(f qmux.Frame) bool {
			switch f := f.(type) {
			case qmux.MaxStreamData:
				order = append(order, "control")
			case qmux.Stream:
				switch f.ID {
				case 1:
					order = append(order, "request")
				case 3 + 4*19:
					order = append(order, "last group")
					return true
				}
			}
			return false
		})
	}
	if got := fmt.Sprint(order); got != "[control request last group]" {
		t.Errorf("came as %v", order)
	}
}
