package relay

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/admission"
	"github.com/stentor-audio/stentor/relay/udp"
	"github.com/stentor-audio/stentor/token"
)

const (
	// reservedRate is how many handshakes a second are begun for those who may
	// speak or host, whatever else goes on.
	reservedRate, reservedBurst = 20, 20
	// A pass lets passHandshakes begin from one address within passFor.
	passHandshakes = 2
	passFor        = 10 * time.Second
	// maxPasses bounds what is kept; more people than that do not go on stage
	// within ten seconds.
	maxPasses = 1024
)

// errNotNow refuses a handshake before there is a connection. What the client
// sees is CONNECTION_REFUSED.
var errNotNow = errors.New("no handshake can be begun now")

// doors decide over each connection before anything of it costs much: they are
// asked for the first packet, and for each TCP connection.
type doors struct {
	open  bool // nothing is refused: the process is not the relay's, and no rate was given
	fixed bool // the rate was given
	began time.Time

	mu       sync.Mutex
	pace     admission.Pace
	public   admission.Bucket // handshakes of QUIC
	reserved admission.Bucket // those with a pass
	tcp      admission.Bucket // connections to HTTPS
	guarded  bool             // by a porter, and public is not asked
	line     admission.Line[guest, udp.Packet]
	passes   map[netip.Addr]pass
	relays   map[netip.AddrPort]struct{} // of the network: always let in

	// What the porter has decided, and QUIC has not asked for yet: who may begin, and
	// whose address is to be validated. QUIC asks in the order in which it is given
	// packets; if one should be lost on the way it is another's, who waits as well.
	permits, validations int

	taken, refused int     // handshakes since the last look
	share, rate    float64 // of the last look: of refused ones, and refused a second
	begun          float64 // of the last look: begun a second
}

// A pass is an address from which somebody has shown that they may speak or host.
type pass struct {
	left  int
	until time.Duration
}

func newDoors(joinRate float64) *doors {
	d := &doors{
		began:    time.Now(),
		open:     joinRate == 0 && !tuned.Load(),
		fixed:    joinRate > 0,
		pace:     admission.Pace{Rate: joinRate, Processors: runtime.GOMAXPROCS(0)},
		reserved: admission.Bucket{Rate: reservedRate, Burst: reservedBurst},
		passes:   make(map[netip.Addr]pass),
	}
	if !d.fixed {
		d.pace.Step(admission.Use{})
	}
	d.setRate(d.pace.Rate)
	return d
}

// setRate lets so many handshakes begin a second. mu is held.
func (d *doors) setRate(rate float64) {
	burst := admission.Burst(rate)
	d.public.Rate, d.public.Burst = rate, burst
	d.line.Turns.Rate, d.line.Turns.Burst = rate, admission.Turns(rate)
	d.tcp.Rate, d.tcp.Burst = rate, burst
}

func (d *doors) now() time.Duration { return time.Since(d.began) }

// mustValidate reports whether an address has to be shown to be the sender's own
// before its handshake counts (RFC 9000 §8.1.2): when handshakes come faster than
// they can be begun. It costs a round trip, and makes the line and the buckets proof
// against packets with false senders.
func (d *doors) mustValidate(net.Addr) bool {
	if d.open {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.guarded {
		validate := d.validations > 0
		d.validations = max(0, d.validations-1)
		return validate
	}
	return d.public.Level(d.now()) < d.public.Burst/2
}

// enter decides over a handshake by its first packet.
func (d *doors) enter(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
	if d.open || d.admit(addrPort(info.RemoteAddr)) {
		return ctx, nil
	}
	return nil, errNotNow
}

func (d *doors) admit(from netip.AddrPort) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, relay := d.relays[from]; relay {
		return true
	}
	now := d.now()
	switch {
	case d.guarded && d.usePass(from.Addr(), now):
	case d.guarded && d.permits > 0:
		d.permits--
	case d.guarded: // the porter has counted it
		return false
	case !d.public.Take(now) && !d.usePass(from.Addr(), now):
		d.refused++
		return false
	}
	d.taken++
	return true
}

// guard stands a porter before the socket, if there is anything to guard and it can.
func (d *doors) guard(socket *udp.Batcher) {
	if d.open || !socket.Guard(&porter{doors: d}) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.guarded = true
	processors := float64(d.pace.Processors)
	d.line.Refusals = admission.Bucket{Rate: refusalRate * processors, Burst: saidAtOnce}
	d.line.Validations = admission.Bucket{Rate: validationRate * processors, Burst: saidAtOnce}
}

// usePass takes one handshake of an address's pass. mu is held.
func (d *doors) usePass(from netip.Addr, now time.Duration) bool {
	p, ok := d.passes[from]
	if !ok || now > p.until || p.left == 0 || !d.reserved.Take(now) {
		return false
	}
	p.left--
	d.passes[from] = p
	return true
}

// givePass lets somebody at an address in soon who may speak or host.
func (d *doors) givePass(to netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	if len(d.passes) >= maxPasses {
		for addr, p := range d.passes {
			if p.left == 0 || now > p.until {
				delete(d.passes, addr)
			}
		}
	}
	if _, again := d.passes[to]; again || len(d.passes) < maxPasses {
		d.passes[to] = pass{left: passHandshakes, until: now + passFor}
	}
}

// setRelays says from where the other relays of the network come.
func (d *doors) setRelays(at map[netip.AddrPort]struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.relays = at
}

// look takes what was measured in a stretch of time, sets the rate of the next and
// returns what share of the handshakes was refused, and how many were begun.
func (d *doors) look(use admission.Use, span time.Duration) (refused float64, begun int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.share, d.rate = 0, float64(d.refused)/span.Seconds()
	if d.refused > 0 {
		d.share = float64(d.refused) / float64(d.refused+d.taken)
	}
	d.begun = float64(d.taken) / span.Seconds()
	use.Begun, use.Stood = d.begun, float64(d.line.Waited())/float64(max(1, d.taken))
	begun, d.taken, d.refused = d.taken, 0, 0
	if !d.fixed && !d.open {
		use.Refused = d.share
		d.setRate(d.pace.Step(use))
	}
	return d.share, begun
}

// joins is how many handshakes were begun a second, lately.
func (d *doors) joins() float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.begun
}

// wait is how long a newcomer waits before it comes; nothing unless others are
// being refused.
func (d *doors) wait() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.share == 0 {
		return 0
	}
	return admission.Wait(d.rate, d.public.Rate, rand.Float64())
}

// joinRate is how many handshakes a second may begin now.
func (d *doors) joinRate() float64 {
	if d.open {
		return math.Inf(1)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.public.Rate
}

// A hall is the TCP port: connections that come faster than their handshakes can
// be made are closed at once. Their clients wait as they do when a relay is full.
type hall struct {
	net.Listener
	doors *doors
}

// Accept implements [net.Listener].
func (h hall) Accept() (net.Conn, error) {
	for {
		c, err := h.Listener.Accept()
		if err != nil || h.doors.open {
			return c, err
		}
		h.doors.mu.Lock()
		ok := h.doors.tcp.Take(h.doors.now())
		h.doors.mu.Unlock()
		if ok {
			return c, nil
		}
		if tcp, is := c.(*net.TCPConn); is {
			_ = tcp.SetLinger(0) // nothing of it is kept
		}
		_ = c.Close()
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	udp, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	at := udp.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// laneOf is who comes with a grant for a role. Where there are no tokens, everybody
// may speak, and those count who say that they come for that.
func (r *Relay) laneOf(g token.Grant, role protocol.Role) admission.Lane {
	speaks := len(g.Publish) > 0
	if r.keys == nil {
		speaks = role == protocol.RolePublisher
	}
	if speaks {
		return admission.Reserved
	}
	return admission.Public
}

// takes reports whether there is room for one more in a lane.
func (r *Relay) takes(lane admission.Lane) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return admission.Room(lane, r.cfg.Capacity, len(r.peers))
}

// stays reports whether a session that has just said what it is may stay: it is
// among those that are counted.
func (r *Relay) stays(lane admission.Lane) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return admission.Room(lane, r.cfg.Capacity, len(r.peers)-1)
}

// full reports whether there is no room for listeners.
func (r *Relay) full() bool { return !r.takes(admission.Public) }

// retryAfter is the Retry-After of a refusal, in whole seconds: some come back
// sooner than others.
func retryAfter() string {
	return [...]string{"2", "3", "4", "5", "6"}[rand.IntN(5)]
}
