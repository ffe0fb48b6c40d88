package membership

import (
	"cmp"
	"slices"
)

// Snapshot returns the relays that live, by name, this one among them. It costs
// next to nothing and may be called for every newcomer. The slice is shared:
// nobody may change it.
func (d *Directory) Snapshot() []Relay { return d.book.view.Load().relays }

// Watch returns a snapshot and a channel that is closed when there is a newer
// one, at most every 50 ms. Who comes back late has missed nothing but
// snapshots that were already old; [Diff] tells what has changed since.
func (d *Directory) Watch() (relays []Relay, next <-chan struct{}) {
	v := d.book.view.Load()
	return v.relays, v.next
}

// Find returns the relay of that name in a snapshot.
func Find(relays []Relay, name string) (Relay, bool) {
	i, ok := slices.BinarySearchFunc(relays, name, func(r Relay, name string) int { return cmp.Compare(r.Name, name) })
	if !ok {
		return Relay{}, false
	}
	return relays[i], true
}

// FindCertificate returns the relay of a snapshot that shows a certificate with
// that SHA-256: a relay that a peer must be in order to be trusted.
func FindCertificate(relays []Relay, sum [32]byte) (Relay, bool) {
	for _, r := range relays {
		if slices.Contains(r.CertificateSHA256, sum) {
			return r, true
		}
	}
	return Relay{}, false
}

// Changes are the differences between two snapshots, by name.
type Changes struct {
	Joined  []Relay
	Left    []Relay // as they last were
	Changed []Relay // as they are now
}

// Diff compares two snapshots.
func Diff(before, after []Relay) Changes {
	var c Changes
	for len(before) > 0 || len(after) > 0 {
		switch {
		case len(before) == 0 || len(after) > 0 && after[0].Name < before[0].Name:
			c.Joined = append(c.Joined, after[0])
			after = after[1:]
		case len(after) == 0 || before[0].Name < after[0].Name:
			c.Left = append(c.Left, before[0])
			before = before[1:]
		default:
			if !after[0].Equal(before[0]) {
				c.Changed = append(c.Changed, after[0])
			}
			before, after = before[1:], after[1:]
		}
	}
	return c
}
