package token

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// MaxKeyFile is the longest JWK that is read, in bytes. An RSA key of 4096 bits
// takes about 4 KB.
const MaxKeyFile = 64 << 10

// Bounds on key strength.
const (
	minSecret  = 32    // bytes of an oct key, moq-token's minimum
	minModulus = 2048  // bits of an RSA key, RFC 7518 §3.3
	maxModulus = 16384 // bits; verifying takes time with the square of it
)

// jwk is a JSON Web Key on the wire (RFC 7517, RFC 7518 §6, RFC 8037). Numbers
// and secrets are base64url.
type jwk struct {
	Kty    string   `json:"kty"`
	Alg    string   `json:"alg"`
	Crv    string   `json:"crv,omitempty"`
	Kid    string   `json:"kid,omitempty"`
	KeyOps []string `json:"key_ops,omitzero"` // an empty list allows nothing

	K string `json:"k,omitempty"` // oct
	N string `json:"n,omitempty"` // RSA
	E string `json:"e,omitempty"`
	X string `json:"x,omitempty"` // EC, OKP
	Y string `json:"y,omitempty"` // EC
	D string `json:"d,omitempty"` // private: RSA, EC, OKP

	P  string `json:"p,omitempty"` // private: RSA
	Q  string `json:"q,omitempty"`
	Dp string `json:"dp,omitempty"`
	Dq string `json:"dq,omitempty"`
	Qi string `json:"qi,omitempty"`

	Scope map[string]json.RawMessage `json:"scope,omitzero"`
}

// ParseKey reads a JWK, as JSON or as base64url of that JSON; white space
// around it is skipped. Every error is [ErrKey].
func ParseKey(b []byte) (Key, error) {
	if len(b) > MaxKeyFile {
		return Key{}, fmt.Errorf("%w: longer than %d bytes", ErrKey, MaxKeyFile)
	}
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return Key{}, fmt.Errorf("%w: empty", ErrKey)
	}
	if b[0] != '{' {
		text, err := unbase64(string(b))
		if err != nil {
			return Key{}, fmt.Errorf("%w: neither JSON nor base64url of JSON", ErrKey)
		}
		b = text
	}
	var j jwk
	if err := json.Unmarshal(b, &j); err != nil {
		// The error of encoding/json may quote a piece of the secret.
		return Key{}, fmt.Errorf("%w: not a JWK", ErrKey)
	}
	return j.key()
}

// secret returns the bytes of an oct key.
func (j jwk) secret() ([]byte, error) {
	k, err := unbase64(j.K)
	if err != nil {
		return nil, errors.New("k is not base64url")
	}
	if len(k) < minSecret {
		return nil, fmt.Errorf("secret of %d bytes, want at least %d", len(k), minSecret)
	}
	return k, nil
}

func (j jwk) rsa() (*rsa.PublicKey, *rsa.PrivateKey, error) {
	n, errN := integer(j.N)
	e, errE := integer(j.E)
	if errN != nil || errE != nil {
		return nil, nil, errors.New("n and e must be base64url")
	}
	if n.BitLen() < minModulus || n.BitLen() > maxModulus {
		return nil, nil, fmt.Errorf("modulus of %d bits, want %d to %d", n.BitLen(), minModulus, maxModulus)
	}
	if e.BitLen() < 2 || e.BitLen() > 31 || e.Bit(0) == 0 {
		return nil, nil, errors.New("public exponent must be odd and between 3 and 2^31")
	}
	public := &rsa.PublicKey{N: n, E: int(e.Int64())}
	if j.D == "" {
		return public, nil, nil
	}
	private, err := j.rsaPrivate(*public)
	return public, private, err
}

func (j jwk) rsaPrivate(public rsa.PublicKey) (*rsa.PrivateKey, error) {
	if j.P == "" || j.Q == "" {
		return nil, errors.New("private key without its primes p and q")
	}
	d, errD := integer(j.D)
	p, errP := integer(j.P)
	q, errQ := integer(j.Q)
	if errD != nil || errP != nil || errQ != nil {
		return nil, errors.New("d, p and q must be base64url")
	}
	private := &rsa.PrivateKey{PublicKey: public, D: d, Primes: []*big.Int{p, q}}
	if err := private.Validate(); err != nil {
		return nil, errors.New("d, p and q do not belong to n and e")
	}
	private.Precompute()
	return private, nil
}

func (j jwk) ec() (*ecdsa.PublicKey, *ecdsa.PrivateKey, error) {
	curve := elliptic.P256()
	if j.Crv == "P-384" {
		curve = elliptic.P384()
	}
	size := curve.Params().BitSize / 8
	x, errX := unbase64(j.X)
	y, errY := unbase64(j.Y)
	if errX != nil || errY != nil || len(x) != size || len(y) != size {
		return nil, nil, fmt.Errorf("x and y must be base64url of %d bytes", size)
	}
	point := append(append([]byte{4}, x...), y...) // SEC 1 §2.3.3, uncompressed
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil, nil, fmt.Errorf("(x, y) is no point of %s", j.Crv)
	}
	if j.D == "" {
		return public, nil, nil
	}
	d, err := unbase64(j.D)
	if err != nil || len(d) != size {
		return nil, nil, fmt.Errorf("d must be base64url of %d bytes", size)
	}
	private, err := ecdsa.ParseRawPrivateKey(curve, d)
	if err != nil {
		return nil, nil, fmt.Errorf("d is no private key of %s", j.Crv)
	}
	if !private.PublicKey.Equal(public) {
		return nil, nil, errors.New("d does not belong to (x, y)")
	}
	return public, private, nil
}

func (j jwk) ed25519() (ed25519.PublicKey, ed25519.PrivateKey, error) {
	public, err := unbase64(j.X)
	if err != nil || len(public) != ed25519.PublicKeySize {
		return nil, nil, fmt.Errorf("x must be base64url of %d bytes", ed25519.PublicKeySize)
	}
	if j.D == "" {
		return public, nil, nil
	}
	seed, err := unbase64(j.D)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, nil, fmt.Errorf("d must be base64url of %d bytes", ed25519.SeedSize)
	}
	private := ed25519.NewKeyFromSeed(seed)
	if !private.Public().(ed25519.PublicKey).Equal(ed25519.PublicKey(public)) {
		return nil, nil, errors.New("d does not belong to x")
	}
	return public, private, nil
}

// integer decodes a big-endian number.
func integer(s string) (*big.Int, error) {
	b, err := unbase64(s)
	return new(big.Int).SetBytes(b), err
}

// unbase64 decodes base64url; padding, which a JWK should not have, is let be.
func unbase64(s string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
