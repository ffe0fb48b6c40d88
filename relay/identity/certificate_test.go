package identity

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shake makes a TLS handshake with what a relay shows and returns the leaf.
func shake(t *testing.T, certs Certificates) *x509.Certificate {
	t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	served := make(chan error, 1)
	go func() {
		served <- tls.Server(there, &tls.Config{GetCertificate: certs.GetCertificate}).HandshakeContext(context.Background())
	}()
	// As a browser with a pinned hash: no chain to verify.
	client := tls.Client(here, &tls.Config{InsecureSkipVerify: true})
	if err := client.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	leaf := client.ConnectionState().PeerCertificates[0]
	here.Close() // a server may still be writing its session tickets
	if err := <-served; err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "closed pipe") {
		t.Fatal(err)
	}
	return leaf
}

func hashOf(leaf *x509.Certificate) string {
	sum := sha256.Sum256(leaf.Raw)
	return hex.EncodeToString(sum[:])
}

// What a browser asks of a certificate it pins, and what our clients verify.
func TestSelfSignedIsWhatBrowsersPin(t *testing.T) {
	certs, err := SelfSigned(Options{Hosts: []string{"relay.example", "192.0.2.7", "2001:DB8::1", "::ffff:192.0.2.7", "xn--mnchen-3ya.example"}})
	if err != nil {
		t.Fatal(err)
	}
	leaf := shake(t, certs)
	if got := hashOf(leaf); got != certs.Current() {
		t.Errorf("shows %s, says %s", got, certs.Current())
	}
	public, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() || leaf.Version != 3 {
		t.Errorf("version %d key %T", leaf.Version, leaf.PublicKey)
	}
	if valid := leaf.NotAfter.Sub(leaf.NotBefore); valid != 13*24*time.Hour {
		t.Errorf("valid for %v", valid)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	for _, host := range []string{"relay.example", "192.0.2.7", "2001:db8::1", "xn--mnchen-3ya.example"} {
		for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
			_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, KeyUsages: []x509.ExtKeyUsage{usage}})
			if err != nil {
				t.Errorf("%s: %v", host, err)
			}
		}
	}
	if len(leaf.IPAddresses) != 2 {
		t.Errorf("addresses %v, want each once", leaf.IPAddresses)
	}
}

func TestSelfSignedRefusesHosts(t *testing.T) {
	for _, host := range []string{"", "münchen.example", "two words", "a\x00b", strings.Repeat("a", 254)} {
		if _, err := SelfSigned(Options{Hosts: []string{host}}); err == nil {
			t.Errorf("%q: no error", host)
		}
	}
	certs, err := SelfSigned(Options{})
	if err != nil {
		t.Fatal(err)
	}
	leaf := shake(t, certs)
	for _, host := range []string{"localhost", "127.0.0.1", "[::1]"} {
		if err := leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
}

// Forty days of a relay that is restarted every week: a client that learnt the
// hashes up to a day ago finds the one it is shown among them, always.
func TestSelfSignedRotatesUnderItsClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var log bytes.Buffer
		open := func() Certificates {
			certs, err := SelfSigned(Options{Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			return certs
		}
		certs := open()
		const look = 3 * time.Hour
		var told [][]string // look by look
		shown := map[string]bool{}
		for n := range int(40 * day / look) {
			if n%56 == 33 { // weekly
				certs = open()
			}
			leaf := shake(t, certs)
			hash := hashOf(leaf)
			shown[hash] = true
			told = append(told, certs.Known())
			if hash != told[n][0] || hash != certs.Current() {
				t.Fatalf("%v: shows %s, says %s", time.Duration(n)*look, hash, certs.Current())
			}
			for _, then := range told[max(0, n-int(day/look)):] {
				if !slices.Contains(then, hash) {
					t.Fatalf("%v: %s was not told within the last day", time.Duration(n)*look, hash)
				}
			}
			if now := time.Now(); now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
				t.Fatalf("%v: shows a certificate from %v to %v", time.Duration(n)*look, leaf.NotBefore, leaf.NotAfter)
			}
			time.Sleep(look)
		}
		// Days 0, 10, 20 and 30.
		if len(shown) != 4 {
			t.Errorf("%d certificates in 40 days, want 4", len(shown))
		}
		if n := strings.Count(log.String(), "rotated"); n != 3 {
			t.Errorf("told of %d rotations, want 3:\n%s", n, &log)
		}
	})
}

func TestSelfSignedKeepsItsCertificate(t *testing.T) {
	dir := t.TempDir()
	open := func(hosts ...string) string {
		certs, err := SelfSigned(Options{Dir: dir, Hosts: hosts})
		if err != nil {
			t.Fatal(err)
		}
		return certs.Current()
	}
	first := open("a.example", "192.0.2.1")
	if again := open("192.0.2.1", "a.example"); again != first {
		t.Error("another certificate after a restart")
	}
	if other := open("b.example"); other == first {
		t.Error("the same certificate for another host")
	}
	path := filepath.Join(dir, certificateFile)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v)", info.Mode(), err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	key := bytes.Index(whole, []byte("-----BEGIN PRIVATE"))
	for name, bad := range map[string][]byte{
		"empty":           {},
		"text":            []byte("hello"),
		"no key":          whole[:key],
		"only a key":      whole[key:],
		"half a key":      whole[:key+60],
		"two of a kind":   slices.Concat(whole[:key], whole[:key]),
		"a certificate's": []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + string(whole[key:])),
	} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := SelfSigned(Options{Dir: dir}); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want ErrFile that names the file", name, err)
		}
	}
}

// Somebody else's certificate in the data directory is not served: it could be
// valid for years, which browsers do not pin.
func TestSelfSignedIgnoresOtherKinds(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := writePair(t, t.TempDir(), time.Now(), time.Now().Add(365*day))
	both := slices.Concat(mustRead(t, certFile), mustRead(t, keyFile))
	if err := os.WriteFile(filepath.Join(dir, certificateFile), both, 0o600); err != nil {
		t.Fatal(err)
	}
	certs, err := SelfSigned(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if leaf := shake(t, certs); leaf.NotAfter.Sub(leaf.NotBefore) != Lifetime {
		t.Error("serves a certificate that was not made for it")
	}
}

// A full disk at the time of a rotation is told of, and heard by nobody.
func TestSelfSignedRotatesWithoutDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	now := epoch
	var log bytes.Buffer
	certs, err := SelfSigned(Options{
		Dir: dir, Now: func() time.Time { return now },
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	first := certs.Current()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // no folder can be here now
		t.Fatal(err)
	}
	now = now.Add(10 * day)
	if certs.Current() == first || !strings.Contains(log.String(), "cannot keep") {
		t.Errorf("shows %s after %s:\n%s", certs.Current(), first, &log)
	}
	if _, err := SelfSigned(Options{Dir: dir}); err == nil {
		t.Error("a start with an unusable data directory went through")
	}
}

func TestCertificatesUnderRace(t *testing.T) {
	var mu sync.Mutex
	now := epoch
	certs, err := SelfSigned(Options{Dir: t.TempDir(), Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Hour)
		return now
	}})
	if err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for range 100 {
				if _, err := certs.GetCertificate(nil); err != nil || len(certs.Known()) == 0 || certs.Current() == "" {
					t.Error("nothing to show", err)
				}
			}
		})
	}
	asking.Wait()
}

func mustRead(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// writePair writes a certificate as a certificate authority would give it out.
func writePair(t *testing.T, dir string, from, until time.Time) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(from.UnixNano()), NotBefore: from, NotAfter: until, DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der},
		keyFile:  {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}
