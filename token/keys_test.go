package token

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// noon is when the tests take place.
var noon = time.Date(2026, 12, 24, 12, 0, 0, 0, time.UTC)

func TestVerifyVectors(t *testing.T) {
	for _, v := range loadVectors(t).Tokens {
		t.Run(v.ID, func(t *testing.T) {
			key, err := ParseKey(v.JWK)
			if err != nil {
				t.Fatal(err)
			}
			keys, err := NewKeys(key)
			if err != nil {
				t.Fatal(err)
			}
			_, err = keys.Verify(v.Token, "", noon)
			if ok := v.Expect == "ok"; ok != (err == nil) {
				t.Fatalf("err %v, want %s (%s)", err, v.Expect, v.Why)
			}
			if v.Expect != "ok" {
				return
			}
			var want Claims
			if err := json.Unmarshal(v.Claims, &want); err != nil {
				t.Fatal(err)
			}
			got, _, err := keys.claims(v.Token)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("claims %+v, want %+v (%v)", got, want, err)
			}
		})
	}
}

func mustGenerate(tb testing.TB, alg string) Key {
	tb.Helper()
	key, err := Generate(alg, "k1", nil)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func mustKeys(tb testing.TB, key Key) *Keys {
	tb.Helper()
	keys, err := NewKeys(key)
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

// forge signs any header and payload with any method.
func forge(tb testing.TB, method jwt.SigningMethod, key any, header map[string]any, payload string) string {
	tb.Helper()
	h := map[string]any{"alg": method.Alg(), "typ": "JWT"}
	for name, value := range header {
		h[name] = value
	}
	b, err := json.Marshal(h)
	if err != nil {
		tb.Fatal(err)
	}
	text := base64url(b) + "." + base64url([]byte(payload))
	sig, err := method.Sign(text, key)
	if err != nil {
		tb.Fatal(err)
	}
	return text + "." + base64url(sig)
}

// Every payload here carries a good signature of the right key.
func TestVerifyClaims(t *testing.T) {
	key := mustGenerate(t, "HS256")
	keys := mustKeys(t, key)
	before, after := noon.Unix()-1, noon.Unix()+1
	tests := []struct {
		name    string
		payload string
		want    error // nil: accepted
	}{
		{"one path as a string", `{"get":"a"}`, nil},
		{"a list", `{"get":["a","b"]}`, nil},
		{"null list beside another", `{"put":null,"get":""}`, nil},
		{"unknown claims", `{"get":"","iss":"x","jti":"y","deep":{"a":[1]}}`, nil},
		{"nbf now", fmt.Sprintf(`{"get":"","nbf":%d}`, noon.Unix()), nil},
		{"nbf in a minute", fmt.Sprintf(`{"get":"","nbf":%d}`, noon.Unix()+60), nil},
		{"nbf null", `{"get":"","nbf":null}`, nil},
		{"exp ahead", fmt.Sprintf(`{"get":"","exp":%d}`, after), nil},
		{"exp half a second ahead", fmt.Sprintf(`{"get":"","exp":%d.5}`, noon.Unix()), nil},
		{"exp null", `{"get":"","exp":null}`, nil},
		{"a role", `{"get":"","role":"cohost"}`, nil},

		{"exp now", fmt.Sprintf(`{"get":"","exp":%d}`, noon.Unix()), ErrExpired},
		{"exp a second ago", fmt.Sprintf(`{"get":"","exp":%d}`, before), ErrExpired},
		{"exp zero", `{"get":"","exp":0}`, ErrExpired},
		{"exp a string", fmt.Sprintf(`{"get":"","exp":"%d"}`, after), ErrMalformed},
		{"exp negative", `{"get":"","exp":-1}`, ErrMalformed},
		{"exp beyond time", `{"get":"","exp":1e300}`, ErrMalformed},
		{"exp beyond numbers", `{"get":"","exp":1e999}`, ErrMalformed},
		{"nbf in more than a minute", fmt.Sprintf(`{"get":"","nbf":%d}`, noon.Unix()+61), ErrNotYet},
		{"nbf tomorrow, exp as well", fmt.Sprintf(`{"get":"","nbf":%d,"exp":%d}`, noon.Unix()+86400, noon.Unix()+90000), ErrNotYet},
		{"nbf a string", fmt.Sprintf(`{"get":"","nbf":"%d"}`, before), ErrMalformed},
		{"nbf negative", `{"get":"","nbf":-1}`, ErrMalformed},
		{"nbf beyond time", `{"get":"","nbf":1e300}`, ErrMalformed},
		{"an audience", `{"get":"","aud":"relay"}`, ErrMalformed},
		{"a role we do not know", `{"get":"","role":"root"}`, ErrMalformed},
		{"a role that is a list", `{"get":"","role":["host"]}`, ErrMalformed},
		{"a name that is a number", `{"get":"","name":7}`, ErrMalformed},
		{"root a number", `{"get":"","root":7}`, ErrMalformed},
		{"a path that is a number", `{"get":[7]}`, ErrMalformed},
		{"a path that is null", `{"get":[null]}`, ErrMalformed},
		{"a path that is an object", `{"get":{}}`, ErrMalformed},
		{"a path too deep", `{"get":"` + strings.Repeat("a/", 33) + `"}`, ErrMalformed},
		{"not an object", `["get"]`, ErrMalformed},
		{"not JSON", `get`, ErrMalformed},
		{"null", `null`, ErrNothing},
		{"nothing granted", `{}`, ErrNothing},
		{"empty lists", `{"put":[],"get":[]}`, ErrNothing},
		{"claims in capitals grant nothing", `{"GET":"","Put":""}`, ErrNothing},
		{"another branch", `{"root":"elsewhere","get":""}`, ErrNothing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			token := forge(t, jwt.SigningMethodHS256, key.verifying, nil, tt.payload)
			_, err := keys.Verify(token, "a/b", noon)
			if !errors.Is(err, tt.want) {
				t.Errorf("err %v, want %v", err, tt.want)
			}
		})
	}
}

// Each of these tries to have another algorithm than the key's decide.
func TestVerifyRefusesOtherAlgorithms(t *testing.T) {
	const everything = `{"get":"","put":""}`
	rsaKey := mustGenerate(t, "RS256")
	ecKey := mustGenerate(t, "ES256")
	hmacKey := mustGenerate(t, "HS256")

	der, err := x509.MarshalPKIXPublicKey(rsaKey.verifying)
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	publicJWK, err := json.Marshal(rsaKey.jwk)
	if err != nil {
		t.Fatal(err)
	}
	none := func(alg string) string {
		return base64url([]byte(`{"alg":"`+alg+`"}`)) + "." + base64url([]byte(everything)) + "."
	}
	tests := []struct {
		name  string
		key   Key
		token string
		want  error
	}{
		{"none", hmacKey, none("none"), ErrAlgorithm},
		{"none with an RSA key", rsaKey, none("none"), ErrAlgorithm},
		{"None", hmacKey, none("None"), ErrAlgorithm},
		{"NONE", hmacKey, none("NONE"), ErrAlgorithm},
		{"empty", hmacKey, none(""), ErrAlgorithm},
		{"lower case", hmacKey, none("hs256"), ErrAlgorithm},
		{"no signature", hmacKey, none("HS256"), ErrSignature},
		{"HMAC with the public key's DER", rsaKey, forge(t, jwt.SigningMethodHS256, der, nil, everything), ErrAlgorithm},
		{"HMAC with the public key's PEM", rsaKey, forge(t, jwt.SigningMethodHS256, publicPEM, nil, everything), ErrAlgorithm},
		{"HMAC with the JWK", rsaKey, forge(t, jwt.SigningMethodHS256, publicJWK, nil, everything), ErrAlgorithm},
		{"HMAC with an empty secret", ecKey, forge(t, jwt.SigningMethodHS256, []byte{}, nil, everything), ErrAlgorithm},
		{"RS512 by the right RS256 key", rsaKey, forge(t, jwt.SigningMethodRS512, rsaKey.signing, nil, everything), ErrAlgorithm},
		{"PS256 by the right RS256 key", rsaKey, forge(t, jwt.SigningMethodPS256, rsaKey.signing, nil, everything), ErrAlgorithm},
		{"HS512 by the right HS256 key", hmacKey, forge(t, jwt.SigningMethodHS512, hmacKey.signing, nil, everything), ErrAlgorithm},
		{"another key of the same kind", ecKey, forge(t, jwt.SigningMethodES256, mustGenerate(t, "ES256").signing, nil, everything), ErrSignature},
		{"a header with crit", hmacKey, forge(t, jwt.SigningMethodHS256, hmacKey.signing, map[string]any{"crit": []string{"b64"}}, everything), ErrMalformed},
		{"alg a number", hmacKey, forge(t, jwt.SigningMethodHS256, hmacKey.signing, map[string]any{"alg": 1}, everything), ErrAlgorithm},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if grant, err := mustKeys(t, tt.key).Verify(tt.token, "", noon); !errors.Is(err, tt.want) {
				t.Errorf("grant %+v err %v, want %v", grant, err, tt.want)
			}
		})
	}
}

func TestVerifyDamagedTokens(t *testing.T) {
	key := mustGenerate(t, "ES256")
	keys := mustKeys(t, key)
	whole, err := Sign(key, Claims{Scope: Scope{Get: paths(t, "")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Verify(whole, "", noon); err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if _, err := keys.Verify(whole[:n], "", noon); err == nil {
			t.Errorf("cut to %d of %d bytes: accepted", n, len(whole))
		}
	}
	for i := range len(whole) {
		damaged := []byte(whole)
		damaged[i] = map[bool]byte{true: 'A', false: 'B'}[damaged[i] == 'B']
		if string(damaged) == whole {
			continue
		}
		if _, err := keys.Verify(string(damaged), "", noon); err == nil {
			t.Errorf("byte %d changed: accepted", i)
		}
	}
	for _, tt := range []struct {
		name, token string
		want        error
	}{
		{"empty", "", ErrMissing},
		{"a word", "letmein", ErrMalformed},
		{"four parts", whole + ".x", ErrMalformed},
		{"white space", " " + whole, ErrMalformed},
		{"padded", whole + "=", ErrMalformed},
		{"too long", whole + strings.Repeat("x", MaxToken), ErrMalformed},
	} {
		if _, err := keys.Verify(tt.token, "", noon); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := keys.Verify(whole, strings.Repeat("a/", 40), noon); !errors.Is(err, ErrNothing) {
		t.Errorf("session path too deep: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	v, err := readVectors()
	if err != nil {
		f.Fatal(err)
	}
	for _, t := range v.Tokens {
		f.Add(t.Token, "demo")
	}
	key := mustGenerate(f, "HS256")
	keys := mustKeys(f, key)
	f.Fuzz(func(t *testing.T, token, path string) {
		if grant, err := keys.Verify(token, path, noon); err == nil {
			t.Fatalf("%q on %q, signed by nobody, granted %+v", token, path, grant)
		}
		// The payload again, this time with a good signature: it must be
		// refused or mean the same after a round trip.
		parts := strings.Split(token, ".")
		if len(parts) != 3 {
			return
		}
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			return
		}
		var c, again Claims
		if json.Unmarshal(payload, &c) != nil {
			return
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &again); err != nil || !reflect.DeepEqual(c.Scope, again.Scope) {
			t.Fatalf("%s became %s: %v", payload, b, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, alg := range []string{"HS256", "ES256", "EdDSA", "RS256"} {
		b.Run(alg, func(b *testing.B) {
			key := mustGenerate(b, alg)
			keys := mustKeys(b, key)
			token, err := Sign(key, Claims{Scope: Scope{Root: "town", Get: paths(b, "")}, Subject: rand.Text()})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := keys.Verify(token, "town", noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
