package udp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const (
	// batchMax is how many packets one system call takes or gives.
	batchMax = 64
	// packetMax is how long a packet may be to be gathered with others: longer
	// than any that quic-go makes without generic segmentation offload.
	packetMax  = 1500
	controlMax = 64
	// busyRead is how many packets in one read mean that more are about to come.
	busyRead = 4
	// readPause is how long they are given to do so.
	readPause = time.Millisecond
)

// A Batcher is a UDP socket that sends many packets with one system call, and
// takes many with one. QUIC makes a packet at a time for each of very many
// peers: most of what the kernel and the scheduler do for a packet, they do as
// well for sixty-four.
//
// It is what quic-go takes for a socket (quic.OOBCapablePacketConn). What it
// reads and writes by other methods than ReadBatch and WriteMsgUDP goes to the
// socket directly.
type Batcher struct {
	*net.UDPConn
	raw syscall.RawConn
	v6  bool // the socket's family
	in  *ipv4.PacketConn

	// Set before the first ReadBatch, constant afterwards.
	porter Porter // nil: everything is handed on

	// Owned by whoever calls ReadBatch, one at a time.
	got     []ipv4.Message
	at, end int       // of got: not handed on yet
	due     time.Time // of the porter, as the socket was told

	// deadline guards the reader's deadline: the porter's gives way to the owner's.
	deadline sync.Mutex
	owners   bool // it is the one that the owner has set

	// writing is held while a batch is written, mu while one is filled. Whoever
	// takes both takes writing first.
	writing sync.Mutex
	mu      sync.Mutex
	filling *outBatch
	spare   *outBatch // owned by who holds writing
	closed  bool

	wake    chan struct{} // of the flusher; capacity 1
	done    chan struct{} // closed by Close
	flusher sync.WaitGroup
}

// Batch makes a Batcher of a socket, which it owns from then on.
func Batch(conn *net.UDPConn) (*Batcher, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("udp: %w", err)
	}
	b := &Batcher{
		UDPConn: conn,
		raw:     raw,
		in:      ipv4.NewPacketConn(conn), // reads either family
		filling: newOutBatch(),
		spare:   newOutBatch(),
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	var domain int
	var domainErr error
	err = raw.Control(func(fd uintptr) {
		domain, domainErr = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
	})
	if err := errors.Join(err, domainErr); err != nil {
		return nil, fmt.Errorf("udp: family of the socket: %w", err)
	}
	b.v6 = domain == unix.AF_INET6
	b.got = make([]ipv4.Message, batchMax)
	for i := range b.got {
		b.got[i].Buffers = [][]byte{make([]byte, packetMax)}
		b.got[i].OOB = make([]byte, 2*controlMax)
	}
	b.flusher.Go(b.flush)
	return b, nil
}

// Guard lets a porter decide over what comes, and reports whether it can. It must
// be called before the first ReadBatch.
func (b *Batcher) Guard(p Porter) bool { b.porter = p; return true }

// ReadBatch fills some of the messages. It takes as many packets from the kernel
// as are there; when that were several, it lets more come before it asks again.
func (b *Batcher) ReadBatch(ms []ipv4.Message, flags int) (int, error) {
	for {
		if n := b.hand(ms); n > 0 {
			return n, nil
		}
		if b.end >= busyRead && b.end < batchMax {
			time.Sleep(readPause)
		}
		b.await()
		n, err := b.in.ReadBatch(b.got, flags)
		b.at, b.end = 0, max(n, 0)
		if err != nil && !b.mine(err) {
			return 0, err
		}
	}
}

// hand fills messages with what the porter has kept until now, and with what has
// come that may go on.
func (b *Batcher) hand(ms []ipv4.Message) (n int) {
	for b.porter != nil && n < len(ms) {
		p, ok := b.porter.Next()
		if !ok {
			break
		}
		to := &ms[n]
		to.N, to.NN, to.Flags = copy(to.Buffers[0], p.Data), copy(to.OOB, p.OOB), 0
		to.Addr = net.UDPAddrFromAddrPort(p.From)
		n++
	}
	for n < len(ms) && b.at < b.end {
		from, to := &b.got[b.at], &ms[n]
		b.at++
		if b.porter != nil && !b.porter.Admit(packetOf(from)) {
			continue
		}
		to.N = copy(to.Buffers[0], from.Buffers[0][:from.N])
		to.NN = copy(to.OOB, from.OOB[:from.NN])
		to.Addr, to.Flags = from.Addr, from.Flags
		n++
	}
	return n
}

func packetOf(m *ipv4.Message) Packet {
	p := Packet{Data: m.Buffers[0][:m.N], OOB: m.OOB[:m.NN]}
	if from, ok := m.Addr.(*net.UDPAddr); ok {
		p.From = from.AddrPort()
	}
	return p
}

// await makes the next read end when the porter wants to be asked.
func (b *Batcher) await() {
	if b.porter == nil {
		return
	}
	b.deadline.Lock()
	defer b.deadline.Unlock()
	if due := b.porter.Due(); !b.owners && !due.Equal(b.due) {
		_ = b.UDPConn.SetReadDeadline(due) // fails if it is closed, as the read will
		b.due = due
	}
}

// mine reports whether a read has ended only because the porter wanted it.
func (b *Batcher) mine(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	b.deadline.Lock()
	defer b.deadline.Unlock()
	return !b.owners
}

// SetReadDeadline sets the time at which reading ends with an error. Zero is never.
func (b *Batcher) SetReadDeadline(t time.Time) error {
	b.deadline.Lock()
	defer b.deadline.Unlock()
	b.owners, b.due = !t.IsZero(), time.Time{}
	return b.UDPConn.SetReadDeadline(t)
}

// WriteMsgUDP gathers a packet. It goes out within the scheduler's next round,
// with whatever else was written by then. That the kernel refused it is not
// told: to QUIC it is a lost packet.
func (b *Batcher) WriteMsgUDP(p, oob []byte, to *net.UDPAddr) (n, oobn int, err error) {
	if len(p) > packetMax || len(oob) > controlMax || to == nil {
		return b.UDPConn.WriteMsgUDP(p, oob, to)
	}
	b.mu.Lock()
	for b.filling.n == batchMax && !b.closed {
		b.mu.Unlock()
		b.send()
		b.mu.Lock()
	}
	if b.closed {
		b.mu.Unlock()
		return 0, 0, net.ErrClosed
	}
	b.filling.add(p, oob, to, b.v6)
	first := b.filling.n == 1
	b.mu.Unlock()
	if first {
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
	return len(p), len(oob), nil
}

// flush sends what was gathered, until Close.
func (b *Batcher) flush() {
	for {
		select {
		case <-b.wake:
		case <-b.done:
			return
		}
		// Let the others who are about to write do so: this puts the flusher
		// behind every goroutine that can run now.
		runtime.Gosched()
		b.send()
	}
}

// send writes what is gathered now. While one batch is written the other is
// filled; whoever finds that full waits here, as for a full socket.
func (b *Batcher) send() {
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	full := b.filling
	b.filling, b.spare = b.spare, full
	b.mu.Unlock()
	full.write(b.raw)
	full.n = 0
}

// Close sends what is gathered, and closes the socket.
func (b *Batcher) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return net.ErrClosed
	}
	b.closed = true
	b.mu.Unlock()
	_ = b.SetWriteDeadline(time.Now().Add(closePatience))
	b.send()
	close(b.done)
	b.flusher.Wait()
	return b.UDPConn.Close()
}

// closePatience is how long Close waits for a full socket.
const closePatience = 100 * time.Millisecond

// An outBatch is packets on their way out, in the form that sendmmsg(2) takes.
// It never moves and refers only to itself.
type outBatch struct {
	n        int
	headers  [batchMax]header
	vectors  [batchMax]unix.Iovec
	names    [batchMax]unix.RawSockaddrInet6 // either family: this is the longer one
	packets  [batchMax][packetMax]byte
	controls [batchMax][controlMax]byte
}

// header is the kernel's struct mmsghdr.
type header struct {
	unix.Msghdr
	sent uint32
}

func newOutBatch() *outBatch {
	o := new(outBatch)
	for i := range o.headers {
		h, v := &o.headers[i], &o.vectors[i]
		v.Base = &o.packets[i][0]
		h.Iov = v
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&o.names[i]))
	}
	return o
}

// add copies a packet in. There must be room.
func (o *outBatch) add(p, oob []byte, to *net.UDPAddr, v6 bool) {
	h := &o.headers[o.n]
	o.vectors[o.n].SetLen(copy(o.packets[o.n][:], p))
	h.Control = nil
	if len(oob) > 0 {
		h.Control = &o.controls[o.n][0]
	}
	h.SetControllen(copy(o.controls[o.n][:], oob))
	h.Namelen = putAddress(&o.names[o.n], to, v6)
	o.n++
}

// putAddress writes a socket address of the socket's family, and returns its
// length: an IPv4 address on a socket of both families is one of IPv6
// (RFC 4291 §2.5.5.2).
func putAddress(name *unix.RawSockaddrInet6, to *net.UDPAddr, v6 bool) uint32 {
	if !v6 {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		*four = unix.RawSockaddrInet4{Family: unix.AF_INET}
		putPort(&four.Port, to.Port)
		copy(four.Addr[:], to.IP.To4())
		return unix.SizeofSockaddrInet4
	}
	*name = unix.RawSockaddrInet6{Family: unix.AF_INET6, Scope_id: scope(to.Zone)}
	putPort(&name.Port, to.Port)
	copy(name.Addr[:], to.IP.To16())
	return unix.SizeofSockaddrInet6
}

// putPort writes a port in network order.
func putPort(field *uint16, port int) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(field))[:], uint16(port))
}

// scope is the number of a link-local address's interface (RFC 4007).
func scope(zone string) uint32 {
	if zone == "" {
		return 0
	}
	i, err := net.InterfaceByName(zone)
	if err != nil {
		return 0
	}
	return uint32(i.Index)
}

// write hands the packets to the kernel, and waits where the socket is full. A
// packet that it refuses is left out.
func (o *outBatch) write(raw syscall.RawConn) {
	at := 0
	for at < o.n {
		err := raw.Write(func(fd uintptr) bool {
			n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd,
				uintptr(unsafe.Pointer(&o.headers[at])), uintptr(o.n-at), unix.MSG_DONTWAIT, 0, 0)
			switch errno {
			case 0:
				at += int(n)
			case unix.EAGAIN:
				return false
			case unix.EINTR:
			default: // it is about the first one
				at++
			}
			return true
		})
		if err != nil {
			return // closed, or too long full at the end
		}
	}
}
