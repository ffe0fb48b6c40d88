package relay

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/stentor-audio/stentor/relay/floor"
	"github.com/stentor-audio/stentor/relay/plan"
)

// Config is what a relay is told. The zero value refuses to start: it must say
// who may come in.
type Config struct {
	// Listen is the address of the UDP port (native QUIC and WebTransport) and of
	// the TCP port of the same number (HTTPS, WebSocket). Empty means ":4443"; port 0 picks
	// a free one.
	Listen string

	// HTTP is a loopback address that serves the public HTTP in the clear. Empty
	// serves none.
	HTTP string

	// Admin is the address of metrics, health and profiles. Empty serves none.
	Admin string

	// Name names the relay to operators and listeners. Empty means the host name.
	Name string

	// Zone is the failure and latency domain the relay stands in. May be empty.
	Zone string

	// Advertise is the HOST:PORT that clients reach the relay at. Empty means
	// the listening port on the host of Listen, or on 127.0.0.1 where that is
	// every address.
	Advertise string

	// CertFile and KeyFile hold a PEM certificate and its key, read again when
	// they change. Empty means a self-made certificate that is rotated.
	CertFile, KeyFile string

	// Keys is a JWK file, or a folder of KID.jwk, whose tokens are accepted.
	Keys string

	// Open lets everybody publish, subscribe, and command every room as its host,
	// without a token. Listen has to be a loopback address then. Exactly one of Keys
	// and Open must be given, or OpenListen.
	Open bool

	// OpenListen lets everybody listen without a token, and nobody do anything else
	// but by Keys.
	OpenListen bool

	// HostGrace is how long a room's hosts may be gone until a co-host stands in.
	// Zero means [roomstate.DefaultGrace].
	HostGrace time.Duration

	// AllowedOrigins are the pages that may open a WebTransport session or a
	// WebSocket, as
	// "https://host[:port]". Empty allows every page: a session carries no
	// cookie, only the token it was given.
	AllowedOrigins []string

	// DataDir keeps the certificate, the stateless-reset key and the hop id
	// across restarts. Empty makes them anew each time.
	DataDir string

	// Gossip is the HOST:PORT, UDP and TCP, that relays of a network find each
	// other on. Empty is a relay that stands alone, unless there is Join: then it
	// is ":7946".
	Gossip string

	// Join are HOST:PORT of the gossip of other relays; a name may stand for
	// several of them. They are asked until one answers, for ever.
	Join []string

	// GossipKey is a file with the key all relays of the network share. It may be
	// empty only on loopback addresses.
	GossipKey string

	// Capacity is how many listeners the relay is meant for. Zero means 5000.
	// Listeners above twice of it are refused; some sessions more are kept for those
	// who may speak (see package admission).
	Capacity int

	// Egress is how many packets a second the relay may send: newcomers are sent
	// elsewhere as it comes near. Zero is no limit.
	Egress int

	// JoinRate is how many handshakes a second the relay begins at the most. Zero
	// finds out what the machine has to spare, if the process is the relay's alone
	// ([TuneProcess]), and else is no limit.
	JoinRate float64

	// Drain is how long Run waits at its end for the sessions to go on at other
	// relays, if there are any. Zero means [DefaultDrain], a negative one does not
	// wait.
	Drain time.Duration

	// Degree is how many relays one feeds at most in a room that this relay is the
	// first root of: up to so many, the roots feed all. Zero means
	// [plan.DefaultDegree]; it is plan.MinDegree at the least.
	Degree int

	// Loudest is how many speakers of a room listeners hear at once, if more are on its
	// stage: the loudest. Zero means [floor.DefaultN].
	Loudest int

	// Version is the software's, for operators. May be empty.
	Version string

	// OnReady is called once the relay serves. Nil tells nobody.
	OnReady func(*Relay)

	// Logger receives what an operator should see. Nil discards it.
	Logger *slog.Logger

	// Now tells the time. Nil means [time.Now].
	Now func() time.Time
}

// ErrConfig says that a relay cannot start as it was told.
var ErrConfig = errors.New("relay configuration")

func (c Config) withDefaults() (Config, error) {
	host, _ := os.Hostname()
	c.Listen = cmp.Or(c.Listen, ":4443")
	c.Name = cmp.Or(c.Name, host, "relay")
	c.Capacity = cmp.Or(c.Capacity, 5000)
	c.Drain = cmp.Or(c.Drain, DefaultDrain)
	c.Loudest = cmp.Or(c.Loudest, floor.DefaultN)
	if len(c.Join) > 0 {
		c.Gossip = cmp.Or(c.Gossip, ":7946")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, c.check()
}

func (c Config) check() error {
	switch {
	case c.Keys == "" && !c.Open && !c.OpenListen:
		return fmt.Errorf("%w: nobody may come in: give --keys FILE (tokens, see 'stentor token --help'), --open (everybody on this machine may publish, listen and command rooms) or --open=listen (everybody may listen)", ErrConfig)
	case c.Keys != "" && c.Open:
		return fmt.Errorf("%w: --keys and --open exclude each other: choose one, or --keys with --open=listen", ErrConfig)
	case c.Open && c.OpenListen:
		return fmt.Errorf("%w: --open and --open=listen exclude each other: choose one", ErrConfig)
	case c.HostGrace < 0:
		return fmt.Errorf("%w: --host-grace %v: give a time above 0", ErrConfig, c.HostGrace)
	case (c.CertFile == "") != (c.KeyFile == ""):
		return fmt.Errorf("%w: --cert and --key go together: give both or neither", ErrConfig)
	case c.Capacity < 0:
		return fmt.Errorf("%w: --capacity %d: give a number of listeners above 0", ErrConfig, c.Capacity)
	case c.Egress < 0:
		return fmt.Errorf("%w: --egress %d: give a number of packets a second above 0", ErrConfig, c.Egress)
	case c.JoinRate < 0 || math.IsNaN(c.JoinRate) || math.IsInf(c.JoinRate, 0):
		return fmt.Errorf("%w: --join-rate %v: give a number of handshakes a second above 0", ErrConfig, c.JoinRate)
	case c.Degree != 0 && (c.Degree < plan.MinDegree || c.Degree > plan.MaxDegree):
		return fmt.Errorf("%w: --degree %d: give %d to %d relays that one feeds", ErrConfig, c.Degree, plan.MinDegree, plan.MaxDegree)
	case c.Loudest < 0:
		return fmt.Errorf("%w: --loudest %d: give a number of speakers above 0", ErrConfig, c.Loudest)
	case strings.ContainsFunc(c.Name, unicode.IsControl):
		return fmt.Errorf("%w: --name %q has a control character; it must fit into a line", ErrConfig, c.Name)
	}
	if err := checkAddress("--listen", c.Listen); err != nil {
		return err
	}
	if c.Open && !isLoopback(c.Listen) {
		return fmt.Errorf("%w: --open lets whoever reaches --listen %q speak, mute and end rooms: listen on a loopback address such as 127.0.0.1:4443, give --keys FILE, or let everybody only listen with --open=listen", ErrConfig, c.Listen)
	}
	if c.Advertise != "" {
		if err := checkAddress("--advertise", c.Advertise); err != nil {
			return err
		}
	}
	if c.Gossip != "" {
		if err := checkAddress("--gossip", c.Gossip); err != nil {
			return err
		}
	}
	if c.HTTP == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.HTTP)
	if err != nil {
		return fmt.Errorf("%w: --http %q: want HOST:PORT: %w", ErrConfig, c.HTTP, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%w: --http %q serves in the clear and only on a loopback address such as 127.0.0.1:8080; others reach HTTPS on --listen", ErrConfig, c.HTTP)
	}
	return nil
}

// isLoopback reports whether an address is reached from this machine alone. One that
// is none is complained about elsewhere.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err != nil || host == "localhost" || ip != nil && ip.IsLoopback()
}

// warnOpen says loudly what is allowed to whom nobody knows.
func (r *Relay) warnOpen() {
	switch {
	case r.cfg.Open:
		r.log.Warn("OPEN: whoever reaches this relay may speak, listen, and mute, remove and end in every room, without a token", "listen", r.cfg.Listen)
	case r.cfg.OpenListen && r.cfg.Keys == "":
		r.log.Warn("OPEN TO LISTENERS: whoever reaches this relay may listen to every room, without a token; without --keys nobody may speak here", "listen", r.cfg.Listen)
	case r.cfg.OpenListen:
		r.log.Warn("OPEN TO LISTENERS: whoever reaches this relay may listen to every room, without a token", "listen", r.cfg.Listen)
	}
}

func checkAddress(flag, addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fmt.Errorf("%w: %s %q: want HOST:PORT, such as :4443: %w", ErrConfig, flag, addr, err)
	}
	return nil
}

// State is where a relay is in its life.
type State int32

const (
	// Starting relays do not serve yet.
	Starting State = iota
	// Ready relays take newcomers.
	Ready
	// Draining relays serve who is there and take nobody else.
	Draining
)

func (s State) String() string {
	switch s {
	case Starting:
		return "starting"
	case Ready:
		return "ready"
	case Draining:
		return "draining"
	}
	return fmt.Sprintf("State(%d)", int32(s))
}
