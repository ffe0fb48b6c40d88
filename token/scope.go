package token

import (
	"slices"

	"github.com/stentor-audio/stentor/protocol"
)

// A Scope is what may be published and subscribed below a root. An empty list
// allows nothing; the empty path in a list allows everything below the root.
type Scope struct {
	Root protocol.Path
	Put  []protocol.Path // may be published
	Get  []protocol.Path // may be subscribed
}

// Match narrows a scope to a session opened on path: what is left of put and
// get are prefixes relative to that path. It fails with [ErrNothing] if root
// and path lie in different branches, or if nothing is left of either list.
func (s Scope) Match(path protocol.Path) (put, get []protocol.Path, err error) {
	// One of the two lies inside the other: below is what the lists have to
	// gain to be seen from the path, above what they have to lose.
	above, inside := path.TrimPrefix(s.Root)
	below, outside := s.Root.TrimPrefix(path)
	if !inside && !outside {
		return nil, nil, ErrNothing
	}
	put = narrow(s.Put, below, above)
	get = narrow(s.Get, below, above)
	if len(put) == 0 && len(get) == 0 {
		return nil, nil, ErrNothing
	}
	return put, get, nil
}

// narrow moves each entry below, keeps what is at or under above, and drops
// the rest. One of below and above is empty.
func narrow(entries []protocol.Path, below, above protocol.Path) []protocol.Path {
	var kept []protocol.Path
	for _, entry := range entries {
		full := below.Join(entry)
		suffix, under := full.TrimPrefix(above)
		if !under && !above.HasPrefix(full) {
			continue
		}
		if !slices.Contains(kept, suffix) {
			kept = append(kept, suffix)
		}
	}
	return kept
}

// within reports whether every grant of s lies inside the ceiling, each role
// for itself.
func (s Scope) within(ceiling Scope) bool {
	return inside(s.Root, s.Put, ceiling.Root, ceiling.Put) &&
		inside(s.Root, s.Get, ceiling.Root, ceiling.Get)
}

func inside(root protocol.Path, entries []protocol.Path, top protocol.Path, allowed []protocol.Path) bool {
	for _, entry := range entries {
		path := root.Join(entry)
		ok := slices.ContainsFunc(allowed, func(a protocol.Path) bool {
			return path.HasPrefix(top.Join(a))
		})
		if !ok {
			return false
		}
	}
	return true
}
