package relay

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/deliver"
	"github.com/stentor-audio/stentor/relay/ingest"
	"github.com/stentor-audio/stentor/relay/uplink"
)

// A mesh is a relay's part in a network of relays: the directory it is listed
// in, the sessions with the others, and the rooms it takes from them.
type mesh struct {
	relay     *Relay
	directory *membership.Directory
	links     *uplink.Links
	rooms     *uplink.Rooms
	reports   reports // as this relay asked for them
	answers   reports // as others did, this being a root
}

// newMesh joins nobody yet, but takes the gossip port.
func newMesh(r *Relay) (*mesh, error) {
	var keys []membership.Key
	if r.cfg.GossipKey != "" {
		var err error
		if keys, err = membership.LoadKeys(r.cfg.GossipKey); err != nil {
			return nil, fmt.Errorf("%w: --gossip-key: %w", ErrConfig, err)
		}
	}
	host, err := gossipHost(r.cfg)
	if err != nil {
		return nil, err
	}
	self := membership.Relay{
		Name:              r.cfg.Name,
		Zone:              r.cfg.Zone,
		URL:               r.URL(),
		Addr:              r.peerAddr(host),
		CertificateSHA256: r.certificateSums(),
		HopID:             r.hopID,
		Capacity:          uint32(r.cfg.Capacity),
		State:             membership.Starting,
		Version:           r.cfg.Version,
	}
	d, err := membership.New(membership.Config{
		Self:      self,
		Bind:      r.cfg.Gossip,
		Advertise: net.JoinHostPort(host, "0"),
		Keys:      keys,
		Join:      r.cfg.Join,
		Logger:    r.log,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: --gossip: %w", ErrConfig, err)
	}
	m := &mesh{relay: r, directory: d}
	m.links = uplink.NewLinks(m.dial)
	m.rooms = uplink.NewRooms(uplink.Config{
		Self:      r.cfg.Name,
		Roots:     m.directoryRoots,
		Known:     m.known,
		Heed:      func(relays []string) []string { return r.others.heed(relays) },
		Changed:   func() <-chan struct{} { _, next := r.others.heeded.Get(); return next },
		Links:     m.links,
		Follow:    m.follow,
		Plans:     m.plans,
		FirstHand: m.firstHand,
		Keep: func(ctx context.Context, room string) {
			var parts sync.WaitGroup
			parts.Go(func() { r.origin.Keep(ctx, protocol.Path(room)) })
			parts.Go(func() { r.floor.Attend(ctx, room) })
			parts.Wait()
		},
		Degree: r.cfg.Degree,
		Logger: r.log,
	})
	return m, nil
}

// gossipHost is the address that other relays reach this one at, for gossip and
// for audio: what is advertised, what is listened on, or where the default route
// goes out.
func gossipHost(c Config) (string, error) {
	for _, addr := range []string{c.Advertise, c.Gossip, c.Listen} {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			continue
		}
		if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
			return host, nil
		}
	}
	// No packet is sent: this only asks for the route.
	conn, err := net.Dial("udp", "192.0.2.1:9")
	if err != nil {
		return "", fmt.Errorf("%w: this machine has no address that others could reach it at; give --advertise HOST:PORT", ErrConfig)
	}
	defer func() { _ = conn.Close() }()
	return conn.LocalAddr().(*net.UDPAddr).IP.String(), nil
}

// peerAddr is where other relays connect.
func (r *Relay) peerAddr(host string) string {
	port := r.udp.LocalAddr().(*net.UDPAddr).Port
	if _, advertised, err := net.SplitHostPort(r.cfg.Advertise); err == nil && advertised != "" {
		return net.JoinHostPort(host, advertised)
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// certificateSums are the hashes of the certificates that are in use, the
// current one first.
func (r *Relay) certificateSums() [][32]byte {
	var sums [][32]byte
	for _, known := range r.certificates.Known() {
		b, err := hex.DecodeString(known)
		if err != nil || len(b) != 32 || len(sums) == membership.MaxCertificates {
			continue
		}
		sums = append(sums, [32]byte(b))
	}
	return sums
}

// run takes part in the network until ctx ends.
func (m *mesh) run(ctx context.Context) error {
	var err error
	if err = m.directory.Run(ctx); ctx.Err() != nil {
		err = nil
	}
	return err
}

// describeEvery is how often the relay looks at what it says of itself. What the
// others hear is paced by the directory.
const describeEvery = 500 * time.Millisecond

// describe keeps what the network knows of this relay up to date.
func (m *mesh) describe(ctx context.Context) {
	tick := time.NewTicker(describeEvery)
	defer tick.Stop()
	for {
		state, changed := m.relay.state.Get()
		m.directory.SetState(memberState(state))
		m.directory.SetLoad(m.relay.load())
		if err := m.directory.SetCertificates(m.relay.certificateSums()...); err != nil {
			m.relay.log.Warn("the network cannot be told of a certificate", "cause", err)
		}
		select {
		case <-tick.C:
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func memberState(s State) membership.State {
	switch s {
	case Ready:
		return membership.Ready
	case Draining:
		return membership.Draining
	default:
		return membership.Starting
	}
}

// close leaves every room.
func (m *mesh) close() { m.rooms.Close() }

// roots are the names of a room's roots, red first: by its plan, if there is one
// here that leads anywhere, or as the directory would have them.
func (m *mesh) roots(room string) []string {
	if p := m.rooms.Plan(room); p != nil {
		known := m.directory.Snapshot()
		red, blue := p.Roots()
		_, hasRed := membership.Find(known, red)
		_, hasBlue := membership.Find(known, blue)
		switch {
		case hasRed && red == blue:
			return []string{red}
		case hasRed || hasBlue:
			return []string{red, blue}
		}
	}
	return m.directoryRoots(room)
}

// known is the directory as it stands, with this relay's own state, without making
// a copy where that is in it.
func (m *mesh) known() []membership.Relay {
	known := m.directory.Snapshot()
	self, ok := membership.Find(known, m.relay.cfg.Name)
	if ok && self.State == memberState(m.relay.State()) {
		return known
	}
	return m.relay.known()
}

// directoryRoots are the roots of a room that has no plan, if it has to do without
// some relays.
func (m *mesh) directoryRoots(room string, without ...string) []string {
	known := m.directory.Snapshot()
	if len(without) > 0 {
		known = slices.DeleteFunc(slices.Clone(known), func(r membership.Relay) bool { return slices.Contains(without, r.Name) })
	}
	red, blue := placement.Roots(room, known)
	var names []string
	for _, root := range []membership.Relay{red, blue} {
		if root.Name != "" {
			names = append(names, root.Name)
		}
	}
	return names
}

// follow takes in what another relay announces of a room.
func (m *mesh) follow(ctx context.Context, s *session.Session, relay string, room protocol.Path, offers func(int)) error {
	in := ingest.New(m.relay.origin, s, ingest.Config{
		Prefixes: []protocol.Path{room},
		HopID:    m.relay.hopID,
		Relay:    true,
		OnOffers: offers,
		Logger:   m.relay.log.With("relay", relay),
	})
	if err := in.Run(ctx); err != nil {
		return err
	}
	return errors.New("its announcements ended")
}

// firstHand takes in what is spoken at another relay, until ctx or the session
// ends: this is how a speaker's voice reaches the roots.
func (m *mesh) firstHand(ctx context.Context, s *session.Session, relay, room string) {
	in := ingest.New(m.relay.origin, s, ingest.Config{
		Prefixes: []protocol.Path{deliver.FirstHand.Join(protocol.Path(room))},
		Path: func(name protocol.Path) protocol.Path {
			path, _ := name.TrimPrefix(deliver.FirstHand)
			return path
		},
		HopID:  m.relay.hopID,
		Relay:  true,
		Logger: m.relay.log.With("relay", relay),
	})
	if err := in.Run(ctx); err != nil && ctx.Err() == nil && s.Context().Err() == nil {
		m.relay.log.Warn("what is spoken at a relay cannot be had", "relay", relay, "room", room, "cause", err)
	}
}

// planPriority is that of a relay which takes part in the room whose plan it
// follows.
const planPriority = 80

// plans follows the plans of a room that another relay holds.
func (m *mesh) plans(ctx context.Context, s *session.Session, room string, wants func() (bool, <-chan struct{}), each func([]byte)) error {
	delivery := func() (d protocol.Delivery, changed <-chan struct{}) {
		wanted, changed := wants()
		if wanted {
			d.Priority = planPriority
		}
		return d, changed
	}
	return followReport(ctx, s, room, deliver.PlanTrack, delivery, each)
}

// followReport follows what another relay says of a room, until ctx or the session
// ends. delivery is how it is asked for, and says when that has changed.
func followReport(ctx context.Context, s *session.Session, room, track string, delivery func() (protocol.Delivery, <-chan struct{}), each func([]byte)) error {
	d, changed := delivery()
	sub, err := s.Subscribe(ctx, protocol.Subscribe{
		Broadcast: deliver.Reports.Join(protocol.Path(room)), Track: track, Delivery: d,
	}, planSink(each))
	if err != nil {
		return err
	}
	defer sub.Close()
	for {
		select {
		case <-changed:
		case <-sub.Done():
			return sub.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if d, changed = delivery(); sub.Update(d) != nil {
			<-sub.Done()
			return sub.Err()
		}
	}
}

// planSink takes plans, each a group of one frame, and what has changed of a room's state.
// All of them, in whatever order they come: plans have versions, and changes are merged.
type planSink func([]byte)

// Datagram implements [session.Sink]: no plan comes as one.
func (planSink) Datagram(uint64, protocol.Frame) {}

// Group implements [session.Sink].
func (take planSink) Group(_ context.Context, g *session.GroupReader) {
	if f, err := g.Next(); err == nil {
		take(f.Payload)
	}
}
