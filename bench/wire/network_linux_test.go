package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newNetwork makes a network where that is possible.
func newNetwork(t *testing.T, c Conditions, hosts int) []*Host {
	t.Helper()
	n, err := New(c)
	var all []*Host
	if err == nil {
		t.Cleanup(n.Close)
		for range hosts {
			h, e := n.Host()
			if e != nil {
				err = e
				break
			}
			all = append(all, h)
		}
	}
	if errors.Is(err, ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// listen opens a UDP socket in a host.
func listen(t *testing.T, h *Host) *net.UDPConn {
	t.Helper()
	conn, err := h.ListenUDP(4443)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func send(t *testing.T, from *net.UDPConn, to *net.UDPConn, text string) {
	t.Helper()
	if _, err := from.WriteTo([]byte(text), to.LocalAddr()); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c *net.UDPConn, patience time.Duration) string {
	t.Helper()
	b := make([]byte, 2000)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	n, _, err := c.ReadFrom(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

const patience = 20 * time.Second

func TestNetwork(t *testing.T) {
	hosts := newNetwork(t, Conditions{RTT: 40 * time.Millisecond}, 3)
	a, b, c := listen(t, hosts[0]), listen(t, hosts[1]), listen(t, hosts[2])
	start := time.Now()
	send(t, a, b, "to b")
	send(t, c, b, "to b from c")
	if got := []string{receive(t, b, patience), receive(t, b, patience)}; got[0] == got[1] || got[0] == "" || got[1] == "" {
		t.Fatalf("%q", got)
	}
	send(t, b, a, "back")
	if got := receive(t, a, patience); got != "back" {
		t.Errorf("%q", got)
	}
	if took := time.Since(start); took < 40*time.Millisecond {
		t.Errorf("a round trip took %v", took)
	}
}

func TestCut(t *testing.T) {
	hosts := newNetwork(t, Conditions{RTT: 2 * time.Millisecond}, 2)
	a, b := listen(t, hosts[0]), listen(t, hosts[1])
	hosts[1].Cut()
	send(t, a, b, "lost")
	send(t, b, a, "lost")
	if x, y := receive(t, a, 50*time.Millisecond), receive(t, b, 50*time.Millisecond); x != "" || y != "" {
		t.Errorf("a host that is cut off hears %q and says %q", y, x)
	}
	hosts[1].Mend()
	send(t, a, b, "again")
	if got := receive(t, b, patience); got != "again" {
		t.Errorf("%q", got)
	}
}

// What listens in a host is reached from there and from nowhere else.
func TestDialContext(t *testing.T) {
	hosts := newNetwork(t, Conditions{}, 2)
	var l net.Listener
	if err := onThread(func() (err error) {
		if err := hosts[0].Enter(); err != nil {
			return err
		}
		l, err = net.Listen("tcp4", "127.0.0.1:0")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		if conn, err := l.Accept(); err == nil {
			_, _ = io.WriteString(conn, "hello")
			_ = conn.Close()
		}
	}()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	if conn, err := hosts[1].DialContext(ctx, "tcp", l.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("another host's loopback answers")
	}
	conn, err := hosts[0].DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if b, err := io.ReadAll(conn); err != nil || string(b) != "hello" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := hosts[0].DialContext(ctx, "tcp", "localhost:80"); err == nil {
		t.Error("a name was looked up")
	}
}

func TestClosedNetwork(t *testing.T) {
	n, err := New(Conditions{})
	if errors.Is(err, ErrUnsupported) {
		t.Skip(err)
	}
	n.Close()
	if _, err := n.Host(); err == nil {
		t.Error("a closed network has a new host")
	}
	n.Close() // does nothing
}
