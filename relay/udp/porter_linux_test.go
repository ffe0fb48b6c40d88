package udp

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"
)

// A gatekeeper keeps what begins with k until the test lets it go, forgets what
// begins with f, and lets the rest in.
type gatekeeper struct {
	mu   sync.Mutex
	kept []Packet
	due  time.Time
}

func (g *gatekeeper) Admit(p Packet) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch p.Data[0] {
	case 'k':
		g.kept = append(g.kept, Packet{bytes.Clone(p.Data), bytes.Clone(p.OOB), p.From})
		g.due = time.Now().Add(20 * time.Millisecond)
	case 'f':
	default:
		return true
	}
	return false
}

func (g *gatekeeper) Next() (Packet, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.kept) == 0 || time.Now().Before(g.due) {
		return Packet{}, false
	}
	p := g.kept[0]
	g.kept = g.kept[1:]
	return p, true
}

func (g *gatekeeper) Due() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.kept) == 0 {
		return time.Time{}
	}
	return g.due
}

// What a porter keeps comes when its time has come, although nothing else does, as
// if it had just arrived; what it forgets never does; the rest comes at once.
func TestPorter(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			from, to := batcher(t, net.JoinHostPort(host, "0")), batcher(t, ":0")
			to.Guard(&gatekeeper{})
			for _, s := range []string{"keep", "forget", "go on"} {
				if _, err := from.WriteTo([]byte(s), port(to, host)); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for len(got) < 2 {
				ms := messages(8)
				n, err := to.ReadBatch(ms, 0)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range ms[:n] {
					got = append(got, string(m.Buffers[0][:m.N]))
					sender := m.Addr.(*net.UDPAddr).AddrPort()
					if want := from.LocalAddr().(*net.UDPAddr).AddrPort(); netip.AddrPortFrom(sender.Addr().Unmap(), sender.Port()) != want {
						t.Errorf("%q came from %v, not %v", got[len(got)-1], sender, want)
					}
				}
			}
			if got[0] != "go on" || got[1] != "keep" {
				t.Errorf("%q", got)
			}
		})
	}
}

// Whoever owns the socket ends the reading with a deadline, whatever the porter is
// waiting for.
func TestDeadlineOfTheOwner(t *testing.T) {
	for _, kept := range []bool{false, true} {
		b := batcher(t, "127.0.0.1:0")
		g := &gatekeeper{}
		if kept {
			g.kept, g.due = []Packet{{Data: []byte("keep")}}, time.Now().Add(time.Hour)
		}
		b.Guard(g)
		ended := make(chan error)
		go func() { _, err := b.ReadBatch(messages(8), 0); ended <- err }()
		if err := b.SetReadDeadline(time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("ended with %v", err)
		}
	}
}
