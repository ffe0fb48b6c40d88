package membership

import (
	"slices"
	"sync"
)

// own is this relay's description, as it changes.
type own struct {
	mu     sync.Mutex
	relay  Relay
	meter  Meter
	urgent bool // more than a load has changed since it was announced, or a load has turned
}

func (o *own) relayNow() Relay {
	o.mu.Lock()
	defer o.mu.Unlock()
	return copied(o.relay)
}

// toAnnounce returns what to announce, and whether that is urgent.
func (o *own) toAnnounce() (Relay, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return copied(o.relay), o.urgent
}

// announced notes that r has been.
func (o *own) announced(r Relay) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.relay
	turned := Turned(r.Load, now.Load)
	now.Load = r.Load
	o.urgent = turned || !now.Equal(r)
}

// SetLoad says how much of the capacity is used, in percent. It may be called as
// often as there is a new number: the others hear of whole steps, and of one
// every two seconds at most, unless newcomers are to be sent elsewhere by it; see
// [Meter] and [Turned].
func (d *Directory) SetLoad(percent float64) {
	d.change(func(o *own) bool {
		step, changed := o.meter.Report(percent)
		o.urgent = o.urgent || Turned(o.relay.Load, step)
		o.relay.Load = step
		return changed
	})
}

// SetState says whether this relay takes newcomers.
func (d *Directory) SetState(s State) {
	d.change(func(o *own) bool {
		changed := o.relay.State != s
		o.relay.State = s
		o.urgent = o.urgent || changed
		return changed
	})
}

// SetCertificates says which certificates this relay shows, by their SHA-256.
// It refuses more than [MaxCertificates], with an [ErrRelay].
func (d *Directory) SetCertificates(sums ...[32]byte) error {
	probe := d.cfg.Self
	probe.CertificateSHA256 = sums
	if err := probe.Validate(); err != nil {
		return err
	}
	d.change(func(o *own) bool {
		changed := !slices.Equal(o.relay.CertificateSHA256, sums)
		o.relay.CertificateSHA256 = slices.Clone(sums)
		o.urgent = o.urgent || changed
		return changed
	})
	return nil
}

// change lets f change this relay's description. If it did, the change is in
// the next snapshot at once and with the others soon.
func (d *Directory) change(f func(*own) bool) {
	d.own.mu.Lock()
	changed := f(&d.own)
	if changed { // with the lock held, so that of two changes the later one stays
		d.book.put(claim{d.member, d.addr, copied(d.own.relay)})
	}
	d.own.mu.Unlock()
	if !changed {
		return
	}
	d.book.publish()
	select {
	case d.changed <- struct{}{}:
	default:
	}
}
