package token

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
)

// Algorithms lists what [Generate] and [ParseKey] know, the default first.
var Algorithms = []string{
	"HS256", "HS384", "HS512",
	"ES256", "ES384", "EdDSA",
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
}

// Generate makes a new key for alg ("" means HS256). An empty id gives a random
// one. A ceiling limits every token of the key; nil is no limit.
func Generate(alg, id string, ceiling *Scope) (Key, error) {
	if alg == "" {
		alg = Algorithms[0]
	}
	if id == "" {
		id = randomID()
	}
	j, err := generate(alg)
	if err != nil {
		return Key{}, fmt.Errorf("generate: %w", err)
	}
	j.Alg, j.Kid = alg, id
	j.KeyOps = []string{"sign", "verify"}
	if ceiling != nil {
		if j.Scope, err = ceiling.members(); err != nil {
			return Key{}, fmt.Errorf("generate: scope: %w", err)
		}
	}
	return j.key()
}

func generate(alg string) (jwk, error) {
	switch alg {
	case "HS256", "HS384", "HS512":
		// As long as the hash, RFC 7518 §3.2.
		secret := make([]byte, map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}[alg])
		rand.Read(secret)
		return jwk{Kty: "oct", K: base64url(secret)}, nil
	case "ES256":
		return generateEC(elliptic.P256())
	case "ES384":
		return generateEC(elliptic.P384())
	case "EdDSA":
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return jwk{}, err
		}
		return jwk{Kty: "OKP", Crv: "Ed25519", X: base64url(public), D: base64url(private.Seed())}, nil
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
		return generateRSA()
	}
	return jwk{}, fmt.Errorf("%w: alg %q is none of %v", ErrKey, alg, Algorithms)
}

func generateEC(curve elliptic.Curve) (jwk, error) {
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		return jwk{}, err
	}
	point, err := private.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return jwk{}, err
	}
	d, err := private.Bytes()
	if err != nil {
		return jwk{}, err
	}
	x, y := point[1:1+len(d)], point[1+len(d):]
	return jwk{
		Kty: "EC", Crv: curve.Params().Name,
		X: base64url(x), Y: base64url(y), D: base64url(d),
	}, nil
}

func generateRSA() (jwk, error) {
	private, err := rsa.GenerateKey(rand.Reader, minModulus)
	if err != nil {
		return jwk{}, err
	}
	number := func(x *big.Int) string { return base64url(x.Bytes()) }
	return jwk{
		Kty: "RSA",
		N:   number(private.N), E: number(big.NewInt(int64(private.E))), D: number(private.D),
		P: number(private.Primes[0]), Q: number(private.Primes[1]),
		Dp: number(private.Precomputed.Dp), Dq: number(private.Precomputed.Dq),
		Qi: number(private.Precomputed.Qinv),
	}, nil
}

// members writes a scope as the members of a JSON object.
func (s Scope) members() (map[string]json.RawMessage, error) {
	b, err := json.Marshal(Claims{Scope: s})
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	err = json.Unmarshal(b, &members)
	return members, err
}

func randomID() string {
	b := make([]byte, 8)
	rand.Read(b)
	return hex.EncodeToString(b)
}
