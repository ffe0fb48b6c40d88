package identity

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Certificates is what a relay shows its peers. [SelfSigned] and [FromFiles]
// make one. Any number of goroutines may use it.
type Certificates interface {
	// GetCertificate is for [tls.Config]. The hello may be nil: there is one
	// certificate for everybody.
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)

	// Current is the SHA-256 of the certificate that newcomers are shown, in
	// hexadecimal.
	Current() string

	// Known is Current and, after it, what is shown soon or was shown lately:
	// whoever pins by hash takes any of them.
	Known() []string
}

// Options of [SelfSigned] and [FromFiles]. The zero value is a working one.
type Options struct {
	// Hosts are the names and addresses a self-made certificate is for. None
	// stands for localhost, 127.0.0.1 and ::1.
	Hosts []string

	// Dir is the data directory, where self-made certificates survive a
	// restart. Empty means that they do not.
	Dir string

	// Now tells the time. Nil means [time.Now].
	Now func() time.Time

	// Logger hears of rotations and of what goes wrong in one. Nil discards it.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// selfSigned makes its certificates itself and replaces each in time.
type selfSigned struct {
	Options
	path string // empty: kept nowhere

	mu    sync.Mutex
	chain []certificate // never empty
	shown string        // hash of the last one shown, to tell of a rotation
}

// SelfSigned returns certificates on ECDSA P-256 that are valid for [Lifetime],
// the newest of those in the data directory first. The next one is known a day
// before it takes over, and the last one for a day after.
func SelfSigned(o Options) (Certificates, error) {
	o = o.withDefaults()
	hosts, err := normalHosts(o.Hosts)
	if err != nil {
		return nil, err
	}
	o.Hosts = hosts
	s := &selfSigned{Options: o}
	if o.Dir != "" {
		s.path = filepath.Join(o.Dir, certificateFile)
		if s.chain, err = s.load(); err != nil {
			return nil, err
		}
	}
	old := s.chain
	if s.chain, err = s.renew(); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if !same(old, s.chain) {
		if err := s.save(); err != nil {
			return nil, err
		}
	}
	s.shown = s.chain[serving(s.chain, o.Now())].hash
	return s, nil
}

// load reads the certificates in the data directory that are for our hosts.
func (s *selfSigned) load() ([]certificate, error) {
	text, err := os.ReadFile(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	chain, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w; remove it to have a new one made", ErrFile, s.path, err)
	}
	kept := slices.DeleteFunc(chain, func(c certificate) bool { return !c.isFor(s.Hosts) })
	if len(kept) == 0 {
		s.Logger.Info("making a new certificate: the old one is for other hosts", "hosts", s.Hosts)
	}
	return kept, nil
}

func (s *selfSigned) save() error {
	if s.path == "" {
		return nil
	}
	text, err := encode(s.chain)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	return write(s.path, text)
}

func (s *selfSigned) renew() ([]certificate, error) {
	return advance(s.chain, s.Now(), func(from time.Time) (certificate, error) {
		return issue(s.Hosts, from)
	})
}

// refresh brings the chain up to date and returns it with the index of the
// certificate to show. Failing to make or keep one is no reason to serve
// nobody: the one before still has [reserve] to run.
func (s *selfSigned) refresh() ([]certificate, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	chain, err := s.renew()
	if err != nil {
		s.Logger.Error("cannot make the next certificate", "error", err)
	}
	if len(chain) > 0 && !same(chain, s.chain) {
		s.chain = chain
		if err := s.save(); err != nil {
			s.Logger.Error("cannot keep the next certificate", "error", err)
		}
	}
	i := max(serving(s.chain, s.Now()), 0)
	if c := s.chain[i]; c.hash != s.shown {
		s.shown = c.hash
		s.Logger.Info("certificate rotated", "sha256", c.hash, "until", c.until())
	}
	return s.chain, i
}

func (s *selfSigned) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	chain, i := s.refresh()
	return &chain[i].tls, nil
}

func (s *selfSigned) Current() string {
	chain, i := s.refresh()
	return chain[i].hash
}

func (s *selfSigned) Known() []string {
	chain, current := s.refresh()
	hashes := []string{chain[current].hash}
	for i, c := range slices.Backward(chain) {
		if i != current {
			hashes = append(hashes, c.hash)
		}
	}
	return hashes
}

func same(a, b []certificate) bool {
	return slices.EqualFunc(a, b, func(a, b certificate) bool { return a.hash == b.hash })
}
