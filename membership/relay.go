package membership

import (
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How long the parts of a description may be. They add up to less than
// [MaxEncoded], so that a relay which could once describe itself always can,
// whatever its load, state and certificates become.
const (
	MaxName         = 64  // bytes of Relay.Name
	MaxZone         = 32  // bytes of Relay.Zone
	MaxURL          = 160 // bytes of Relay.URL
	MaxAddr         = 80  // bytes of Relay.Addr
	MaxVersion      = 32  // bytes of Relay.Version
	MaxCertificates = 3   // hashes in Relay.CertificateSHA256
)

// A Relay is what the network knows of one of its relays.
type Relay struct {
	// Name identifies the relay in the network: letters, digits, '.', '_', '-'.
	Name string

	// Zone is its failure and latency domain, of the same letters. May be empty:
	// relays without a zone stand in one zone together.
	Zone string

	// URL is where clients connect: https, and reachable from outside.
	URL string

	// Addr is the HOST:PORT (UDP) where other relays connect.
	Addr string

	// CertificateSHA256 are the hashes of the certificates it shows to clients
	// and relays: the current one and, around a rotation, its neighbours.
	CertificateSHA256 [][32]byte

	// HopID is its id in the hops of an announcement.
	HopID uint64

	// Capacity is how many listeners it is meant for.
	Capacity uint32

	// Load is how much of that is used, 0 to 100, in steps of [LoadStep].
	Load uint8

	// State says whether it takes newcomers.
	State State

	// Generation is how often the name was taken over from a process that had
	// crashed, and was still believed alive. Of two relays of one name, the later
	// generation is the one that lives. A [Directory] sets it.
	Generation uint32

	// Started is when the process started, by its own clock, in whole seconds: a
	// relay that restarted is another one to those who had sessions with it.
	Started time.Time

	// Version is the software's.
	Version string
}

// State is where a relay is in its life.
type State uint8

const (
	// Starting is reachable by relays, and not yet serving.
	Starting State = iota
	// Ready takes newcomers.
	Ready
	// Draining serves who is there and takes nobody else.
	Draining
)

// String returns the state's name. A later version may know more states; their
// relays take no newcomers here.
func (s State) String() string {
	switch s {
	case Starting:
		return "starting"
	case Ready:
		return "ready"
	case Draining:
		return "draining"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Equal reports whether two descriptions say the same.
func (r Relay) Equal(o Relay) bool {
	return r.Name == o.Name && r.Zone == o.Zone && r.URL == o.URL && r.Addr == o.Addr &&
		r.HopID == o.HopID && r.Capacity == o.Capacity && r.Load == o.Load && r.State == o.State &&
		r.Generation == o.Generation &&
		r.Started.Equal(o.Started) && r.Version == o.Version &&
		slices.Equal(r.CertificateSHA256, o.CertificateSHA256)
}

// Validate reports what is wrong with r, wrapped in [ErrRelay]. Nothing that
// fails it is ever sent, nor accepted from another relay.
func (r Relay) Validate() error {
	started := r.Started.Unix()
	switch {
	case !isName(r.Name) || len(r.Name) > MaxName:
		return fmt.Errorf("%w: name %.80q: want 1 to %d of A-Z a-z 0-9 . _ -", ErrRelay, r.Name, MaxName)
	case r.Zone != "" && !isName(r.Zone) || len(r.Zone) > MaxZone:
		return fmt.Errorf("%w: zone %.80q: want at most %d of A-Z a-z 0-9 . _ -", ErrRelay, r.Zone, MaxZone)
	case len(r.Version) > MaxVersion || strings.ContainsFunc(r.Version, unprintable):
		return fmt.Errorf("%w: version %.80q: want at most %d printable ASCII characters", ErrRelay, r.Version, MaxVersion)
	case len(r.CertificateSHA256) > MaxCertificates:
		return fmt.Errorf("%w: %d certificates: at most %d", ErrRelay, len(r.CertificateSHA256), MaxCertificates)
	case r.Load > 100:
		return fmt.Errorf("%w: load %d: a percentage", ErrRelay, r.Load)
	case !r.Started.IsZero() && (started < 0 || started > math.MaxUint32):
		return fmt.Errorf("%w: started %v: want 1970 to 2105", ErrRelay, r.Started)
	}
	if err := checkURL(r.URL); err != nil {
		return err
	}
	return checkAddr(r.Addr)
}

func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		return !letter && !strings.ContainsRune("._-", c)
	})
}

func unprintable(c rune) bool { return c <= ' ' || c > '~' }

func checkURL(s string) error {
	if len(s) > MaxURL || strings.ContainsFunc(s, unprintable) {
		return fmt.Errorf("%w: url %.200q: want at most %d printable ASCII characters", ErrRelay, s, MaxURL)
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("%w: url %q: want https://HOST[:PORT][/PATH]", ErrRelay, s)
	}
	return nil
}

func checkAddr(s string) error {
	if len(s) > MaxAddr || strings.ContainsFunc(s, unprintable) {
		return fmt.Errorf("%w: address %.100q: want at most %d printable ASCII characters", ErrRelay, s, MaxAddr)
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" {
		return fmt.Errorf("%w: address %q: want HOST:PORT", ErrRelay, s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%w: address %q: port: want 1 to 65535", ErrRelay, s)
	}
	return nil
}
