package token

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestGrantSaysWhoAndHowLong(t *testing.T) {
	key := mustGenerate(t, "EdDSA")
	expires := noon.Add(time.Hour)
	signed, err := Sign(key, Claims{
		Scope:   Scope{Root: "town", Put: paths(t, "ada"), Get: paths(t, "")},
		Expires: expires, Issued: noon,
		Role: RoleHost, Name: "Ada Ødegård", Subject: "user-7",
	})
	if err != nil {
		t.Fatal(err)
	}
	grant, err := mustKeys(t, key).Verify(signed, "/town/", noon)
	if err != nil {
		t.Fatal(err)
	}
	if !grant.Expires.Equal(expires) {
		t.Errorf("expires %v, want %v", grant.Expires, expires)
	}
	grant.Expires = time.Time{}
	want := Grant{
		Publish: paths(t, "ada"), Subscribe: paths(t, ""),
		Role: RoleHost, Name: "Ada Ødegård", Subject: "user-7", KeyID: "k1",
	}
	if !reflect.DeepEqual(grant, want) {
		t.Errorf("grant %+v, want %+v", grant, want)
	}
	for path, may := range map[string]bool{"ada": true, "ada/2": true, "adam": false, "bob": false, "": false} {
		if got := grant.MayPublish(paths(t, path)[0]); got != may {
			t.Errorf("may publish %q: %v", path, got)
		}
	}
	if (Grant{}).MaySubscribe("") || !Open().MaySubscribe("x") || !Open().MayPublish("") {
		t.Error("the zero grant allows nothing, an open one everything")
	}
}

func TestCeilingOfAKey(t *testing.T) {
	ceiling := Scope{Root: "town", Get: paths(t, "")}
	key, err := Generate("HS256", "k1", &ceiling)
	if err != nil {
		t.Fatal(err)
	}
	tooMuch := Claims{Scope: Scope{Root: "town", Put: paths(t, "ada"), Get: paths(t, "")}}
	if _, err := Sign(key, tooMuch); !errors.Is(err, ErrCeiling) {
		t.Errorf("Sign = %v, want ErrCeiling", err)
	}
	keys := mustKeys(t, key)
	for payload, want := range map[string]error{
		`{"root":"town","get":"","put":"ada"}`: ErrCeiling, // as a whole, not only put
		`{"get":""}`:                           ErrCeiling,
		`{"root":"town","get":""}`:             nil,
		`{"get":"town/hall"}`:                  nil,
	} {
		token := forge(t, jwt.SigningMethodHS256, key.signing, nil, payload)
		if _, err := keys.Verify(token, "town", noon); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", payload, err, want)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	key := mustGenerate(t, "ES256")
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	good := Claims{Scope: Scope{Get: paths(t, "")}}
	long := good
	long.Name = strings.Repeat("x", MaxToken)
	tests := []struct {
		name   string
		key    Key
		claims Claims
		want   error
	}{
		{"a public key", public, good, ErrKey},
		{"the zero key", Key{}, good, ErrKey},
		{"nothing granted", key, Claims{Name: "ada"}, ErrNothing},
		{"a token nobody would read", key, long, ErrMalformed},
	}
	for _, tt := range tests {
		if _, err := Sign(tt.key, tt.claims); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := Sign(key, Claims{Scope: good.Scope, Role: "root"}); err == nil {
		t.Error("a role that does not exist was signed")
	}
}
