package memnet

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// packets are how many an endpoint has to read.
func packets(e *Endpoint) (n int) {
	for {
		select {
		case <-e.PacketCh():
			n++
		default:
			return n
		}
	}
}

func TestPacketsTakeTheirTime(t *testing.T) {
	tests := []struct {
		name       string
		latency    time.Duration
		slow, busy time.Duration // of the sender, of the receiver
		want       time.Duration
	}{
		{"at once", 0, 0, 0, 0},
		{"a long way", 80 * time.Millisecond, 0, 0, 80 * time.Millisecond},
		{"a slow sender", 80 * time.Millisecond, time.Second, 0, 1080 * time.Millisecond},
		{"a busy receiver", 80 * time.Millisecond, 0, 2 * time.Second, 2080 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &Network{Latency: func() time.Duration { return tt.latency }}
				a, b := n.Listen(), n.Listen()
				a.SetSlow(func() time.Duration { return tt.slow })
				b.SetSlow(func() time.Duration { return tt.busy })
				start := time.Now()
				if _, err := a.WriteTo([]byte("hi"), b.Addr().String()); err != nil {
					t.Fatal(err)
				}
				p := <-b.PacketCh()
				if string(p.Buf) != "hi" || p.From.String() != a.Addr().String() {
					t.Errorf("%q from %v", p.Buf, p.From)
				}
				if took := time.Since(start); took != tt.want || !p.Timestamp.Equal(time.Now()) {
					t.Errorf("took %v, want %v", took, tt.want)
				}
			})
		})
	}
}

// TestWhoReachesWhom: packets and streams get through, or both do not.
func TestWhoReachesWhom(t *testing.T) {
	tests := []struct {
		name    string
		do      func(n *Network, a, b, c *Endpoint)
		reaches bool // a reaches b
	}{
		{"a network", func(*Network, *Endpoint, *Endpoint, *Endpoint) {}, true},
		{"split", func(n *Network, a, _, _ *Endpoint) { n.Split([]*Endpoint{a}) }, false},
		{"split, on the same side", func(n *Network, _, _, c *Endpoint) { n.Split([]*Endpoint{c}) }, true},
		{"in two named parts", func(n *Network, a, b, _ *Endpoint) { n.Split([]*Endpoint{a}, []*Endpoint{b}) }, false},
		{"another split", func(n *Network, a, _, c *Endpoint) { n.Split([]*Endpoint{a}); n.Split([]*Endpoint{c}) }, true},
		{"healed", func(n *Network, a, _, _ *Endpoint) { n.Split([]*Endpoint{a}); n.Heal() }, true},
		{"the other is down", func(_ *Network, _, b, _ *Endpoint) { b.SetDown(true) }, false},
		{"it is down itself", func(_ *Network, a, _, _ *Endpoint) { a.SetDown(true) }, false},
		{"up again", func(_ *Network, _, b, _ *Endpoint) { b.SetDown(true); b.SetDown(false) }, true},
		{"the other has gone", func(_ *Network, _, b, _ *Endpoint) { _ = b.Shutdown() }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &Network{}
				a, b, c := n.Listen(), n.Listen(), n.Listen()
				tt.do(n, a, b, c)
				_, _ = a.WriteTo([]byte("hi"), b.Addr().String())
				if got := packets(b) == 1; got != tt.reaches {
					t.Errorf("a packet got there: %v, want %v", got, tt.reaches)
				}
				conn, err := a.DialTimeout(b.Addr().String(), time.Minute)
				if (err == nil) != tt.reaches {
					t.Errorf("dial: %v, want it to work: %v", err, tt.reaches)
				}
				if err == nil {
					_ = conn.Close()
					_ = (<-b.StreamCh()).Close()
				}
			})
		})
	}
}

// TestStreamsBreak at a split and when an end goes, for both ends.
func TestStreamsBreak(t *testing.T) {
	breaks := map[string]func(n *Network, a, b *Endpoint){
		"split":     func(n *Network, a, _ *Endpoint) { n.Split([]*Endpoint{a}) },
		"one goes":  func(_ *Network, a, _ *Endpoint) { _ = a.Shutdown() },
		"the other": func(_ *Network, _, b *Endpoint) { _ = b.Shutdown() },
	}
	for name, cut := range breaks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &Network{}
				a, b := n.Listen(), n.Listen()
				ours, err := a.DialTimeout(b.Addr().String(), time.Second)
				if err != nil {
					t.Fatal(err)
				}
				theirs := <-b.StreamCh()
				go func() { _, _ = ours.Write([]byte("hi")) }()
				got := make([]byte, 2)
				if _, err := io.ReadFull(theirs, got); err != nil || string(got) != "hi" {
					t.Fatalf("%q, %v", got, err)
				}
				cut(n, a, b)
				for _, end := range []io.Reader{ours, theirs} {
					if _, err := end.Read(got); err == nil {
						t.Error("still reads")
					}
				}
			})
		})
	}
}

// TestADialIntoTheVoid ends with its context; one to nobody fails at once.
func TestADialIntoTheVoid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Network{}
		a, b := n.Listen(), n.Listen()
		b.SetDown(true)
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		start := time.Now()
		if _, err := a.DialContext(ctx, b.Addr().String()); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		start = time.Now()
		for _, addr := range []string{"10.9.9.9:1", "nowhere", ""} {
			if _, err := a.DialContext(t.Context(), addr); err == nil || time.Since(start) != 0 {
				t.Errorf("%q: %v after %v", addr, err, time.Since(start))
			}
		}
	})
}

func TestQueuesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Network{}
		a, b := n.Listen(), n.Listen()
		for range 2 * queueDepth {
			_, _ = a.WriteTo([]byte("hi"), b.Addr().String())
		}
		if got := packets(b); got != queueDepth {
			t.Errorf("%d packets, want %d", got, queueDepth)
		}
		refused := 0
		for range 2 * backlog {
			if _, err := a.DialTimeout(b.Addr().String(), time.Second); err != nil {
				refused++
			}
		}
		if refused != backlog {
			t.Errorf("%d streams refused, want %d", refused, backlog)
		}
		_, _ = a.Shutdown(), b.Shutdown()
	})
}

func TestLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Network{Loss: 0.25}
		a, b := n.Listen(), n.Listen()
		for range 4000 {
			_, _ = a.WriteTo([]byte("hi"), b.Addr().String())
		}
		// 3000 arrive, with a standard deviation of 27.
		if got := packets(b); got < 2800 || got > 3200 {
			t.Errorf("%d of 4000 arrived, want about 3000", got)
		}
	})
}
