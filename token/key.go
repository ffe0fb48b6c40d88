package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// A Key signs or verifies tokens, or both. The zero value does neither. Make
// one with [ParseKey] or [Generate].
type Key struct {
	id  string
	alg string

	// What the jwt package wants for alg: []byte, *rsa.PublicKey,
	// *ecdsa.PublicKey or ed25519.PublicKey to verify; []byte or a
	// crypto.Signer to sign. Nil where the key cannot or may not.
	verifying any
	signing   any

	ceiling *Scope // nil: none

	jwk jwk // what it was made from
}

// ID returns the kid, possibly empty.
func (k Key) ID() string { return k.id }

// Algorithm returns the one algorithm the key is for, such as "HS256".
func (k Key) Algorithm() string { return k.alg }

// CanSign reports whether the key holds what signing needs, and may.
func (k Key) CanSign() bool { return k.signing != nil }

// CanVerify reports whether the key may verify.
func (k Key) CanVerify() bool { return k.verifying != nil }

// Ceiling returns the scope that no token of this key may exceed.
func (k Key) Ceiling() (Scope, bool) {
	if k.ceiling == nil {
		return Scope{}, false
	}
	return *k.ceiling, true
}

// MarshalJSON writes the key as a JWK, secret parts included.
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal(k.jwk) }

// Public returns the half of k that only verifies, for relays that do not
// issue tokens. A key with a shared secret has no such half; it gives [ErrKey].
func (k Key) Public() (Key, error) {
	if k.jwk.Kty == "oct" {
		return Key{}, fmt.Errorf("%w: %s is a shared secret and has no public half", ErrKey, k.alg)
	}
	j := k.jwk
	j.D, j.P, j.Q, j.Dp, j.Dq, j.Qi = "", "", "", "", "", ""
	j.KeyOps = []string{"verify"}
	return j.key()
}

// String names the key without its secret.
func (k Key) String() string { return k.alg + " key " + k.id }

// LogValue keeps the secret out of logs, where MarshalJSON would put it.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

var kidForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// key checks a JWK and makes it usable.
func (j jwk) key() (Key, error) {
	if j.Kty == "" {
		j.Kty = "oct"
	}
	if j.Kid != "" && !kidForm.MatchString(j.Kid) {
		return Key{}, fmt.Errorf("%w: kid must be 1 to 128 of A-Z a-z 0-9 - _", ErrKey)
	}
	if !suits(j.Alg, j.Kty, j.Crv) {
		return Key{}, fmt.Errorf("%w: alg %q does not suit kty %q crv %q", ErrKey, j.Alg, j.Kty, j.Crv)
	}
	k := Key{id: j.Kid, alg: j.Alg, jwk: j}
	var err error
	if k.verifying, k.signing, err = j.material(); err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if !j.may("verify") {
		k.verifying = nil
	}
	if !j.may("sign") {
		k.signing = nil
	}
	if j.Scope != nil {
		scope, err := parseScope(j.Scope)
		if err != nil {
			return Key{}, fmt.Errorf("%w: scope: %w", ErrKey, err)
		}
		k.ceiling = &scope
	}
	return k, nil
}

// suits is the table of what moq-token knows.
func suits(alg, kty, crv string) bool {
	switch kty {
	case "oct":
		return slices.Contains([]string{"HS256", "HS384", "HS512"}, alg)
	case "RSA":
		return slices.Contains([]string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, alg)
	case "EC":
		return alg == "ES256" && crv == "P-256" || alg == "ES384" && crv == "P-384"
	case "OKP":
		return alg == "EdDSA" && crv == "Ed25519"
	}
	return false
}

func (j jwk) may(operation string) bool {
	return j.KeyOps == nil || slices.Contains(j.KeyOps, operation)
}

// material returns what verifies and what signs, nil where j lacks it.
func (j jwk) material() (verifying, signing any, err error) {
	switch j.Kty {
	case "oct":
		secret, err := j.secret()
		return secret, secret, err
	case "RSA":
		public, private, err := j.rsa()
		return public, pointer(private), err
	case "EC":
		public, private, err := j.ec()
		return public, pointer(private), err
	default:
		public, private, err := j.ed25519()
		if private == nil {
			return public, nil, err
		}
		return public, crypto.Signer(private), err
	}
}

// pointer keeps a typed nil pointer from looking like a key.
func pointer[K rsa.PrivateKey | ecdsa.PrivateKey](k *K) any {
	if k == nil {
		return nil
	}
	return k
}

// method returns the jwt package's implementation of the key's algorithm.
func (k Key) method() jwt.SigningMethod { return jwt.GetSigningMethod(k.alg) }
