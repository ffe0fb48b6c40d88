package membership

import (
	"encoding/binary"
	"fmt"
	"time"
)

// MaxEncoded is the most bytes a description takes: the limit of memberlist for
// what it sends along with a member's name and address.
const MaxEncoded = 512

// layout is the first byte of a description. A field that is new is added at
// the end, where an older relay skips it; this number changes only if an older
// relay could not make sense of the rest, and then refuses it.
const layout = 1

// Encode writes r as
//
//	Relay {
//	  Layout (8) = 1,
//	  State (8),
//	  Load (8),
//	  Hop ID (64),
//	  Capacity (32),
//	  Generation (32),
//	  Started (32),          seconds since 1970, 0 if not known
//	  Name (..), Zone (..), URL (..), Addr (..), Version (..),   each Length (8) and that many bytes
//	  Certificates (8),
//	  Certificate SHA-256 (256) ...,
//	}
//
// with integers in network byte order. It fails as [Relay.Validate] does, and
// then only.
func Encode(r Relay) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	b := make([]byte, 0, MaxEncoded)
	b = append(b, layout, byte(r.State), r.Load)
	b = binary.BigEndian.AppendUint64(b, r.HopID)
	b = binary.BigEndian.AppendUint32(b, r.Capacity)
	b = binary.BigEndian.AppendUint32(b, r.Generation)
	var started uint32
	if !r.Started.IsZero() {
		started = uint32(r.Started.Unix())
	}
	b = binary.BigEndian.AppendUint32(b, started)
	for _, s := range []string{r.Name, r.Zone, r.URL, r.Addr, r.Version} {
		b = append(b, byte(len(s)))
		b = append(b, s...)
	}
	b = append(b, byte(len(r.CertificateSHA256)))
	for _, sum := range r.CertificateSHA256 {
		b = append(b, sum[:]...)
	}
	return b, nil
}

// Decode reads what [Encode] wrote. Every error is an [ErrRelay]. It keeps
// nothing of b.
func Decode(b []byte) (Relay, error) {
	if len(b) > MaxEncoded {
		return Relay{}, fmt.Errorf("%w: %d bytes: at most %d", ErrRelay, len(b), MaxEncoded)
	}
	c := cursor{rest: b}
	if v := c.uint8(); !c.short && v != layout {
		return Relay{}, fmt.Errorf("%w: layout %d: this relay knows %d", ErrRelay, v, layout)
	}
	r := Relay{
		State:      State(c.uint8()),
		Load:       c.uint8(),
		HopID:      c.uint64(),
		Capacity:   c.uint32(),
		Generation: c.uint32(),
	}
	if s := c.uint32(); s != 0 {
		r.Started = time.Unix(int64(s), 0)
	}
	for _, field := range []*string{&r.Name, &r.Zone, &r.URL, &r.Addr, &r.Version} {
		*field = string(c.take(int(c.uint8())))
	}
	n := int(c.uint8())
	if n > MaxCertificates {
		return Relay{}, fmt.Errorf("%w: %d certificates: at most %d", ErrRelay, n, MaxCertificates)
	}
	for range n {
		r.CertificateSHA256 = append(r.CertificateSHA256, [32]byte(c.take(32)))
	}
	if c.short {
		return Relay{}, fmt.Errorf("%w: %d bytes: ends inside a field", ErrRelay, len(b))
	}
	if err := r.Validate(); err != nil {
		return Relay{}, err
	}
	return r, nil
}

// A cursor reads from the front of rest. Once that was too short, everything it
// returns is zero.
type cursor struct {
	rest  []byte
	short bool
}

func (c *cursor) take(n int) []byte {
	if c.short = c.short || len(c.rest) < n; c.short {
		return make([]byte, n)
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) uint8() uint8   { return c.take(1)[0] }
func (c *cursor) uint32() uint32 { return binary.BigEndian.Uint32(c.take(4)) }
func (c *cursor) uint64() uint64 { return binary.BigEndian.Uint64(c.take(8)) }
