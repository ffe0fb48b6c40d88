package udp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
)

func batcher(t *testing.T, address string) *Batcher {
	t.Helper()
	conn, err := Listen(address, Options{Buffer: 1 << 20})
	if err != nil {
		t.Skip(err) // a machine without IPv6
	}
	b, err := Batch(conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func messages(n int) []ipv4.Message {
	ms := make([]ipv4.Message, n)
	for i := range ms {
		ms[i].Buffers = [][]byte{make([]byte, 1500)}
		ms[i].OOB = make([]byte, 128)
	}
	return ms
}

// port is where b is reached at host.
func port(b *Batcher, host string) *net.UDPAddr {
	return &net.UDPAddr{IP: net.ParseIP(host), Port: b.LocalAddr().(*net.UDPAddr).Port}
}

func TestBatchReachesEitherFamily(t *testing.T) {
	for _, c := range []struct{ from, to, host string }{
		{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1"},
		{"[::1]:0", "[::1]:0", "::1"},
		{":0", "127.0.0.1:0", "127.0.0.1"},
		{":0", "[::1]:0", "::1"},
		{":0", ":0", "127.0.0.1"},
	} {
		t.Run(fmt.Sprintf("%s to %s", c.from, c.host), func(t *testing.T) {
			from, to := batcher(t, c.from), batcher(t, c.to)
			if _, _, err := from.WriteMsgUDP([]byte("hello"), nil, port(to, c.host)); err != nil {
				t.Fatal(err)
			}
			ms := messages(8)
			n, err := to.ReadBatch(ms, 0)
			if err != nil || n != 1 || string(ms[0].Buffers[0][:ms[0].N]) != "hello" {
				t.Fatalf("read %d, %v", n, err)
			}
			// And back to where it says it came from.
			if _, _, err := to.WriteMsgUDP([]byte("hi"), nil, ms[0].Addr.(*net.UDPAddr)); err != nil {
				t.Fatal(err)
			}
			n, err = from.ReadBatch(ms, 0)
			if err != nil || n != 1 || string(ms[0].Buffers[0][:ms[0].N]) != "hi" {
				t.Fatalf("read %d, %v", n, err)
			}
		})
	}
}

// Each of many goroutines writes packets of its own; each packet comes once, whole.
func TestBatchLosesNothing(t *testing.T) {
	const writers, each = 20, 100
	// No more are on their way than the smallest receive buffer of a kernel takes,
	// or they would be lost there while the reader waits for its turn; and more
	// than a batch, so that writers meet a full one.
	onTheWay := make(chan struct{}, batchMax+16)
	from, to := batcher(t, "127.0.0.1:0"), batcher(t, "127.0.0.1:0")
	addr := port(to, "127.0.0.1")
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				onTheWay <- struct{}{}
				p := make([]byte, 8+w*20) // of different lengths
				binary.BigEndian.PutUint32(p, uint32(w))
				binary.BigEndian.PutUint32(p[4:], uint32(i))
				if n, _, err := from.WriteMsgUDP(p, nil, addr); err != nil || n != len(p) {
					t.Errorf("wrote %d of %d: %v", n, len(p), err)
				}
			}
		})
	}
	seen := make(map[uint64]bool)
	ms := messages(8)
	for len(seen) < writers*each {
		_ = to.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := to.ReadBatch(ms, 0)
		if err != nil {
			t.Fatalf("after %d packets: %v", len(seen), err)
		}
		for _, m := range ms[:n] {
			key := binary.BigEndian.Uint64(m.Buffers[0])
			if want := 8 + int(key>>32)*20; m.N != want || seen[key] {
				t.Fatalf("packet %x: %d bytes, want %d; seen %v", key, m.N, want, seen[key])
			}
			seen[key] = true
			<-onTheWay
		}
	}
	writing.Wait()
}

// What the kernel refuses does not keep back what is behind it.
func TestBatchGoesOnBehindARefusedPacket(t *testing.T) {
	from, to := batcher(t, "127.0.0.1:0"), batcher(t, "127.0.0.1:0")
	nowhere := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 0}
	for range 3 {
		if _, _, err := from.WriteMsgUDP([]byte("lost"), nil, nowhere); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := from.WriteMsgUDP([]byte("found"), nil, port(to, "127.0.0.1")); err != nil {
		t.Fatal(err)
	}
	ms := messages(8)
	_ = to.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := to.ReadBatch(ms, 0); err != nil || n != 1 || string(ms[0].Buffers[0][:ms[0].N]) != "found" {
		t.Fatalf("read %d, %v", n, err)
	}
}

func TestBatchSendsTheRestOnClose(t *testing.T) {
	from, to := batcher(t, "127.0.0.1:0"), batcher(t, "127.0.0.1:0")
	for range 10 {
		if _, _, err := from.WriteMsgUDP([]byte("bye"), nil, port(to, "127.0.0.1")); err != nil {
			t.Fatal(err)
		}
	}
	if err := from.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := from.WriteMsgUDP([]byte("late"), nil, port(to, "127.0.0.1")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("wrote on a closed socket: %v", err)
	}
	if err := from.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	ms := messages(16)
	_ = to.SetReadDeadline(time.Now().Add(10 * time.Second))
	for got := 0; got < 10; {
		n, err := to.ReadBatch(ms, 0)
		if err != nil {
			t.Fatalf("after %d packets: %v", got, err)
		}
		got += n
	}
}

func TestBatchUnblocksItsReader(t *testing.T) {
	b := batcher(t, "127.0.0.1:0")
	failed := make(chan error)
	go func() {
		_, err := b.ReadBatch(messages(8), 0)
		failed <- err
	}()
	_ = b.Close()
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("read on a closed socket: %v", err)
	}
}

func BenchmarkBatch(b *testing.B) {
	conn, err := Listen("127.0.0.1:0", Options{})
	if err != nil {
		b.Fatal(err)
	}
	sink, err := Listen("127.0.0.1:0", Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = sink.Close() }()
	to := sink.LocalAddr().(*net.UDPAddr)
	p := make([]byte, 150)
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _, _ = conn.WriteMsgUDP(p, nil, to)
		}
	})
	batched, err := Batch(conn)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = batched.Close() }()
	b.Run("batched", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _, _ = batched.WriteMsgUDP(p, nil, to)
		}
	})
}
