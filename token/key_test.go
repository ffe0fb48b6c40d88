package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

func TestGeneratedKeysSignAndVerify(t *testing.T) {
	for _, alg := range Algorithms {
		t.Run(alg, func(t *testing.T) {
			key := mustGenerate(t, alg)
			b, err := json.Marshal(key)
			if err != nil {
				t.Fatal(err)
			}
			for _, form := range []struct{ name, text string }{
				{"JSON", string(b)},
				{"JSON with space around", "\n\t" + string(b) + "\r\n"},
				{"base64url", base64url(b)},
				{"base64url with a newline", base64url(b) + "\n"},
			} {
				again, err := ParseKey([]byte(form.text))
				if err != nil {
					t.Fatalf("%s: %v", form.name, err)
				}
				signed, err := Sign(again, Claims{Scope: Scope{Get: paths(t, "a")}})
				if err != nil {
					t.Fatalf("%s: %v", form.name, err)
				}
				if _, err := mustKeys(t, key).Verify(signed, "a", noon); err != nil {
					t.Errorf("%s: %v", form.name, err)
				}
			}
		})
	}
}

func TestPublicHalf(t *testing.T) {
	for _, alg := range []string{"ES256", "ES384", "EdDSA", "RS256"} {
		key := mustGenerate(t, alg)
		public, err := key.Public()
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(public)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{key.jwk.D, key.jwk.P, key.jwk.Q} {
			if secret != "" && bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s: the public key holds a private part", alg)
			}
		}
		if public.CanSign() || !public.CanVerify() {
			t.Errorf("%s: sign %v verify %v", alg, public.CanSign(), public.CanVerify())
		}
		signed, err := Sign(key, Claims{Scope: Scope{Get: paths(t, "a")}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mustKeys(t, public).Verify(signed, "a", noon); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
	if _, err := mustGenerate(t, "HS256").Public(); !errors.Is(err, ErrKey) {
		t.Errorf("public half of a shared secret: %v", err)
	}
}

func TestKeysDoNotPrintTheirSecret(t *testing.T) {
	key := mustGenerate(t, "HS256")
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", key)
	for _, text := range []string{log.String(), fmt.Sprint(key), fmt.Sprintf("%+v", key)} {
		if strings.Contains(text, key.jwk.K) || !strings.Contains(text, "k1") {
			t.Errorf("printed as %s", text)
		}
	}
}

// badKeys are JWKs to refuse, and the seeds of the fuzz test.
var badKeys = []struct{ name, jwk string }{
	{"empty", ""},
	{"white space", " \n"},
	{"a word", "secret!"},
	{"base64url of a word", "c2VjcmV0"},
	{"a PEM", "-----BEGIN PUBLIC KEY-----"},
	{"a list", `[]`},
	{"cut", `{"kty":"oct","alg":"HS256","k":"MDEy`},
	{"a member of the wrong type", `{"kty":1}`},
	{"no members", `{}`},
	{"no alg", `{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}`},
	{"alg none", `{"kty":"oct","alg":"none","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}`},
	{"alg of another kind", `{"kty":"oct","alg":"RS256","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}`},
	{"unknown kind", `{"kty":"AKP","alg":"HS256"}`},
	{"secret of 31 bytes", `{"alg":"HS256","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZQ"}`},
	{"no secret", `{"alg":"HS256"}`},
	{"secret not base64url", `{"alg":"HS256","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYm+/ZWY"}`},
	{"kid with a slash", `{"alg":"HS256","kid":"../a","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}`},
	{"kid of 129", `{"alg":"HS256","kid":"` + strings.Repeat("a", 129) + `","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}`},
	{"a scope that is text", `{"alg":"HS256","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY","scope":"town"}`},
	{"a scope with a number", `{"alg":"HS256","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY","scope":{"put":1}}`},
	{"RSA without numbers", `{"kty":"RSA","alg":"RS256"}`},
	{"RSA with a short modulus", `{"kty":"RSA","alg":"RS256","n":"` + strings.Repeat("_", 170) + `","e":"AQAB"}`},
	{"RSA with a long modulus", `{"kty":"RSA","alg":"RS256","n":"` + strings.Repeat("_", 4000) + `","e":"AQAB"}`},
	{"RSA with exponent 1", `{"kty":"RSA","alg":"RS256","n":"` + strings.Repeat("_", 342) + `","e":"AQ"}`},
	{"RSA with an even exponent", `{"kty":"RSA","alg":"RS256","n":"` + strings.Repeat("_", 342) + `","e":"AQAA"}`},
	{"RSA private without primes", `{"kty":"RSA","alg":"RS256","n":"` + strings.Repeat("_", 342) + `","e":"AQAB","d":"AQAB"}`},
	{"RSA private of other numbers", `{"kty":"RSA","alg":"RS256","n":"` + strings.Repeat("_", 342) + `","e":"AQAB","d":"AQAB","p":"Bw","q":"Cw"}`},
	{"EC of another curve", `{"kty":"EC","alg":"ES256","crv":"P-384"}`},
	{"EC without a point", `{"kty":"EC","alg":"ES256","crv":"P-256"}`},
	{"EC off the curve", `{"kty":"EC","alg":"ES256","crv":"P-256","x":"` + strings.Repeat("A", 42) + `E","y":"` + strings.Repeat("A", 42) + `E"}`},
	{"EC at zero", `{"kty":"EC","alg":"ES256","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}`},
	{"OKP of another curve", `{"kty":"OKP","alg":"EdDSA","crv":"Ed448","x":""}`},
	{"OKP too short", `{"kty":"OKP","alg":"EdDSA","crv":"Ed25519","x":"AAAA"}`},
	{"longer than a key can be", strings.Repeat(" ", MaxKeyFile+1)},
}

func TestParseKeyRefuses(t *testing.T) {
	for _, tt := range badKeys {
		t.Run(tt.name, func(t *testing.T) {
			key, err := ParseKey([]byte(tt.jwk))
			if !errors.Is(err, ErrKey) {
				t.Errorf("%+v, %v, want ErrKey", key.jwk, err)
			}
		})
	}
}

func TestParseKeyRefusesHalvesOfTwoKeys(t *testing.T) {
	for _, alg := range []string{"ES256", "EdDSA", "RS256"} {
		one, other := mustGenerate(t, alg).jwk, mustGenerate(t, alg).jwk
		one.D = other.D
		if _, err := one.key(); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", alg, err)
		}
		one.D = "AAAA"
		if _, err := one.key(); !errors.Is(err, ErrKey) {
			t.Errorf("%s, d too short: %v", alg, err)
		}
	}
}

func TestKeyOperations(t *testing.T) {
	tests := []struct {
		ops          []string
		sign, verify bool
	}{
		{nil, true, true},
		{[]string{}, false, false},
		{[]string{"sign"}, true, false},
		{[]string{"verify", "wrapKey"}, false, true},
	}
	for _, tt := range tests {
		j := mustGenerate(t, "HS256").jwk
		j.KeyOps = tt.ops
		key, err := j.key()
		if err != nil {
			t.Fatal(err)
		}
		if key.CanSign() != tt.sign || key.CanVerify() != tt.verify {
			t.Errorf("%v: sign %v verify %v", tt.ops, key.CanSign(), key.CanVerify())
		}
		if _, err := NewKeys(key); tt.verify != (err == nil) {
			t.Errorf("%v: NewKeys: %v", tt.ops, err)
		}
	}
}

func TestCeilingSurvivesTheFile(t *testing.T) {
	ceiling := Scope{Root: "town", Put: paths(t, "ada", "bob")}
	key, err := Generate("EdDSA", "", &ceiling)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseKey(b)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := again.Ceiling()
	if !ok || got.Root != "town" || !slices.Equal(got.Put, ceiling.Put) || got.Get != nil {
		t.Errorf("ceiling %+v %v", got, ok)
	}
	if _, ok := mustGenerate(t, "HS256").Ceiling(); ok {
		t.Error("a key without scope has a ceiling")
	}
}

// An empty list or scope allows nothing, an absent one everything: writing a
// key must not turn the one into the other.
func TestEmptyLimitsSurviveTheFile(t *testing.T) {
	key, err := ParseKey([]byte(`{"alg":"HS256","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY","key_ops":[],"scope":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseKey(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, limited := again.Ceiling(); !limited || again.CanSign() || again.CanVerify() {
		t.Errorf("%s lost its limits", b)
	}
}

func TestGenerateRefuses(t *testing.T) {
	if _, err := Generate("HS1", "", nil); !errors.Is(err, ErrKey) {
		t.Errorf("unknown algorithm: %v", err)
	}
	if _, err := Generate("", "a b", nil); !errors.Is(err, ErrKey) {
		t.Errorf("bad kid: %v", err)
	}
	key, err := Generate("", "", nil)
	if err != nil || key.Algorithm() != "HS256" || !kidForm.MatchString(key.ID()) {
		t.Errorf("defaults: %v %v", key, err)
	}
}

func FuzzParseKey(f *testing.F) {
	for _, tt := range badKeys {
		f.Add([]byte(tt.jwk))
	}
	v, err := readVectors()
	if err != nil {
		f.Fatal(err)
	}
	for _, t := range v.Tokens {
		f.Add([]byte(t.JWK))
	}
	for _, alg := range []string{"HS256", "ES256", "EdDSA", "RS256"} {
		b, err := json.Marshal(mustGenerate(f, alg))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		key, err := ParseKey(b)
		if err != nil {
			if !errors.Is(err, ErrKey) {
				t.Fatalf("not an ErrKey: %v", err)
			}
			return
		}
		again, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		same, err := ParseKey(again)
		if err != nil || same.CanSign() != key.CanSign() || same.CanVerify() != key.CanVerify() {
			t.Fatalf("%s does not survive a round trip: %v", again, err)
		}
	})
}
