package membership

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

// leaveTimeout is how long a relay that ends waits until the news of it has
// gone out.
const leaveTimeout = 3 * time.Second

// A Directory is one relay's view of the network, and its place in it. Its
// methods may be called from anywhere.
type Directory struct {
	// Set by New, constant afterwards.
	cfg       Config
	log       *slog.Logger
	member    string         // this process's name in the gossip
	addr      netip.AddrPort // that others reach the gossip at
	gossip    *memberlist.Memberlist
	transport *transport
	offspring offspring
	muted     atomic.Bool // memberlist's log, while closing

	book    *book
	own     own
	meta    atomic.Pointer[[]byte] // what is announced of this relay
	changed chan struct{}          // holds one when own is newer than meta

	// accepted is what memberlist announces of this relay; it gives up an
	// announcement that somebody's doubt has overtaken.
	accepted atomic.Pointer[[]byte]

	rivals  rivals      // seen by memberlist, judged by seek
	company atomic.Bool // another relay let this one in, or was let in here
	closed  sync.Once
}

// New makes a directory and takes its ports. Run must follow, or Close: they
// give them back. It does not look for other relays yet, but answers those that
// look for this one.
func New(cfg Config) (*Directory, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	member := memberName(cfg.Self.Name)
	d := &Directory{
		cfg:       cfg,
		log:       cfg.Logger,
		member:    member,
		book:      newBook(member, cfg.Self),
		changed:   make(chan struct{}, 1),
		rivals:    newRivals(),
		offspring: newOffspring(cfg.Self.Name),
	}
	d.own.relay = cfg.Self
	d.own.meter.step = cfg.Self.Load
	meta, err := Encode(cfg.Self)
	if err != nil {
		return nil, err
	}
	d.meta.Store(&meta)
	d.accepted.Store(&meta)
	if err := d.open(context.Background()); err != nil {
		return nil, fmt.Errorf("gossip: %w", err)
	}
	d.log.Info("gossip", "address", d.addr, "encrypted", len(cfg.Keys) > 0)
	return d, nil
}

// open takes the ports and starts memberlist on them.
func (d *Directory) open(ctx context.Context) error {
	log := &gossipLog{to: d.log.Handler(), muted: &d.muted}
	inner, advertise, err := d.listen(ctx, log)
	if err != nil {
		return err
	}
	c := tuned()
	c.Name = d.member
	c.AdvertiseAddr, c.AdvertisePort = advertise.Addr().String(), int(advertise.Port())
	ip, port, err := inner.FinalAdvertiseAddr(c.AdvertiseAddr, c.AdvertisePort)
	if err == nil {
		d.addr = gossipAddr(&memberlist.Node{Addr: ip, Port: uint16(port)})
		c.Keyring, err = keyring(d.cfg.Keys)
	}
	if err != nil {
		_ = inner.Shutdown()
		return err
	}
	d.transport = newTransport(inner)
	c.Transport = d.transport
	c.Logger = slog.NewLogLogger(log, slog.LevelDebug)
	e := events{d}
	c.Delegate, c.Events, c.Alive, c.Merge = e, e, e, e
	d.offspring.start(func() { d.gossip, err = memberlist.Create(c) })
	if err != nil {
		_ = d.transport.Shutdown()
	}
	return err
}

// listen takes the ports, and finds out what others reach them at.
func (d *Directory) listen(ctx context.Context, log *gossipLog) (Transport, netip.AddrPort, error) {
	if d.cfg.Transport != nil {
		return d.cfg.Transport, netip.AddrPort{}, nil
	}
	host, port, err := bindAddress(ctx, d.cfg)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	var n network
	d.offspring.start(func() { n, err = listenNetwork(host, port, log) })
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	at, err := advertised(ctx, d.cfg, host, n.GetAutoBindPort())
	if err != nil {
		_ = n.Shutdown()
		return nil, netip.AddrPort{}, err
	}
	return n, at, nil
}

// keyring makes memberlist's of ours; none if there is no key.
func keyring(keys []Key) (*memberlist.Keyring, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	var all [][]byte
	for _, k := range keys {
		all = append(all, bytes.Clone(k[:]))
	}
	return memberlist.NewKeyring(all, all[0])
}

// Addr is where others reach this relay's gossip: what they can --join.
func (d *Directory) Addr() netip.AddrPort { return d.addr }

// Run takes part in the network until ctx ends, then says goodbye, closes the
// ports and waits for every goroutine. It returns why it ended, never nil; an
// [ErrNameTaken] is for the operator to solve.
func (d *Directory) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	// memberlist cannot be interrupted, but what it waits for can.
	release := context.AfterFunc(ctx, d.transport.hangUp)
	defer release()

	var parts sync.WaitGroup
	parts.Go(func() { d.publish(ctx) })
	parts.Go(func() { d.announce(ctx) })
	parts.Go(func() { stop(d.seek(ctx)) })
	parts.Wait()
	d.leave()
	_ = d.Close()
	return context.Cause(ctx)
}

func (d *Directory) leave() {
	if err := d.gossip.Leave(leaveTimeout); err != nil {
		d.log.Warn("left without a goodbye", "err", err)
	}
}

// Close gives back the ports of a directory that did not Run, and waits for its
// goroutines. It may be called again.
func (d *Directory) Close() error {
	d.closed.Do(func() {
		d.muted.Store(true)
		d.book.close()
		_ = d.gossip.Shutdown()
		d.offspring.wait()
	})
	return nil
}

// publish makes a snapshot of what gossip brings, every now and then.
func (d *Directory) publish(ctx context.Context) {
	for {
		select {
		case <-d.book.stale:
			d.book.publish()
		case <-ctx.Done():
			return
		}
		if sleep(ctx, publishInterval) != nil {
			return
		}
	}
}
