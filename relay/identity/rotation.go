package identity

import "time"

// The life of a self-made certificate, from the moment it takes over:
//
//	from-backdate           from-overlap   from                          from+period   …+overlap
//	|                       |              |                             |             |
//	not valid before        made, told     shown to newcomers            the next one  forgotten
//	                        to others                                    is shown
//
// so that a hash that somebody learnt within the last day is the hash of a
// certificate they are shown.
const (
	// Lifetime is how long a certificate is valid. Browsers refuse to pin one
	// that is valid for more than 14 days; one day less leaves no doubt about
	// how they count.
	Lifetime = 13 * 24 * time.Hour

	// overlap is how long before it takes over a certificate is known, and how
	// long after its end it is still told. Longer than any answer with a hash
	// in it is kept; a client that learnt the hash earlier asks again.
	overlap = 24 * time.Hour

	// backdate is how far the clock of a client may be behind.
	backdate = 24 * time.Hour

	// reserve is what is left of a certificate when it is replaced: how far the
	// clock of a client may be ahead.
	reserve = 48 * time.Hour
)

// from is when c takes over.
func (c certificate) from() time.Time { return c.tls.Leaf.NotBefore.Add(backdate) }

// until is when the one after c takes over.
func (c certificate) until() time.Time { return c.tls.Leaf.NotAfter.Add(-reserve) }

func (c certificate) validAt(now time.Time) bool {
	return !now.Before(c.tls.Leaf.NotBefore) && now.Before(c.tls.Leaf.NotAfter)
}

// serving returns the index of the certificate to show at now, -1 if there is
// none: the last that has taken over, else (the clock was set back) the first
// that is valid.
func serving(chain []certificate, now time.Time) int {
	found := -1
	for i, c := range chain {
		if c.validAt(now) && (found < 0 || !c.from().After(now)) {
			found = i
		}
	}
	return found
}

// advance brings a chain, in the order of taking over, up to date: it creates
// what is due and drops what nobody needs any more. The chain it was given
// stays as it is.
func advance(chain []certificate, now time.Time, create func(from time.Time) (certificate, error)) ([]certificate, error) {
	var out []certificate
	for i, c := range chain {
		replaced := i+1 < len(chain) && !now.Before(chain[i+1].from().Add(overlap))
		if c.validAt(now) && !replaced {
			out = append(out, c)
		}
	}
	from := now
	if len(out) > 0 {
		from = out[len(out)-1].until()
		if now.Before(from.Add(-overlap)) {
			return out, nil
		}
		if from.Before(now) {
			from = now
		}
	}
	// Certificates count in seconds.
	next, err := create(from.UTC().Truncate(time.Second))
	if err != nil {
		return out, err
	}
	return append(out, next), nil
}
