package plan

import (
	"fmt"

	"github.com/quic-go/quic-go/quicvarint"
)

// MaxSize is how long an encoded plan may be in bytes: what MaxRelays relays
// take whose names have nothing in common and MaxName bytes.
const MaxSize = 4 << 20

// format is the first number of an encoded plan. Another layout takes another.
const format = 1

// Encode writes the plan, as one frame of the track "plan". Numbers are QUIC's
// variable-length integers (RFC 9000 §16):
//
//	Plan {
//	  Format (i) = 1,
//	  Epoch (i), Sequence (i), Keeper (Name),
//	  Room (Name),
//	  Degree (i),
//	  Apart (i) = 0 or 1,
//	  Zone Count (i),
//	  Zone {
//	    Zone (Name),
//	    Flip (i) = 0 or 1,
//	    Relay Count (i),
//	    Relay (Name) ...
//	  } ...
//	}
//
//	Name {
//	  Shared (i),  bytes it begins with like the name before it
//	  Length (i),  of the rest
//	  Rest (..),
//	}
//
// Relays of one zone tend to be named alike: 2,000 that differ in four digits
// take 7 kB.
func (p *Plan) Encode() []byte {
	w := writer{b: make([]byte, 0, 64+8*p.size)}
	w.number(format)
	w.number(p.version.Epoch)
	w.number(p.version.Sequence)
	w.text(p.version.Keeper)
	w.text(p.room)
	w.number(uint64(p.degree))
	w.flag(p.apart)
	w.number(uint64(len(p.zones)))
	for _, z := range p.zones {
		w.text(z.name)
		w.flag(z.flip)
		w.number(uint64(len(z.relays)))
		for _, name := range z.relays {
			w.text(name)
		}
	}
	return w.b
}

// Decode reads a plan and validates it. It fails with ErrMalformed, ErrTooBig or
// what Validate finds. Whether the relays exist is not asked here: a plan may
// name one that the reader's directory has not heard of yet. It keeps no part of
// b.
func Decode(b []byte) (*Plan, error) {
	if len(b) > MaxSize {
		return nil, fmt.Errorf("plan: %w: %d bytes", ErrTooBig, len(b))
	}
	r := reader{rest: b}
	p, err := r.plan()
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return p, nil
}

type writer struct {
	b    []byte
	last string // the name before
}

func (w *writer) number(v uint64) { w.b = quicvarint.Append(w.b, min(v, quicvarint.Max)) }

func (w *writer) flag(v bool) {
	if v {
		w.number(1)
	} else {
		w.number(0)
	}
}

func (w *writer) text(name string) {
	shared := 0
	for shared < min(len(name), len(w.last)) && name[shared] == w.last[shared] {
		shared++
	}
	w.number(uint64(shared))
	w.number(uint64(len(name) - shared))
	w.b = append(w.b, name[shared:]...)
	w.last = name
}

// A reader takes a plan apart. Its first error sticks.
type reader struct {
	rest []byte
	last string // the name before
	err  error
}

func (r *reader) plan() (*Plan, error) {
	if f := r.number(); r.err == nil && f != format {
		return nil, fmt.Errorf("%w: format %d", ErrMalformed, f)
	}
	p := &Plan{}
	p.version.Epoch = r.number()
	p.version.Sequence = r.number()
	p.version.Keeper = r.text()
	p.room = r.text()
	p.degree = int(min(r.number(), MaxDegree+1))
	p.apart = r.flag()
	zones := r.count(MaxRelays)
	for range zones {
		if r.err != nil {
			break
		}
		z := zone{name: r.text(), flip: r.flag()}
		n := r.count(MaxRelays - p.size)
		for range n {
			z.relays = append(z.relays, r.text())
		}
		if n == 1 && z.flip {
			r.fail(ErrMalformed, "a zone of one is turned")
		}
		p.size += n
		p.zones = append(p.zones, z)
	}
	if r.err == nil && len(r.rest) > 0 {
		r.fail(ErrMalformed, "bytes after the end")
	}
	return p, r.err
}

func (r *reader) fail(err error, why string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", err, why)
	}
}

func (r *reader) number() uint64 {
	if r.err != nil {
		return 0
	}
	v, n, err := quicvarint.Parse(r.rest)
	if err != nil {
		r.fail(ErrMalformed, "cut short")
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) flag() bool {
	v := r.number()
	if v > 1 {
		r.fail(ErrMalformed, "neither yes nor no")
	}
	return v == 1
}

// count reads how many of something there are, each of which takes two bytes at
// least.
func (r *reader) count(most int) int {
	v := r.number()
	switch {
	case v > uint64(most):
		r.fail(ErrTooBig, "relays")
	case v > uint64(len(r.rest)/2):
		r.fail(ErrMalformed, "cut short")
	}
	if r.err != nil {
		return 0
	}
	return int(v)
}

func (r *reader) text() string {
	shared, length := r.number(), r.number()
	switch {
	case shared > uint64(len(r.last)):
		r.fail(ErrMalformed, "a name shares more than there is")
	case length > uint64(len(r.rest)):
		r.fail(ErrMalformed, "cut short")
	case shared+length > MaxName:
		r.fail(ErrName, "too long")
	}
	if r.err != nil {
		return ""
	}
	r.last = r.last[:shared] + string(r.rest[:length])
	r.rest = r.rest[length:]
	return r.last
}
