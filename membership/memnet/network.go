package memnet

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	port       = 7946
	queueDepth = 4096 // packets an endpoint holds that were not read
	backlog    = 64   // streams an endpoint holds that were not accepted
)

var errUnreachable = errors.New("memnet: nobody there")

// A Network connects endpoints. The zero value connects at once and loses
// nothing. Its fields are read all the time; they are set before its first use.
type Network struct {
	// Latency is how long a packet takes, or a stream to be opened. Nil is no
	// time.
	Latency func() time.Duration

	// Loss is which part of the packets gets lost, from 0 to 1.
	Loss float64

	mu        sync.Mutex
	last      uint32 // address that Listen gave
	endpoints map[netip.AddrPort]*Endpoint
}

// Listen adds an endpoint, with an address of its own in 10.0.0.0/8.
func (n *Network) Listen() *Endpoint {
	n.mu.Lock()
	n.last++
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], 10<<24+n.last)
	n.mu.Unlock()
	return n.ListenAt(netip.AddrPortFrom(netip.AddrFrom4(ip), port))
}

// ListenAt adds an endpoint at an address, in place of the one that was there.
func (n *Network) ListenAt(at netip.AddrPort) *Endpoint {
	e := &Endpoint{
		network: n,
		addr:    at,
		packets: make(chan *memberlist.Packet, queueDepth),
		streams: make(chan net.Conn, backlog),
		pipes:   make(map[*pipe]struct{}),
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.endpoints == nil {
		n.endpoints = make(map[netip.AddrPort]*Endpoint)
	}
	n.endpoints[at] = e
	return e
}

// remove makes an endpoint's address one where nobody is.
func (n *Network) remove(e *Endpoint) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.endpoints[e.addr] == e {
		delete(n.endpoints, e.addr)
	}
}

// Split cuts the network into groups that cannot reach each other; endpoints
// that are in none of them form one more. It takes the place of an earlier
// split. Streams across a border break.
func (n *Network) Split(groups ...[]*Endpoint) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.endpoints {
		e.setGroup(0)
	}
	for i, group := range groups {
		for _, e := range group {
			e.setGroup(i + 1)
		}
	}
	for _, e := range n.endpoints {
		e.breakPipes(func(p *pipe) bool { return !p.to.reaches(e) })
	}
}

// Heal ends a split.
func (n *Network) Heal() { n.Split() }

func (n *Network) find(addr string) (*Endpoint, error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	e, ok := n.endpoints[at]
	if !ok {
		return nil, errUnreachable
	}
	return e, nil
}

func (n *Network) latency() time.Duration {
	if n.Latency == nil {
		return 0
	}
	return n.Latency()
}

func (n *Network) loses() bool { return n.Loss > 0 && rand.Float64() < n.Loss }
