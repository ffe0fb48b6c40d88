package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"time"
)

// certificate is a key pair with the two things asked of it all the time.
type certificate struct {
	tls  tls.Certificate // with its Leaf
	hash string          // SHA-256 of the leaf's DER, in hexadecimal
}

func newCertificate(pair tls.Certificate) (certificate, error) {
	if pair.Leaf == nil {
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			return certificate{}, err
		}
		pair.Leaf = leaf
	}
	sum := sha256.Sum256(pair.Leaf.Raw)
	return certificate{pair, hex.EncodeToString(sum[:])}, nil
}

// issue makes a certificate that takes over at from: ECDSA on P-256, as
// browsers want it of a certificate they pin by hash.
func issue(hosts []string, from time.Time) (certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return certificate{}, err
	}
	start := from.Add(-backdate)
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Stentor relay"},
		NotBefore:    start,
		NotAfter:     start.Add(Lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		// Relays show it to each other from both ends.
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	for _, host := range hosts {
		if ip, err := netip.ParseAddr(host); err == nil {
			template.IPAddresses = append(template.IPAddresses, ip.Unmap().AsSlice())
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return certificate{}, err
	}
	return newCertificate(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key})
}

// isFor reports whether c was made by issue for exactly these hosts.
func (c certificate) isFor(hosts []string) bool {
	leaf := c.tls.Leaf
	names := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	slices.Sort(names)
	hosts = slices.Sorted(slices.Values(hosts))
	public, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	return ok && public.Curve == elliptic.P256() &&
		leaf.NotAfter.Sub(leaf.NotBefore) == Lifetime &&
		slices.Equal(names, hosts)
}

// encode writes certificates as PEM, each followed by its key.
func encode(chain []certificate) ([]byte, error) {
	var out []byte
	for _, c := range chain {
		key, err := x509.MarshalPKCS8PrivateKey(c.tls.PrivateKey)
		if err != nil {
			return nil, err
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.tls.Leaf.Raw})...)
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	}
	return out, nil
}

// decode reads what encode wrote.
func decode(text []byte) ([]certificate, error) {
	var chain []certificate
	for {
		first, rest := pem.Decode(text)
		if first == nil {
			break
		}
		second, rest := pem.Decode(rest)
		if second == nil {
			return nil, errors.New("a certificate without its key")
		}
		pair, err := tls.X509KeyPair(pem.EncodeToMemory(first), pem.EncodeToMemory(second))
		if err != nil {
			return nil, err
		}
		c, err := newCertificate(pair)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
		text = rest
	}
	if len(chain) == 0 {
		return nil, errors.New("no certificate in it")
	}
	return chain, nil
}

// normalHosts brings names and addresses to one form and drops repetitions.
// None at all stands for this machine.
func normalHosts(hosts []string) ([]string, error) {
	if len(hosts) == 0 {
		hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	var out []string
	for _, host := range hosts {
		if ip, err := netip.ParseAddr(host); err == nil {
			host = ip.Unmap().WithZone("").String()
		} else if host == "" || len(host) > 253 || !isASCII(host) {
			return nil, fmt.Errorf("certificate: %q is neither a host name nor an address", host)
		}
		if !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	return out, nil
}

// isASCII: a certificate holds international names in their xn-- form only.
func isASCII(s string) bool {
	return !slices.ContainsFunc([]byte(s), func(b byte) bool { return b <= ' ' || b >= 0x7f })
}
