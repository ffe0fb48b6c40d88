package membership

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/hashicorp/memberlist"
)

// events is what memberlist calls, from its goroutines and with its lock held:
// everything here is quick and calls nobody back.
type events struct{ d *Directory }

var (
	_ memberlist.Delegate      = events{}
	_ memberlist.EventDelegate = events{}
	_ memberlist.AliveDelegate = events{}
	_ memberlist.MergeDelegate = events{}
)

// NodeMeta is what memberlist sends along with our name.
func (e events) NodeMeta(int) []byte { return *e.d.meta.Load() }

// NotifyAlive refuses a relay whose description cannot be used: it becomes no
// member, and what it says later changes nothing either.
func (e events) NotifyAlive(n *memberlist.Node) error {
	if n.Name == e.d.member {
		return nil
	}
	_, err := described(n)
	return err
}

// NotifyJoin enters a relay into the book.
func (e events) NotifyJoin(n *memberlist.Node) { e.update(n) }

// NotifyUpdate enters what a relay says now.
func (e events) NotifyUpdate(n *memberlist.Node) { e.update(n) }

func (e events) update(n *memberlist.Node) {
	if n.Name == e.d.member {
		meta := n.Meta
		e.d.accepted.Store(&meta)
		return
	}
	r, err := described(n)
	if err != nil {
		return // NotifyAlive let it pass; it cannot be
	}
	at := gossipAddr(n)
	if e.d.book.put(claim{n.Name, at, r}) {
		e.d.log.Info("relay joined", "relay", r.Name, "zone", r.Zone, "gossip", at)
	}
	if e.d.isRival(n, r) { // heard from others: of its company we know nothing
		e.d.rivals.note(rival{claim{n.Name, at, r}, e.d.company.Load()})
	}
}

// NotifyLeave takes a relay out of the book, whether it went or died.
func (e events) NotifyLeave(n *memberlist.Node) {
	if e.d.book.drop(n.Name) {
		e.d.log.Info("relay left", "relay", relayName(n.Name), "gossip", gossipAddr(n))
	}
}

// NotifyMerge looks at the members of a network that this relay is about to
// join, and does not join one in which another relay may have its name.
func (e events) NotifyMerge(peers []*memberlist.Node) error {
	var taken error
	lives := func(n *memberlist.Node) bool {
		return n.State == memberlist.StateAlive || n.State == memberlist.StateSuspect
	}
	company := slices.ContainsFunc(peers, func(n *memberlist.Node) bool {
		return lives(n) && relayName(n.Name) != e.d.cfg.Self.Name
	})
	generation := e.d.own.relayNow().Generation
	for _, n := range peers {
		r, err := described(n)
		if err != nil || !lives(n) || r.Generation < generation || !e.d.isRival(n, r) {
			continue
		}
		at := gossipAddr(n)
		e.d.rivals.note(rival{claim{n.Name, at, r}, company})
		if at != e.d.addr { // else it was there before us
			taken = fmt.Errorf("%w by the relay at %s", ErrNameTaken, at)
		}
	}
	if taken == nil && company {
		e.d.company.Store(true)
	}
	return taken
}

// NotifyMsg, GetBroadcasts, LocalState and MergeRemoteState are for what a
// program would send along by gossip; here that is nothing.
func (events) NotifyMsg([]byte)                {}
func (events) GetBroadcasts(_, _ int) [][]byte { return nil }
func (events) LocalState(bool) []byte          { return nil }
func (events) MergeRemoteState([]byte, bool)   {}

// described reads a member's description of itself.
func described(n *memberlist.Node) (Relay, error) {
	r, err := Decode(n.Meta)
	if err != nil {
		return Relay{}, err
	}
	if r.Name != relayName(n.Name) {
		return Relay{}, fmt.Errorf("%w: it calls itself %q", ErrRelay, r.Name)
	}
	return r, nil
}

func gossipAddr(n *memberlist.Node) netip.AddrPort {
	ip, _ := netip.AddrFromSlice(n.Addr)
	return netip.AddrPortFrom(ip.Unmap(), n.Port)
}
