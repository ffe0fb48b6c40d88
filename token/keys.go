package token

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/stentor-audio/stentor/protocol"
)

// MaxToken is the longest token that is looked at, in bytes. RSA signatures of
// 4096 bits take 700 of them, the rest is claims.
const MaxToken = 8 << 10

// Keys verifies tokens, with one key for all of them or with one for each kid.
// It does not change, so any number of goroutines may use it.
type Keys struct {
	only *Key           // any kid, or none
	byID map[string]Key // the kid of the token's header decides
}

// NewKeys returns a verifier for one key, which takes every token whatever kid
// it names.
func NewKeys(key Key) (*Keys, error) {
	if !key.CanVerify() {
		return nil, fmt.Errorf("%w: %s may not verify", ErrKey, key)
	}
	return &Keys{only: &key}, nil
}

// aheadFor is how far the clock of who issued a token may be ahead of ours: a token
// that is good from now on should be good now.
const aheadFor = time.Minute

// Verify checks a token and says what it grants on the path that a session was
// opened on. The expiry is compared with now, without leeway; nbf, which moq-token
// does not write or look at, with that of a minute. Errors are those of this package.
func (k *Keys) Verify(token, sessionPath string, now time.Time) (Grant, error) {
	if token == "" {
		return Grant{}, ErrMissing
	}
	path, err := protocol.ParsePath(sessionPath)
	if err != nil {
		return Grant{}, fmt.Errorf("%w: path: %w", ErrNothing, err)
	}
	claims, key, err := k.claims(token)
	if err != nil {
		return Grant{}, err
	}
	if !claims.Expires.IsZero() && !now.Before(claims.Expires) {
		return Grant{}, fmt.Errorf("%w at %s", ErrExpired, claims.Expires.UTC().Format(time.RFC3339))
	}
	if now.Add(aheadFor).Before(claims.NotBefore) {
		return Grant{}, fmt.Errorf("%w: from %s on", ErrNotYet, claims.NotBefore.UTC().Format(time.RFC3339))
	}
	if ceiling, ok := key.Ceiling(); ok && !claims.within(ceiling) {
		return Grant{}, ErrCeiling
	}
	put, get, err := claims.Match(path)
	if err != nil {
		return Grant{}, err
	}
	return Grant{
		Publish: put, Subscribe: get,
		Expires: claims.Expires,
		Role:    claims.Role, Name: claims.Name, Subject: claims.Subject,
		KeyID: key.id,
	}, nil
}

// parser leaves the registered claims alone: exp and nbf are ours to check, and of
// the others moq-token looks at none.
var parser = jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())

// claims returns what a token says and the key that vouches for it.
func (k *Keys) claims(token string) (Claims, Key, error) {
	if len(token) > MaxToken {
		return Claims{}, Key{}, errTooLong
	}
	var key Key
	var said payload
	var refused error
	_, err := parser.ParseWithClaims(token, &said, func(t *jwt.Token) (any, error) {
		key, refused = k.choose(t)
		return key.verifying, refused
	})
	switch {
	case refused != nil:
		return Claims{}, Key{}, refused
	case err != nil:
		return Claims{}, Key{}, refusal(err)
	}
	return said.Claims, key, nil
}

// choose finds the key for a token by its header.
func (k *Keys) choose(t *jwt.Token) (Key, error) {
	if _, ok := t.Header["crit"]; ok {
		// RFC 7515 §4.1.11: extensions that must be understood, and are not.
		return Key{}, fmt.Errorf("%w: critical header extensions", ErrMalformed)
	}
	key, err := k.named(t.Header["kid"])
	if err != nil {
		return Key{}, err
	}
	// The key decides, never the token: otherwise a public RSA key would do as
	// an HMAC secret, and "none" as a signature.
	if t.Method.Alg() != key.alg {
		return Key{}, fmt.Errorf("%w: %s, not %s", ErrAlgorithm, key.alg, t.Method.Alg())
	}
	return key, nil
}

func (k *Keys) named(kid any) (Key, error) {
	if k.only != nil {
		return *k.only, nil
	}
	id, ok := kid.(string)
	if !ok {
		return Key{}, fmt.Errorf("%w: no kid to choose a key by", ErrUnknownKey)
	}
	key, ok := k.byID[id]
	if !ok {
		return Key{}, fmt.Errorf("%w: kid %.128q", ErrUnknownKey, id)
	}
	return key, nil
}

// refusal puts an error of the jwt package into our words.
func refusal(err error) error {
	switch {
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return ErrSignature
	case errors.Is(err, jwt.ErrTokenUnverifiable): // an alg it does not know, or none
		return fmt.Errorf("%w: %w", ErrAlgorithm, err)
	default:
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
}
