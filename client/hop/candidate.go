package hop

import (
	"net/url"
	"strings"
	"time"
)

// A Candidate is a relay that may be dialled.
type Candidate struct {
	// Name is the relay's. Empty means its URL.
	Name string
	// Zone is where the relay is; empty if unknown. Standbys are looked for
	// outside the primary's zone.
	Zone string
	// URL is what to dial. Two candidates with the same host and port are one.
	URL string
	// Hashes are those of the relay's certificates, for whoever dials.
	Hashes []string

	host string // of the URL and its port, worked out once; "" if it has none
}

// same reports whether two candidates are one relay.
func (c Candidate) same(d Candidate) bool {
	return c.Name == d.Name || c.host != "" && c.host == d.host
}

// elsewhere reports whether c is known to be in another zone than d.
func (c Candidate) elsewhere(d Candidate) bool {
	return c.Zone != "" && d.Zone != "" && c.Zone != d.Zone
}

// hostOf is the host and port that a URL leads to; "" if it is none. What is below
// them does not matter, nor which transport is asked for.
func hostOf(s string) string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return strings.ToLower(u.Hostname()) + " " + port
}

const (
	// The pauses before a relay that failed is dialled again.
	firstPause   = time.Second
	longestPause = 30 * time.Second

	// finalPause is for a relay that will never take this client, as far as one
	// can know: tokens and certificates do change.
	finalPause = 5 * time.Minute

	// provenAfter is how long a session must live to prove that its relay takes
	// this client.
	provenAfter = 5 * time.Second

	// How long a relay that was left is not gone back to, if there is another.
	// Load doubles it each time, up to the longest.
	avoidFailed   = 10 * time.Second
	avoidDrained  = 30 * time.Second
	avoidLoaded   = 30 * time.Second
	avoidLongest  = 8 * time.Minute
	avoidOutdone  = time.Minute
	maxRemembered = 64
)

// An entry is what is known of one relay.
type entry struct {
	Candidate
	listed bool

	fails   int           // attempts and short sessions in a row
	retryAt time.Duration // not before
	loads   int           // how often in a row it said that it had too many
	avoid   time.Duration // not before, unless there is no other
}

// A book is the list of candidates, best first, with what was learnt of each.
type book struct {
	o       Options
	entries []entry
}

// list replaces the candidates. What is known of those that stay is kept.
func (b *book) list(candidates []Candidate, now time.Duration) {
	old := b.entries
	b.entries = make([]entry, 0, len(candidates)+len(old))
	for _, c := range candidates {
		if c.Name == "" {
			c.Name = c.URL
		}
		c.host = hostOf(c.URL)
		if b.find(c) != nil {
			continue
		}
		e := entry{}
		for i := range old {
			if old[i].same(c) {
				e = old[i]
				break
			}
		}
		e.Candidate, e.listed = c, true
		b.entries = append(b.entries, e)
	}
	for _, e := range old {
		if b.find(e.Candidate) == nil && len(b.entries) < len(candidates)+maxRemembered &&
			(e.retryAt > now || e.avoid > now) {
			e.listed = false
			b.entries = append(b.entries, e)
		}
	}
}

func (b *book) find(c Candidate) *entry {
	for i := range b.entries {
		if b.entries[i].same(c) {
			return &b.entries[i]
		}
	}
	return nil
}

// at is the candidate that a URL means; nil for a stranger.
func (b *book) at(url string) *entry {
	host := hostOf(url)
	if host == "" {
		return nil
	}
	for i := range b.entries {
		if b.entries[i].listed && b.entries[i].host == host {
			return &b.entries[i]
		}
	}
	return nil
}

func (b *book) named(name string) *entry {
	for i := range b.entries {
		if b.entries[i].listed && b.entries[i].Name == name {
			return &b.entries[i]
		}
	}
	return nil
}

// pick is the best candidate that may be dialled now and that fits, or nil; and
// then when to ask again. One to be avoided is the last resort, if at all.
func (b *book) pick(now time.Duration, lastResort bool, fits func(Candidate) bool) (best *entry, again time.Duration) {
	again = never
	for i := range b.entries {
		e := &b.entries[i]
		switch {
		case !e.listed || !fits(e.Candidate):
		case e.retryAt > now:
			again = min(again, e.retryAt)
		case e.avoid <= now:
			return e, now
		case !lastResort:
			again = min(again, e.avoid)
		case best == nil || e.avoid < best.avoid:
			best = e
		}
	}
	return best, again
}

// failed notes that a relay did not take this client, or soon dropped it.
func (b *book) failed(c Candidate, final bool, now time.Duration) {
	e := b.find(c)
	if e == nil {
		return
	}
	pause := firstPause << min(e.fails, 5)
	e.fails++
	if final {
		pause = finalPause
	} else {
		pause = b.o.after(min(2*pause, longestPause))
	}
	e.retryAt = now + pause
}

// left notes that a session which began at since was left.
func (b *book) left(c Candidate, cause Cause, since, now time.Duration) {
	e := b.find(c)
	if e == nil {
		return
	}
	if now-since >= provenAfter {
		e.fails = 0
	}
	switch cause {
	case CauseClosed, CauseSilence:
		b.failed(c, false, now)
		e.avoid = max(e.avoid, now+avoidFailed)
	case CauseBetter:
		e.avoid = max(e.avoid, now+avoidOutdone)
	}
}

// askedToLeave notes a GOAWAY.
func (b *book) askedToLeave(c Candidate, cause Cause, now time.Duration) {
	e := b.find(c)
	if e == nil {
		return
	}
	if cause == CauseDrain {
		e.avoid = max(e.avoid, now+avoidDrained)
		return
	}
	if now > e.avoid+avoidLongest {
		e.loads = 0
	}
	e.avoid = max(e.avoid, now+min(avoidLoaded<<min(e.loads, 4), avoidLongest))
	e.loads++
}

// forgive lets every relay be dialled at once: it was the network's fault.
func (b *book) forgive() {
	for i := range b.entries {
		b.entries[i].fails, b.entries[i].retryAt = 0, 0
	}
}
