package token

import (
	"encoding/json"
	"os"
	"sync"
	"testing"

	"github.com/stentor-audio/stentor/protocol"
)

// vectors are tokens signed and scopes matched by another implementation.
type vectors struct {
	Tokens []struct {
		ID     string
		JWK    json.RawMessage
		Token  string
		Claims json.RawMessage
		Expect string
		Why    string
	} `json:"tokens"`
	TokenScopes []struct {
		ID       string
		Root     string
		Put, Get []string
		Path     string
		Expect   json.RawMessage
	} `json:"token_scopes"`
}

var readVectors = sync.OnceValues(func() (vectors, error) {
	var v vectors
	b, err := os.ReadFile("../protocol/testdata/moq-lite-05.json")
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal(b, &v)
})

func loadVectors(tb testing.TB) vectors {
	tb.Helper()
	v, err := readVectors()
	if err != nil {
		tb.Fatal(err)
	}
	if len(v.Tokens) == 0 || len(v.TokenScopes) == 0 {
		tb.Fatal("the vectors hold no tokens")
	}
	return v
}

// paths normalises each of s.
func paths(tb testing.TB, s ...string) []protocol.Path {
	tb.Helper()
	var out []protocol.Path
	for _, s := range s {
		p, err := protocol.ParsePath(s)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}
