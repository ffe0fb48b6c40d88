package membership

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// A relay that crashed and came back has the name of one that gossip believes
// alive for some ten seconds more. So a process is a member under a name of its
// own, and several members may describe a relay of the same name; which of them
// is the relay, [outranks] and the book decide.
//
// memberName makes such a name: the relay's, a slash, 64 random bits.
func memberName(relay string) string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return relay + "/" + hex.EncodeToString(b[:])
}

// relayName is what memberName was given.
func relayName(member string) string {
	relay, _, _ := strings.Cut(member, "/")
	return relay
}

// A claim is a member's description together with what tells it from others.
type claim struct {
	member string
	gossip netip.AddrPort
	relay  Relay
}

// outranks says who of two members keeps a name: the one that took it over from
// the other, else the one that started first. Clocks may differ: both sides
// compare the same two numbers, so it may be unfair, but it is decided.
func outranks(a, b claim) bool {
	return cmp.Or(
		cmp.Compare(b.relay.Generation, a.relay.Generation),
		a.relay.Started.Compare(b.relay.Started),
		cmp.Compare(a.relay.HopID, b.relay.HopID),
		cmp.Compare(a.member, b.member),
	) < 0
}

// A rival is another member that has this relay's name.
type rival struct {
	claim
	company bool // it has been with other relays
}

// rivals are those seen since somebody last looked.
type rivals struct {
	wake chan struct{} // holds one when there are any

	mu   sync.Mutex
	seen map[string]rival
}

// maxRivals is how many are looked at in one go; more come again.
const maxRivals = 16

func newRivals() rivals {
	return rivals{wake: make(chan struct{}, 1), seen: make(map[string]rival)}
}

func (rs *rivals) note(r rival) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if len(rs.seen) < maxRivals {
		rs.seen[r.member] = r
	}
	select {
	case rs.wake <- struct{}{}:
	default:
	}
}

// take returns those seen, the one that outranks the others first: who takes
// over from that one need not ask about the rest.
func (rs *rivals) take() []rival {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	all := slices.SortedFunc(maps.Values(rs.seen), func(a, b rival) int {
		if outranks(a.claim, b.claim) {
			return -1
		}
		return 1
	})
	clear(rs.seen)
	return all
}

const (
	// rivalGrace is how long a relay that is in company waits before it looks at
	// a rival again: a newcomer goes away by itself meanwhile.
	rivalGrace = 5 * time.Second

	// rivalPings is how often a rival is called, for half a second each, before
	// it is taken for dead. A newcomer whose predecessor crashed at another
	// address waits that long; a relay with a busy processor must answer in it.
	rivalPings = 5
)

// contest deals with the rivals seen. It returns an [ErrNameTaken] if one of
// them keeps the name, and whether this relay took the name over from one that
// is gone: before it crashed, the rival may have been this very relay.
func (d *Directory) contest(ctx context.Context) (tookOver bool, err error) {
	for _, r := range d.rivals.take() {
		lives, err := d.rivalLives(ctx, r)
		if err != nil {
			return tookOver, err
		}
		self := claim{d.member, d.addr, d.own.relayNow()}
		switch {
		case r.relay.Generation < self.relay.Generation:
			// It is gone, or will go when it hears of us.
		case !lives:
			d.takeOver(r)
			tookOver = true
		case d.hasToGo(self, r):
			return tookOver, fmt.Errorf("%w: %q is the relay at %s; give this one another --name",
				ErrNameTaken, d.cfg.Self.Name, r.gossip)
		default:
			d.log.Error("another relay has this name, too, and has to go", "gossip", r.gossip)
		}
	}
	return tookOver, nil
}

// rivalLives finds out whether somebody still answers to the rival's name. At
// this relay's own address it can only have been a predecessor.
func (d *Directory) rivalLives(ctx context.Context, r rival) (bool, error) {
	if r.gossip == d.addr || r.relay.Generation < d.own.relayNow().Generation {
		return false, nil
	}
	if d.company.Load() {
		if err := sleep(ctx, rivalGrace); err != nil {
			return false, err
		}
	}
	to := net.UDPAddrFromAddrPort(r.gossip)
	for range rivalPings {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if _, err := d.gossip.Ping(r.member, to); err == nil {
			return true, nil
		}
	}
	return false, nil
}

// hasToGo says whether this relay gives up its name to a rival that lives: a
// newcomer does to one that is in company, else the two compare.
func (d *Directory) hasToGo(self claim, r rival) bool {
	if company := d.company.Load(); company != r.company {
		return r.company
	}
	return outranks(r.claim, self)
}

// takeOver makes everybody prefer this process to the rival.
func (d *Directory) takeOver(r rival) {
	d.log.Info("took over the name from a relay that is gone", "gossip", r.gossip)
	d.change(func(o *own) bool {
		if r.relay.Generation < math.MaxUint32 {
			o.relay.Generation = max(o.relay.Generation, r.relay.Generation+1)
		}
		o.urgent = true
		return true
	})
}

// isRival says whether n, which describes r, is another member of our name.
func (d *Directory) isRival(n *memberlist.Node, r Relay) bool {
	return r.Name == d.cfg.Self.Name && n.Name != d.member
}

// sleep waits, or returns why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
