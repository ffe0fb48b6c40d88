package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/stentor-audio/stentor/protocol"
)

// A Role is what somebody is in a room. It is a claim of Stentor's own; what
// may be published and subscribed follows from put and get alone.
type Role string

// The roles, from the most to the least.
const (
	RoleHost     Role = "host"     // may do everything to the room
	RoleCohost   Role = "cohost"   // succeeds a host who is gone
	RoleSpeaker  Role = "speaker"  // may come in when listeners may not
	RoleListener Role = "listener" // waits in the lobby when the network is full
)

// ParseRole returns the role with that name; the empty name is no role.
func ParseRole(s string) (Role, error) {
	switch r := Role(s); r {
	case "", RoleHost, RoleCohost, RoleSpeaker, RoleListener:
		return r, nil
	}
	return "", fmt.Errorf("role %q is none of host, cohost, speaker, listener", s)
}

// Claims is what a token says.
type Claims struct {
	Scope

	Expires   time.Time // zero: never; written in whole seconds
	NotBefore time.Time // zero: at once; likewise
	Issued    time.Time // zero: not said; informative

	Role    Role   // empty: not said
	Name    string // shown to others; empty: not said
	Subject string // who it is to the issuer ("sub"); empty: not said
}

// MarshalJSON writes the payload of a token. Put and get are always lists.
func (c Claims) MarshalJSON() ([]byte, error) {
	type list = []protocol.Path
	return json.Marshal(struct {
		Root string   `json:"root"`
		Put  list     `json:"put,omitempty"`
		Get  list     `json:"get,omitempty"`
		Exp  *seconds `json:"exp,omitempty"`
		Nbf  *seconds `json:"nbf,omitempty"`
		Iat  *seconds `json:"iat,omitempty"`
		Role Role     `json:"role,omitempty"`
		Name string   `json:"name,omitempty"`
		Sub  string   `json:"sub,omitempty"`
	}{
		string(c.Root), c.Put, c.Get,
		secondsOf(c.Expires), secondsOf(c.NotBefore), secondsOf(c.Issued),
		c.Role, c.Name, c.Subject,
	})
}

// UnmarshalJSON reads the payload of a token. Names of claims are compared
// exactly, which encoding/json would not do for a struct: "PUT" grants nothing.
// Claims it does not know are skipped.
func (c *Claims) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	scope, err := parseScope(raw)
	if err != nil {
		return err
	}
	out := Claims{Scope: scope}
	var exp, nbf, iat seconds
	var role string
	var aud any
	err = errors.Join(
		member(raw, "exp", &exp),
		member(raw, "nbf", &nbf),
		member(raw, "iat", &iat),
		member(raw, "role", &role),
		member(raw, "name", &out.Name),
		member(raw, "sub", &out.Subject),
		member(raw, "aud", &aud),
	)
	if err != nil {
		return err
	}
	if aud != nil {
		// RFC 7519 §4.1.3: who does not find itself in aud must refuse, and a
		// relay has no name to be found under.
		return errors.New("aud: a relay takes only tokens without an audience")
	}
	if out.Role, err = ParseRole(role); err != nil {
		return err
	}
	out.Expires, out.NotBefore, out.Issued = exp.time, nbf.time, iat.time
	*c = out
	return nil
}

// parseScope reads root, put and get, of a token or of a key's ceiling.
func parseScope(raw map[string]json.RawMessage) (Scope, error) {
	var root string
	var put, get pathList
	err := errors.Join(
		member(raw, "root", &root),
		member(raw, "put", &put),
		member(raw, "get", &get),
	)
	if err != nil {
		return Scope{}, err
	}
	path, err := protocol.ParsePath(root)
	if err != nil {
		return Scope{}, fmt.Errorf("root: %w", err)
	}
	return Scope{Root: path, Put: put, Get: get}, nil
}

// member decodes one member of an object into v; one that is absent or null
// leaves v as it is.
func member(raw map[string]json.RawMessage, name string, v any) error {
	value, ok := raw[name]
	if !ok || string(value) == "null" {
		return nil
	}
	if err := json.Unmarshal(value, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// A pathList is one path or a list of them.
type pathList []protocol.Path

func (l *pathList) UnmarshalJSON(b []byte) error {
	var one *string
	var many []*string // pointers, for null must not read as "", which is everything
	if err := json.Unmarshal(b, &one); err == nil {
		many = []*string{one}
	} else if err := json.Unmarshal(b, &many); err != nil {
		return errors.New("want a path or a list of paths")
	}
	for _, s := range many {
		if s == nil {
			return errors.New("null is no path")
		}
		p, err := protocol.ParsePath(*s)
		if err != nil {
			return err
		}
		*l = append(*l, p)
	}
	return nil
}

// seconds is a NumericDate (RFC 7519 §2): Unix seconds, possibly with a
// fraction.
type seconds struct{ time time.Time }

// maxSeconds is the last second of the year 9999, the last one that RFC 3339
// can write. Whoever means "never" leaves exp out.
const maxSeconds = 253402300799

func secondsOf(t time.Time) *seconds {
	if t.IsZero() {
		return nil
	}
	return &seconds{t}
}

func (s seconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(s.time.Unix())
}

func (s *seconds) UnmarshalJSON(b []byte) error {
	var x float64
	if err := json.Unmarshal(b, &x); err != nil {
		return errors.New("want Unix seconds")
	}
	if x < 0 || x > maxSeconds {
		return errors.New("outside 1970 to 9999")
	}
	whole, fraction := math.Modf(x)
	s.time = time.Unix(int64(whole), int64(fraction*1e6)*1e3)
	return nil
}

// payload makes Claims acceptable to the jwt package. Verify looks at the
// expiry itself, so nothing asks for these.
type payload struct{ Claims }

func (payload) GetExpirationTime() (*jwt.NumericDate, error) { return nil, nil }
func (payload) GetIssuedAt() (*jwt.NumericDate, error)       { return nil, nil }
func (payload) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (payload) GetIssuer() (string, error)                   { return "", nil }
func (payload) GetSubject() (string, error)                  { return "", nil }
func (payload) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }
