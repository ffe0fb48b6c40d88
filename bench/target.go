package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/stentor-audio/stentor/bench/process"
)

// A target is the relay that is measured: one that was started for it, or one
// that runs already.
type target struct {
	url   *url.URL
	token string
	child *process.Child // nil: not ours
	meter *process.Meter // nil: unknown
	admin string         // HOST:PORT; empty: unknown
}

// openTarget starts a relay, or looks at the one that was named.
func openTarget(ctx context.Context, o Options) (*target, error) {
	if o.Relay == "" {
		return startRelay(ctx, o)
	}
	u, err := url.Parse(o.Relay)
	if err != nil {
		return nil, fmt.Errorf("%w: relay: %w", ErrOptions, err)
	}
	t := &target{url: u, token: o.Token}
	if o.PID == 0 {
		return t, nil
	}
	if t.meter, err = process.Open(o.PID); err != nil {
		if errors.Is(err, process.ErrUnsupported) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return t, nil
}

// startRelay starts a relay on free ports of the loopback.
func startRelay(ctx context.Context, o Options) (*target, error) {
	t := &target{}
	args := []string{"relay", "--open", "--listen", "127.0.0.1:0", "--http", "", "--name", "bench",
		"--log-level", "warn", "--capacity", strconv.Itoa(max(5000, o.Listeners+o.Freeze+10))}
	if o.Profile != "" {
		admin, err := process.FreePort()
		if err != nil {
			return nil, err
		}
		t.admin = admin
	}
	args = append(args, "--admin", t.admin)
	child, err := process.Start(ctx, process.Options{Path: o.Executable, Args: args})
	if err != nil {
		return nil, err
	}
	t.child = child
	fields := strings.Fields(child.Ready()) // NAME URL
	if len(fields) != 2 {
		t.close()
		return nil, fmt.Errorf("relay: its ready line has no name and URL: %q", child.Ready())
	}
	if t.url, err = url.Parse(fields[1]); err == nil {
		t.meter, err = process.Open(child.PID())
	}
	if err != nil {
		t.close()
		return nil, fmt.Errorf("relay: %w", err)
	}
	return t, nil
}

// address is HOST:PORT.
func (t *target) address() string {
	port := t.url.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(t.url.Hostname(), port)
}

// path is the request path of a session, with the token.
func (t *target) path() string {
	u := url.URL{Path: t.url.Path, RawQuery: t.url.RawQuery}
	if t.token != "" {
		q := u.Query()
		q.Set("jwt", t.token)
		u.RawQuery = q.Encode()
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

// tls verifies the relay, unless it can only be on this machine: then its
// certificate is one that it made itself.
func (t *target) tls() *tls.Config {
	host := t.url.Hostname()
	ip, err := netip.ParseAddr(host)
	if strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback() {
		return &tls.Config{InsecureSkipVerify: true}
	}
	return &tls.Config{MinVersion: tls.VersionTLS13}
}

// died is closed when a relay of ours has ended.
func (t *target) died() <-chan struct{} {
	if t.child == nil {
		return nil
	}
	return t.child.Done()
}

// close ends a relay of ours.
func (t *target) close() {
	if t.child != nil {
		_ = t.child.Stop() // how it ended was of interest only before
	}
}
