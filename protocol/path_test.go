package protocol

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParsePath(t *testing.T) {
	tests := []struct {
		in   string
		want Path
	}{
		{"", ""},
		{"/", ""},
		{"///", ""},
		{"a", "a"},
		{"/a/", "a"},
		{"a//b", "a/b"},
		{"//room///alice.hang//", "room/alice.hang"},
		{"a/./../b", "a/./../b"}, // dots are ordinary names
		{"日本語/🎙", "日本語/🎙"},
		{strings.Repeat("/", 100) + strings.Repeat("s///", MaxSegments), Path(strings.Repeat("/s", MaxSegments)[1:])},
	}
	for _, tt := range tests {
		if got, err := ParsePath(tt.in); err != nil || got != tt.want {
			t.Errorf("ParsePath(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
		}
	}
	if _, err := ParsePath("a/\xc3\x28"); !errors.Is(err, ErrMalformed) {
		t.Errorf("invalid UTF-8: %v", err)
	}
	if _, err := ParsePath(strings.Repeat("s/", MaxSegments+1)); !errors.Is(err, ErrTooManySegments) {
		t.Errorf("%d segments: %v", MaxSegments+1, err)
	}
}

func TestPathPrefix(t *testing.T) {
	tests := []struct {
		path, prefix, suffix Path
		ok                   bool
	}{
		{"foo", "", "foo", true},
		{"", "", "", true},
		{"foo", "foo", "", true},
		{"foo/bar", "foo", "bar", true},
		{"foo/bar/baz", "foo", "bar/baz", true},
		{"foobar", "foo", "", false},
		{"foo", "foo/bar", "", false},
		{"", "foo", "", false},
		{"Foo", "foo", "", false},
		{"bar/foo", "foo", "", false},
	}
	for _, tt := range tests {
		suffix, ok := tt.path.TrimPrefix(tt.prefix)
		if suffix != tt.suffix || ok != tt.ok {
			t.Errorf("%q.TrimPrefix(%q) = %q, %v, want %q, %v", tt.path, tt.prefix, suffix, ok, tt.suffix, tt.ok)
		}
		if got := tt.path.HasPrefix(tt.prefix); got != tt.ok {
			t.Errorf("%q.HasPrefix(%q) = %v", tt.path, tt.prefix, got)
		}
		if back := tt.prefix.Join(suffix); ok && back != tt.path {
			t.Errorf("%q.Join(%q) = %q, want %q", tt.prefix, suffix, back, tt.path)
		}
	}
}

// Prefixes, joining and segments are all about the same list of names.
func TestPathsAreListsOfSegments(t *testing.T) {
	segments := rapid.SliceOfN(rapid.StringMatching(`[ab.]{1,2}`), 0, 4)
	path := func(s []string) Path { return Path(strings.Join(s, "/")) }
	rapid.Check(t, func(t *rapid.T) {
		a, b := segments.Draw(t, "a"), segments.Draw(t, "b")
		if got := path(a).Segments(); !slices.Equal(got, a) {
			t.Fatalf("segments %q, want %q", got, a)
		}
		joined := path(a).Join(path(b))
		if want := path(append(slices.Clone(a), b...)); joined != want {
			t.Fatalf("joined %q, want %q", joined, want)
		}
		if suffix, ok := joined.TrimPrefix(path(a)); !ok || suffix != path(b) {
			t.Fatalf("%q after %q is %q, %v", joined, path(a), suffix, ok)
		}
		if got, want := path(a).HasPrefix(path(b)), len(b) <= len(a) && slices.Equal(a[:min(len(a), len(b))], b); got != want {
			t.Fatalf("%q starts with %q: %v", path(a), path(b), got)
		}
		if got, err := ParsePath("/" + string(path(a)) + "//" + string(path(b))); err != nil || got != joined {
			t.Fatalf("parsed %q, %v, want %q", got, err, joined)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"", "/", "a//b/", "\xff", "日/本", strings.Repeat("s/", 33)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePath(s)
		if err != nil {
			return
		}
		if again, err := ParsePath(string(p)); err != nil || again != p {
			t.Fatalf("%q becomes %q, then %q, %v", s, p, again, err)
		}
		if strings.Contains("/"+string(p)+"/", "//") && p != "" || len(p.Segments()) > MaxSegments {
			t.Fatalf("%q is not normal", p)
		}
	})
}
