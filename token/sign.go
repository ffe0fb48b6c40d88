package token

import (
	"errors"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// Sign makes a token of the claims. It refuses what [Keys.Verify] would refuse
// anywhere: claims that grant nothing, and more than the key's ceiling.
func Sign(key Key, claims Claims) (string, error) {
	if !key.CanSign() {
		return "", fmt.Errorf("sign: %w: %s cannot sign", ErrKey, key)
	}
	if len(claims.Put) == 0 && len(claims.Get) == 0 {
		return "", fmt.Errorf("sign: %w: neither put nor get", ErrNothing)
	}
	if ceiling, ok := key.Ceiling(); ok && !claims.within(ceiling) {
		return "", fmt.Errorf("sign: %w", ErrCeiling)
	}
	if _, err := ParseRole(string(claims.Role)); err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	t := jwt.NewWithClaims(key.method(), payload{claims})
	if key.id != "" {
		t.Header["kid"] = key.id
	}
	signed, err := t.SignedString(key.signing)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	if len(signed) > MaxToken {
		return "", fmt.Errorf("sign: %w", errTooLong)
	}
	return signed, nil
}

var errTooLong = errors.Join(ErrMalformed, fmt.Errorf("longer than %d bytes", MaxToken))
