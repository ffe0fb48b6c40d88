package identity

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const day = 24 * time.Hour

var epoch = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// at makes a certificate of dates only that takes over some days after epoch.
func at(days float64) certificate {
	c, _ := dated(epoch.Add(time.Duration(days * float64(day))))
	return c
}

func dated(from time.Time) (certificate, error) {
	return certificate{
		tls: tls.Certificate{Leaf: &x509.Certificate{
			NotBefore: from.Add(-backdate),
			NotAfter:  from.Add(-backdate + Lifetime),
		}},
		hash: from.Format(time.DateTime),
	}, nil
}

func hashes(chain []certificate) []string {
	var out []string
	for _, c := range chain {
		out = append(out, c.hash)
	}
	return out
}

// A certificate that takes over on day 0 is shown until day 10, the next one is
// made on day 9, and the first is forgotten on day 11.
func TestAdvance(t *testing.T) {
	tests := []struct {
		name  string
		chain []certificate
		now   float64 // days
		want  []certificate
		shown int
	}{
		{"at the very first", nil, 0, []certificate{at(0)}, 0},
		{"in mid life", []certificate{at(0)}, 5, []certificate{at(0)}, 0},
		{"just before the next is due", []certificate{at(0)}, 8.999, []certificate{at(0)}, 0},
		{"the next is due", []certificate{at(0)}, 9, []certificate{at(0), at(10)}, 0},
		{"both known", []certificate{at(0), at(10)}, 9.9, []certificate{at(0), at(10)}, 0},
		{"the next takes over", []certificate{at(0), at(10)}, 10, []certificate{at(0), at(10)}, 1},
		{"the last is still told", []certificate{at(0), at(10)}, 10.999, []certificate{at(0), at(10)}, 1},
		{"the last is forgotten", []certificate{at(0), at(10)}, 11, []certificate{at(10)}, 0},
		{"asleep while the next was due", []certificate{at(0)}, 9.5, []certificate{at(0), at(10)}, 0},
		{"asleep until after it should have taken over", []certificate{at(0)}, 10.5, []certificate{at(0), at(10.5)}, 1},
		{"asleep until the last has expired", []certificate{at(0)}, 12, []certificate{at(12)}, 0},
		{"asleep for months", []certificate{at(0), at(10)}, 100, []certificate{at(100)}, 0},
		{"clock set back an hour", []certificate{at(1)}, 0.96, []certificate{at(1)}, 0},
		{"clock set back a month", []certificate{at(30)}, 0, []certificate{at(0)}, 0},
		{"clock set back over a rotation", []certificate{at(0), at(10)}, 9.5, []certificate{at(0), at(10)}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := epoch.Add(time.Duration(tt.now * float64(day)))
			before := hashes(tt.chain)
			got, err := advance(tt.chain, now, dated)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(hashes(got), hashes(tt.want)) {
				t.Errorf("got %v, want %v", hashes(got), hashes(tt.want))
			}
			if shown := serving(got, now); shown != tt.shown {
				t.Errorf("shows %d, want %d", shown, tt.shown)
			}
			if !slices.Equal(hashes(tt.chain), before) {
				t.Error("the chain it was given changed")
			}
		})
	}
}

func TestAdvanceKeepsWhatItHasWhenItCannotMakeMore(t *testing.T) {
	broken := errors.New("no randomness")
	got, err := advance([]certificate{at(0)}, epoch.Add(9*day), func(time.Time) (certificate, error) {
		return certificate{}, broken
	})
	if !errors.Is(err, broken) || !slices.Equal(hashes(got), hashes([]certificate{at(0)})) {
		t.Errorf("%v, %v", hashes(got), err)
	}
}

// However often a relay looks: what it shows was told a day before, and a
// client whose clock is a day behind or two ahead still finds it valid.
func TestWhatIsShownWasTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type look struct {
			at    time.Time
			chain []certificate
		}
		var looks []look
		var chain []certificate
		now := epoch
		for range rapid.IntRange(2, 60).Draw(t, "looks") {
			var err error
			if chain, err = advance(chain, now, dated); err != nil {
				t.Fatal(err)
			}
			i := serving(chain, now)
			if i < 0 {
				t.Fatalf("nothing to show at %v: %v", now, hashes(chain))
			}
			shown := chain[i]
			for _, past := range looks {
				if now.Sub(past.at) <= overlap && !slices.Contains(hashes(past.chain), shown.hash) {
					t.Fatalf("%v shown at %v was not told at %v: %v", shown.hash, now, past.at, hashes(past.chain))
				}
			}
			if !shown.validAt(now.Add(-backdate)) || !shown.validAt(now.Add(reserve-time.Nanosecond)) {
				t.Fatalf("%v shown at %v leaves no room for clocks", shown.hash, now)
			}
			looks = append(looks, look{now, chain})
			now = now.Add(time.Duration(rapid.IntRange(1, 30*24*60).Draw(t, "minutes")) * time.Minute)
		}
	})
}
