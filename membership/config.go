package membership

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// Config is what a directory is told. Self and Bind have no default.
type Config struct {
	// Self describes this relay. A zero Started means now.
	Self Relay

	// Bind is the HOST:PORT that gossip is heard on, UDP and TCP. An empty host
	// is every address; port 0 picks a free one.
	Bind string

	// Advertise is the HOST:PORT that others reach Bind at; port 0 is the port of
	// Bind. Empty is the host of Bind or, where that is every address, the one
	// that the default route goes out from.
	Advertise string

	// Keys encrypt the gossip: the first one encrypts, each of them decrypts. No
	// keys are taken on a loopback address only, since whoever can speak to a
	// relay without a key can name the certificates it trusts.
	Keys []Key

	// Join are HOST:PORT of other relays, one of which has to answer once. A name
	// may stand for many relays. They are asked again, for ever, as long as this
	// relay is alone and as often as one of them is not a member.
	Join []string

	// Transport carries the gossip in place of UDP and TCP; Bind and Advertise
	// are not looked at then. For simulations.
	Transport Transport

	// Lookup finds the addresses of a host name. Nil asks the system.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

	// Logger receives what an operator should see. Nil discards it.
	Logger *slog.Logger

	// Now tells the time that Started is set to. Nil means [time.Now]. The clocks
	// of relays need not agree.
	Now func() time.Time
}

// maxJoin is how many seeds there may be: a typing error, not a limit.
const maxJoin = 256

func (c Config) withDefaults() (Config, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Lookup == nil {
		c.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if c.Self.Started.IsZero() {
		c.Self.Started = c.Now()
	}
	c.Self = copied(c.Self)
	return c, c.check()
}

func (c Config) check() error {
	if err := c.Self.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if len(c.Join) > maxJoin {
		return fmt.Errorf("%w: %d seeds: at most %d", ErrConfig, len(c.Join), maxJoin)
	}
	for _, seed := range c.Join {
		if host, port, err := splitAddr(seed); err != nil || host == "" || port == 0 {
			return fmt.Errorf("%w: --join %q: want HOST:PORT", ErrConfig, seed)
		}
	}
	if c.Transport != nil {
		return nil
	}
	host, _, err := splitAddr(c.Bind)
	if err != nil {
		return fmt.Errorf("%w: --gossip: %w", ErrConfig, err)
	}
	if ip, err := netip.ParseAddr(host); len(c.Keys) == 0 && host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("%w: --gossip %q can be reached from other machines and needs a --gossip-key", ErrConfig, c.Bind)
	}
	if c.Advertise == "" {
		return nil
	}
	if host, _, err := splitAddr(c.Advertise); err != nil || host == "" {
		return fmt.Errorf("%w: the address to advertise, %q: want HOST:PORT", ErrConfig, c.Advertise)
	}
	return nil
}

// splitAddr takes HOST:PORT apart.
func splitAddr(s string) (host string, port int, err error) {
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, fmt.Errorf("%q: want HOST:PORT: %w", s, err)
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%q: port: want 0 to 65535", s)
	}
	return host, int(n), nil
}

// copied returns r as others will read it, with nothing shared.
func copied(r Relay) Relay {
	r.CertificateSHA256 = slices.Clone(r.CertificateSHA256)
	if !r.Started.IsZero() {
		r.Started = time.Unix(r.Started.Unix(), 0)
	}
	return r
}
