package protocol

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Path names a broadcast, or a prefix that several share: segments separated
// by single slashes, none at either end. The empty path has no segments and is
// a prefix of every other. Paths are compared byte by byte (docs/wire.md,
// section 1.2).
type Path string

// ParsePath normalises s: slashes at the ends go, runs of them become one. More
// than [MaxSegments] segments and bytes that are not UTF-8 are errors.
func ParsePath(s string) (Path, error) {
	if !utf8.ValidString(s) {
		return "", fmt.Errorf("%w: path is not UTF-8", ErrMalformed)
	}
	var p strings.Builder
	segments := 0
	for segment := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '/' }) {
		if segments++; segments > MaxSegments {
			return "", ErrTooManySegments
		}
		if segments > 1 {
			p.WriteByte('/')
		}
		p.WriteString(segment)
	}
	return Path(p.String()), nil
}

// HasPrefix reports whether p starts with the whole segments of prefix: "a/b"
// starts with "a" and with "a/b", "ab" does not start with "a".
func (p Path) HasPrefix(prefix Path) bool {
	_, ok := p.TrimPrefix(prefix)
	return ok
}

// TrimPrefix returns what is left of p after prefix and one slash.
func (p Path) TrimPrefix(prefix Path) (suffix Path, ok bool) {
	if prefix == "" {
		return p, true
	}
	rest, ok := strings.CutPrefix(string(p), string(prefix))
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return Path(strings.TrimPrefix(rest, "/")), true
}

// Join returns the path of suffix below p. The result can have more segments
// than [MaxSegments]; whoever joins a path that a peer sent has to look.
func (p Path) Join(suffix Path) Path {
	if p == "" || suffix == "" {
		return p + suffix
	}
	return p + "/" + suffix
}

// Segments returns the segments of p, none for the empty path.
func (p Path) Segments() []string {
	if p == "" {
		return nil
	}
	return strings.Split(string(p), "/")
}
