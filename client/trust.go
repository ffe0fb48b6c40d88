package client

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// A pinError is a certificate that does not pass the pins.
type pinError struct{ text string }

func (e *pinError) Error() string { return e.text }

// tlsConfig is how a relay is verified: by pins where there are some, not at all
// on this machine, by authorities otherwise.
func tlsConfig(e endpoint, o Options, pins []Hash) *tls.Config {
	cfg := &tls.Config{}
	if o.TLS != nil {
		cfg = o.TLS.Clone()
	}
	cfg.MinVersion = tls.VersionTLS13
	if cfg.ServerName == "" {
		cfg.ServerName = e.host
	}
	switch {
	case len(pins) > 0:
		cfg.InsecureSkipVerify = true // VerifyConnection does it
		cfg.VerifyConnection = func(state tls.ConnectionState) error {
			return verifyPin(state, pins, time.Now())
		}
	case o.TLS == nil && e.loopback():
		// Whoever can put a listener on a loopback address is on this machine
		// already; a development relay has a certificate nobody knows.
		o.Logger.Debug("certificate not verified: the relay is on this machine", "relay", e.String())
		cfg.InsecureSkipVerify = true
	}
	return cfg
}

// A shown is the hash of the certificate that a relay showed.
type shown struct{ atomic.Pointer[Hash] }

// watch lets cfg note what is shown, once it has passed.
func (s *shown) watch(cfg *tls.Config) *tls.Config {
	verify := cfg.VerifyConnection
	cfg.VerifyConnection = func(state tls.ConnectionState) error {
		if verify != nil {
			if err := verify(state); err != nil {
				return err
			}
		}
		if len(state.PeerCertificates) > 0 {
			h := Hash(sha256.Sum256(state.PeerCertificates[0].Raw))
			s.Store(&h)
		}
		return nil
	}
	return cfg
}

// verifyPin checks the hash and the time of the leaf, and nothing else: that is
// what browsers do with serverCertificateHashes, too.
func verifyPin(state tls.ConnectionState, pins []Hash, now time.Time) error {
	if len(state.PeerCertificates) == 0 {
		return &pinError{"no certificate was shown"}
	}
	leaf := state.PeerCertificates[0]
	got := Hash(sha256.Sum256(leaf.Raw))
	switch {
	case !slices.Contains(pins, got):
		return &pinError{fmt.Sprintf("its SHA-256 is %v, not one that is pinned", got)}
	case now.Before(leaf.NotBefore):
		return &pinError{fmt.Sprintf("it is valid only from %s; is this machine's clock right?", leaf.NotBefore.Format(time.RFC3339))}
	case now.After(leaf.NotAfter):
		return &pinError{fmt.Sprintf("it expired at %s", leaf.NotAfter.Format(time.RFC3339))}
	}
	return nil
}

// pinsOf returns the pins for a relay. A development URL (http://) has its hash
// fetched from the relay itself, in the clear: that proves nothing about who the
// relay is and is meant for a machine or network one trusts.
func pinsOf(ctx context.Context, e endpoint, o Options) ([]Hash, error) {
	if e.scheme != "http" || len(o.CertificateHashes) > 0 {
		return o.CertificateHashes, nil
	}
	h, err := fetchHash(ctx, "http://"+e.authority()+"/certificate.sha256")
	if err != nil {
		return nil, fmt.Errorf("certificate hash: %w", err)
	}
	return []Hash{h}, nil
}

func fetchHash(ctx context.Context, url string) (Hash, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Hash{}, err
	}
	// A client of its own leaves no idle connection behind.
	transport := &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{}).DialContext}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		if cause := errors.Unwrap(err); cause != nil {
			err = cause // without the URL, which the caller names
		}
		return Hash{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return Hash{}, &statusError{resp.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	if err != nil {
		return Hash{}, err
	}
	h, err := ParseHash(string(body))
	if err != nil {
		return Hash{}, fmt.Errorf("%w: %s did not answer with a hash", errNoHash, url)
	}
	return h, nil
}
