package identity

import (
	"crypto/tls"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// lookEvery is how often the files of a certificate are looked at. They change
// every few weeks, but then a relay that goes on with the old one for long is
// the last to notice that it expired.
const lookEvery = time.Second

// fromFiles follows a certificate and key that somebody else renews.
type fromFiles struct {
	Options
	certFile, keyFile string

	mu     sync.Mutex
	cert   certificate
	looked time.Time
	seen   [2]stamp
}

// stamp is when and how large a file was; another one means it was written to.
type stamp struct{ modified, size int64 }

// FromFiles returns the certificate in two PEM files, and looks at most once a
// second whether they have changed. If they come to hold something else than
// a certificate and its key, the last good one stays.
func FromFiles(certFile, keyFile string, o Options) (Certificates, error) {
	f := &fromFiles{Options: o.withDefaults(), certFile: certFile, keyFile: keyFile}
	f.looked = f.Now()
	var err error
	if f.seen, err = f.stamps(); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if f.cert, err = f.read(); err != nil {
		return nil, err
	}
	f.warnOfDates()
	return f, nil
}

func (f *fromFiles) stamps() ([2]stamp, error) {
	var out [2]stamp
	for i, name := range []string{f.certFile, f.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return out, err
		}
		out[i] = stamp{info.ModTime().UnixNano(), info.Size()}
	}
	return out, nil
}

func (f *fromFiles) read() (certificate, error) {
	pair, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
	if err != nil {
		return certificate{}, fmt.Errorf("certificate %s with key %s: %w", f.certFile, f.keyFile, err)
	}
	return newCertificate(pair)
}

// warnOfDates says what clients would say. It is no reason not to serve: those
// that pin the hash look at no date, and the clock may be what is wrong.
func (f *fromFiles) warnOfDates() {
	leaf, now := f.cert.tls.Leaf, f.Now()
	switch {
	case now.Before(leaf.NotBefore):
		f.Logger.Warn("certificate is not valid yet", "file", f.certFile, "from", leaf.NotBefore)
	case !now.Before(leaf.NotAfter):
		f.Logger.Warn("certificate has expired", "file", f.certFile, "at", leaf.NotAfter)
	}
}

func (f *fromFiles) refresh() certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.Now()
	if since := now.Sub(f.looked); since >= 0 && since < lookEvery {
		return f.cert
	}
	f.looked = now
	// A file that is away for the moment has the zero stamp, like one that
	// stays away: both are told of once.
	seen, err := f.stamps()
	if slices.Equal(seen[:], f.seen[:]) {
		return f.cert
	}
	f.seen = seen
	var cert certificate
	if err == nil {
		cert, err = f.read()
	}
	if err != nil {
		f.Logger.Warn("keeping the old certificate", "error", err)
		return f.cert
	}
	f.cert = cert
	f.Logger.Info("certificate loaded", "sha256", cert.hash, "until", cert.tls.Leaf.NotAfter)
	f.warnOfDates()
	return f.cert
}

func (f *fromFiles) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert := f.refresh().tls
	return &cert, nil
}

func (f *fromFiles) Current() string { return f.refresh().hash }

func (f *fromFiles) Known() []string { return []string{f.Current()} }
