package wire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A Network is hosts and the way between them.
type Network struct {
	// Set by New, constant afterwards.
	c    Conditions
	life context.Context // ends with Close
	end  context.CancelFunc

	tasks sync.WaitGroup
	hosts [256]atomic.Pointer[Host] // by the last byte of the address

	mu   sync.Mutex
	next int
}

// A Host is a place where programs run.
type Host struct {
	// Set by Network.Host, constant afterwards.
	addr netip.Addr
	net  *Network
	ns   *os.File // its network namespace
	tun  *os.File // its end of the wire
	line *line

	cut     atomic.Bool
	dropped atomic.Uint64
}

// New makes a network without hosts.
func New(c Conditions) (*Network, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("%w: only root may make network namespaces", ErrUnsupported)
	}
	n := &Network{c: c}
	n.life, n.end = context.WithCancel(context.Background())
	return n, nil
}

// Host adds a host.
func (n *Network) Host() (*Host, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next == maxHosts {
		return nil, fmt.Errorf("%w: more than %d hosts", ErrUnsupported, maxHosts)
	}
	if n.life.Err() != nil {
		return nil, errors.New("the network is closed")
	}
	number := byte(n.next + 1)
	h := &Host{addr: address(number), net: n, line: newLine()}
	if err := onThread(h.create); err != nil {
		h.close()
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: %w", ErrUnsupported, err)
		}
		return nil, fmt.Errorf("host: %w", err)
	}
	n.next++
	n.hosts[number].Store(h)
	n.tasks.Go(func() { h.send(newDice(n.c, number)) })
	n.tasks.Go(h.receive)
	return h, nil
}

// Close takes the network away. What still runs in it hears nothing any more.
func (n *Network) Close() {
	n.end()
	for i := range n.hosts {
		if h := n.hosts[i].Swap(nil); h != nil {
			h.close()
		}
	}
	n.tasks.Wait()
}

// onThread calls f on a thread that may be changed for ever: it ends with f.
func onThread(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock
		result <- f()
	}()
	return <-result
}

// create moves the thread to a new namespace and opens the host's end of the
// wire there.
func (h *Host) create() (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if h.ns, err = os.Open("/proc/thread-self/ns/net"); err != nil {
		return err
	}
	// Not by os.Open: the poller refuses a tun that has no interface yet.
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: "/dev/net/tun", Err: err}
	}
	if err := configure(fd, h.addr); err != nil {
		_ = unix.Close(fd)
		return err
	}
	h.tun = os.NewFile(uintptr(fd), "/dev/net/tun")
	return nil
}

// configure makes a tun the interface of the thread's namespace.
func configure(tun int, addr netip.Addr) error {
	const name, queue = "wire", 4096 // packets: a burst to many listeners
	control, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer func() { _ = unix.Close(control) }()
	steps := []struct {
		what    string
		fd      int
		request uint
		name    string
		set     func(*unix.Ifreq) error
	}{
		{"TUNSETIFF", tun, unix.TUNSETIFF, name, func(r *unix.Ifreq) error { r.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI); return nil }},
		{"SIOCSIFTXQLEN", control, unix.SIOCSIFTXQLEN, name, func(r *unix.Ifreq) error { r.SetUint32(queue); return nil }},
		{"SIOCSIFADDR", control, unix.SIOCSIFADDR, name, func(r *unix.Ifreq) error { return r.SetInet4Addr(addr.AsSlice()) }},
		{"SIOCSIFNETMASK", control, unix.SIOCSIFNETMASK, name, func(r *unix.Ifreq) error { return r.SetInet4Addr([]byte{255, 255, 255, 0}) }},
		{"SIOCSIFFLAGS", control, unix.SIOCSIFFLAGS, name, func(r *unix.Ifreq) error { r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING); return nil }},
		{"SIOCSIFFLAGS", control, unix.SIOCSIFFLAGS, "lo", func(r *unix.Ifreq) error { r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING); return nil }},
	}
	for _, s := range steps {
		r, err := unix.NewIfreq(s.name)
		if err == nil {
			err = s.set(r)
		}
		if err == nil {
			err = unix.IoctlIfreq(s.fd, s.request, r)
		}
		if err != nil {
			return fmt.Errorf("%s of %s: %w", s.what, s.name, err)
		}
	}
	return nil
}

// Addr is the host's address in the network.
func (h *Host) Addr() netip.Addr { return h.addr }

// Enter moves the calling thread into the host, for good: what it starts and
// opens from then on is there. The goroutine must hold its thread
// ([runtime.LockOSThread]) and never let it go.
func (h *Host) Enter() error {
	return os.NewSyscallError("setns", unix.Setns(int(h.ns.Fd()), unix.CLONE_NEWNET))
}

// DialContext connects from within the host, to its own 127.0.0.1, too. The
// address must be numeric.
func (h *Host) DialContext(ctx context.Context, network, address string) (conn net.Conn, err error) {
	if _, err := netip.ParseAddrPort(address); err != nil {
		return nil, err
	}
	err = onThread(func() error {
		if err := h.Enter(); err != nil {
			return err
		}
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// ListenUDP opens a socket on a port of the host's address, from within the host.
// Port 0 picks a free one.
func (h *Host) ListenUDP(port uint16) (conn *net.UDPConn, err error) {
	err = onThread(func() error {
		if err := h.Enter(); err != nil {
			return err
		}
		conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(h.addr, port)))
		return err
	})
	return conn, err
}

// Cut takes the host off the network: whatever is sent to it or by it is lost,
// and nobody is told. Mend puts it back.
func (h *Host) Cut() { h.cut.Store(true) }

// Mend ends Cut.
func (h *Host) Mend() { h.cut.Store(false) }

// Dropped is how many packets to the host were lost because more were under way
// than the network can hold.
func (h *Host) Dropped() uint64 { return h.dropped.Load() }

// send puts what the host sends on its way until the wire is closed.
func (h *Host) send(d *dice) {
	b := make([]byte, 1<<16)
	for {
		n, err := h.tun.Read(b)
		if err != nil {
			return
		}
		to, ok := destination(b[:n])
		if !ok || h.cut.Load() {
			continue
		}
		peer := h.net.hosts[to].Load()
		if peer == nil {
			continue
		}
		due, arrives := d.throw(time.Now(), to)
		if arrives && !peer.line.put(b[:n], due) {
			peer.dropped.Add(1)
		}
	}
}

// receive gives the host what is due.
func (h *Host) receive() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var due [][]byte
	for {
		var next time.Time
		var more bool
		due, next, more = h.line.take(time.Now(), due[:0])
		for _, b := range due {
			if !h.cut.Load() {
				_, _ = h.tun.Write(b) // refused only by an interface that is gone
			}
		}
		h.line.give(due)
		var alarm <-chan time.Time
		if more {
			timer.Reset(time.Until(next))
			alarm = timer.C
		}
		select {
		case <-alarm:
		case <-h.line.wake:
		case <-h.net.life.Done():
			return
		}
	}
}

func (h *Host) close() {
	for _, f := range []*os.File{h.tun, h.ns} {
		if f != nil {
			_ = f.Close()
		}
	}
}
