package token

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/stentor-audio/stentor/protocol"
)

func TestMatchVectors(t *testing.T) {
	for _, v := range loadVectors(t).TokenScopes {
		t.Run(v.ID, func(t *testing.T) {
			scope := Scope{
				Root: paths(t, v.Root)[0],
				Put:  paths(t, v.Put...),
				Get:  paths(t, v.Get...),
			}
			put, get, err := scope.Match(paths(t, v.Path)[0])
			if string(v.Expect) == `"reject"` {
				if !errors.Is(err, ErrNothing) {
					t.Fatalf("put %q get %q err %v, want ErrNothing", put, get, err)
				}
				return
			}
			var want struct{ Put, Get []string }
			if err := json.Unmarshal(v.Expect, &want); err != nil {
				t.Fatal(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(put, paths(t, want.Put...)) || !slices.Equal(get, paths(t, want.Get...)) {
				t.Errorf("put %q get %q, want %q and %q", put, get, want.Put, want.Get)
			}
		})
	}
}

func TestMatchNarrows(t *testing.T) {
	tests := []struct {
		name     string
		root     string
		get      []string
		path     string
		want     []string
		rejected bool
	}{
		{"root is a prefix of letters only", "room", []string{""}, "rooms", nil, true},
		{"entry is a prefix of letters only", "", []string{"room"}, "rooms", nil, true},
		{"two entries that become one", "", []string{"a", "b", "a/1/2"}, "a/1", []string{"", "2"}, false},
		{"the same entry twice", "", []string{"a", "a"}, "", []string{"a"}, false},
		{"an entry above the path", "r", []string{"a"}, "r/a/b/c", []string{""}, false},
		{"no list", "r", nil, "r", nil, true},
		{"root below the path", "a/b/c", []string{"d"}, "a", []string{"b/c/d"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			scope := Scope{Root: paths(t, tt.root)[0], Get: paths(t, tt.get...)}
			_, get, err := scope.Match(paths(t, tt.path)[0])
			if tt.rejected != (err != nil) {
				t.Fatalf("get %q err %v", get, err)
			}
			if !slices.Equal(get, paths(t, tt.want...)) {
				t.Errorf("get %q, want %q", get, tt.want)
			}
		})
	}
}

// drawPath makes paths of few letters, so that they are often prefixes of each
// other, by segment or only by letter.
func drawPath(t *rapid.T, label string) protocol.Path {
	segments := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "ab"}), 0, 4).Draw(t, label)
	var p protocol.Path
	for _, s := range segments {
		p = p.Join(protocol.Path(s))
	}
	return p
}

func drawScope(t *rapid.T, label string) Scope {
	s := Scope{Root: drawPath(t, label+" root")}
	for range rapid.IntRange(0, 3).Draw(t, label+" entries") {
		s.Get = append(s.Get, drawPath(t, label+" entry"))
	}
	return s
}

// allows is the plain meaning of a scope: some entry lies above the path.
func (s Scope) allows(full protocol.Path) bool {
	return slices.ContainsFunc(s.Get, func(entry protocol.Path) bool {
		return full.HasPrefix(s.Root.Join(entry))
	})
}

// What a session may do through its narrowed prefixes is what the token says
// of the full path, no more and no less.
func TestMatchMeansWhatTheTokenSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scope, session, rest := drawScope(t, "scope"), drawPath(t, "session"), drawPath(t, "rest")
		_, get, err := scope.Match(session)
		granted := err == nil && Grant{Subscribe: get}.MaySubscribe(rest)
		if said := scope.allows(session.Join(rest)); granted != said {
			t.Fatalf("granted %v, token says %v (get %q, err %v)", granted, said, get, err)
		}
	})
}

func TestWithinCeilingAllowsNothingAboveIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scope, ceiling, path := drawScope(t, "scope"), drawScope(t, "ceiling"), drawPath(t, "path")
		if scope.within(ceiling) && scope.allows(path) && !ceiling.allows(path) {
			t.Fatalf("%+v within %+v, yet %q", scope, ceiling, path)
		}
	})
}

func TestCeilingCountsPerRole(t *testing.T) {
	ceiling := Scope{Root: "town", Put: paths(t, "ada"), Get: paths(t, "")}
	tests := []struct {
		name  string
		scope Scope
		want  bool
	}{
		{"the same", ceiling, true},
		{"less", Scope{Root: "town/ada", Put: paths(t, "mic"), Get: paths(t, "mic")}, true},
		{"root above, entries below", Scope{Get: paths(t, "town/x")}, true},
		{"root above, everything", Scope{Get: paths(t, "")}, false},
		{"publishing where only reading is allowed", Scope{Root: "town", Put: paths(t, "bob")}, false},
		{"one entry of two outside", Scope{Get: paths(t, "town", "village")}, false},
		{"another name with the same start", Scope{Get: paths(t, "township")}, false},
	}
	for _, tt := range tests {
		if got := tt.scope.within(ceiling); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
