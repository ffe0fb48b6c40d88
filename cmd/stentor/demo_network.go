package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/stentor-audio/stentor/bench/process"
)

// demoPort is tried first, so that the commands the demo prints are those of the
// documentation; what is taken is left alone.
const demoPort = 4443

// A demoNetwork is relays of this program, each a process of its own, so that
// killing one is what it is.
type demoNetwork struct {
	relays []*demoRelay
	dir    string // of their certificates and keys
	page   string // HOST:PORT; "" for none
	kills  atomic.Int64

	mu sync.Mutex // guards the children
}

type demoRelay struct {
	name, url             string
	listen, gossip, admin string
	http                  string
	child                 *process.Child
}

// startDemoNetwork starts relays and waits until each serves.
func startDemoNetwork(ctx context.Context, relays int, page string) (*demoNetwork, error) {
	dir, err := os.MkdirTemp("", "stentor-demo-")
	if err != nil {
		return nil, err
	}
	n := &demoNetwork{dir: dir, page: page}
	ports := &portPicker{next: demoPort}
	if host, port, err := net.SplitHostPort(page); err == nil && port == "0" {
		free, err := net.Listen("tcp", page)
		if err != nil {
			return nil, fmt.Errorf("--http: %w", err)
		}
		_, port, _ = net.SplitHostPort(free.Addr().String())
		_ = free.Close()
		n.page = net.JoinHostPort(host, port)
	}
	for i := range relays {
		r := &demoRelay{name: "relay-" + string(rune('a'+i))}
		if r.listen, err = ports.pick("udp", "tcp"); err == nil {
			if r.gossip, err = ports.pick("udp", "tcp"); err == nil {
				r.admin, err = ports.pick("tcp")
			}
		}
		if i == 0 {
			r.http = n.page
		}
		n.relays = append(n.relays, r)
		if err == nil {
			err = n.start(ctx, r)
		}
		if err != nil {
			n.close()
			return nil, err
		}
	}
	return n, nil
}

// start starts a relay, for the first time or again.
func (n *demoNetwork) start(ctx context.Context, r *demoRelay) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"relay", "--open", "--listen", r.listen, "--http", r.http, "--admin", r.admin,
		"--name", r.name, "--zone", r.name, "--gossip", r.gossip, "--data-dir", filepath.Join(n.dir, r.name), "--drain", "0s", "--log-level", "error"}
	for _, other := range n.relays {
		if other != r {
			args = append(args, "--join", other.gossip)
		}
	}
	child, err := process.Start(ctx, process.Options{Path: self, Args: args})
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	var name string
	if _, err := fmt.Sscan(child.Ready(), &name, &r.url); err != nil {
		_ = child.Stop()
		return fmt.Errorf("%s: its ready line is %q", r.name, child.Ready())
	}
	n.mu.Lock()
	r.child = child
	n.mu.Unlock()
	return nil
}

// kill ends a relay as a power cut would.
func (n *demoNetwork) kill(r *demoRelay) error {
	n.mu.Lock()
	child := r.child
	n.mu.Unlock()
	if err := child.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-child.Done()
	n.kills.Add(1)
	return nil
}

// close ends every relay.
func (n *demoNetwork) close() {
	var ending sync.WaitGroup
	n.mu.Lock()
	for _, r := range n.relays {
		if r.child != nil {
			ending.Go(func() { _ = r.child.Stop() }) // one that was killed has ended
		}
	}
	n.mu.Unlock()
	ending.Wait()
	_ = os.RemoveAll(n.dir)
}

// urls are the relays' URLs for a session at a path.
func (n *demoNetwork) urls(path string) []string {
	urls := make([]string, 0, len(n.relays))
	for _, r := range n.relays {
		urls = append(urls, r.url+"/"+path)
	}
	return urls
}

// nameOf is the name of the relay that statistics call by name or HOST:PORT.
func (n *demoNetwork) nameOf(relay string) string {
	for _, r := range n.relays {
		if relay == r.listen || relay == r.url || relay == r.name {
			return r.name
		}
	}
	return relay
}

// A portPicker finds ports of the loopback that are free now.
type portPicker struct{ next int }

// pick returns the next port that is free for every one of the networks.
func (p *portPicker) pick(networks ...string) (string, error) {
	for ; p.next < 1<<16; p.next++ {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(p.next))
		if isFree(addr, networks) {
			p.next++
			return addr, nil
		}
	}
	return "", errors.New("no port of the loopback is free")
}

func isFree(addr string, networks []string) bool {
	for _, network := range networks {
		if network == "udp" {
			conn, err := net.ListenPacket(network, addr)
			if err != nil {
				return false
			}
			_ = conn.Close()
			continue
		}
		l, err := net.Listen(network, addr)
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}
