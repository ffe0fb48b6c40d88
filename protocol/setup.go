package protocol

import (
	"fmt"
	"slices"
	"time"
)

// A Setup says what one end can do. Each end sends exactly one, on a stream of
// its own, as the first thing it does (docs/wire.md, section 3):
//
//	SETUP {
//	  Length (i),
//	  Count (i),
//	  Parameter { Id (i), Size (i), Value (..) } ...,
//	}
//
// The zero value declares nothing. A field that is zero is not sent.
type Setup struct {
	Probe ProbeLevel
	Path  string // request path with its query; from clients on native QUIC only
	Role  Role   // from clients only
	HopID uint64 // this end in the routes of announcements; 0 is undeclared

	// The rest are Stentor's own and mean nothing to others.

	Datagrams bool          // this end reads groups from datagrams
	Goaway    bool          // this end acts on GOAWAY
	Packet    time.Duration // 20, 60 or 120 ms a packet: what a relay wants new listeners to take
	Load      uint8         // percent of its capacity that a relay has in use, if HasLoad
	HasLoad   bool
}

// A ProbeLevel is what an end does when it is the publisher of a PROBE stream.
type ProbeLevel uint8

// Levels above the last are read as the last.
const (
	ProbeNone     ProbeLevel = 0
	ProbeReport   ProbeLevel = 1 // reports rate and round trip
	ProbeIncrease ProbeLevel = 2 // would also send more to find the limit
)

// A Role narrows what a client will do.
type Role uint8

// Other roles are read as RoleBoth.
const (
	RoleBoth       Role = 0
	RolePublisher  Role = 1
	RoleSubscriber Role = 2
)

// Parameter ids. 4 is a link cost that only later drafts use.
const (
	paramProbe     = 1
	paramPath      = 2
	paramRole      = 3
	paramHopID     = 5
	paramDatagrams = 0x5354
	paramGoaway    = 0x5355
	paramPacket    = 0x5356
	paramLoad      = 0x5357
)

// Append writes s after b, parameters in ascending order.
func (s Setup) Append(b []byte) []byte {
	b, start := openBody(b)
	count := len(b)
	b = append(b, 0) // parameters; there are fewer than 64 to choose from
	integer := func(id, value uint64, send bool) {
		if send {
			b[count]++
			b = appendVarint(b, id)
			b = appendSized(b, appendVarint(make([]byte, 0, 8), value))
		}
	}
	integer(paramProbe, uint64(s.Probe), s.Probe != ProbeNone)
	if s.Path != "" {
		b[count]++
		b = appendString(appendVarint(b, paramPath), s.Path)
	}
	integer(paramRole, uint64(s.Role), s.Role != RoleBoth)
	integer(paramHopID, s.HopID, s.HopID != 0)
	integer(paramDatagrams, 1, s.Datagrams)
	integer(paramGoaway, 1, s.Goaway)
	integer(paramPacket, uint64(s.Packet.Milliseconds()), s.Packet > 0)
	integer(paramLoad, uint64(s.Load), s.HasLoad)
	return closeBody(b, start)
}

// ParseSetup reads the SETUP at the start of b.
func ParseSetup(b []byte) (Setup, int, error) { return parseMessage(b, "setup", (*cursor).setup) }

// Setup reads a SETUP.
func (r *Reader) Setup() (Setup, error) { return readMessage(r, "setup", (*cursor).setup) }

func (c *cursor) setup() Setup {
	count := c.varint()
	if count > MaxParameters {
		c.fail(ErrTooManyParameters)
		return Setup{}
	}
	var s Setup
	seen := make([]uint64, 0, count)
	for range count {
		id, value := c.varint(), c.sized()
		if c.err != nil {
			break
		}
		if slices.Contains(seen, id) {
			c.fail(fmt.Errorf("%w: parameter %#x twice", ErrMalformed, id))
			break
		}
		seen = append(seen, id)
		s.set(c, id, value)
	}
	return s
}

// set takes one parameter. A value out of range means the nearest that we know,
// or nothing; an unknown id is skipped.
func (s *Setup) set(c *cursor, id uint64, value []byte) {
	switch id {
	case paramProbe:
		s.Probe = ProbeLevel(min(c.integer(value), uint64(ProbeIncrease)))
	case paramPath:
		s.Path = c.text(value)
	case paramRole:
		if v := c.integer(value); v <= uint64(RoleSubscriber) {
			s.Role = Role(v)
		}
	case paramHopID:
		s.HopID = c.integer(value)
	case paramDatagrams:
		s.Datagrams = c.integer(value) != 0
	case paramGoaway:
		s.Goaway = c.integer(value) != 0
	case paramPacket:
		switch v := c.integer(value); v {
		case 20, 60, 120:
			s.Packet = time.Duration(v) * time.Millisecond
		}
	case paramLoad:
		s.Load, s.HasLoad = uint8(min(c.integer(value), 255)), true
	}
}

// integer reads the value of a parameter, which holds exactly one varint.
func (c *cursor) integer(value []byte) uint64 {
	inner := cursor{rest: value, short: errBody}
	v := inner.varint()
	if err := inner.end(); err != nil {
		c.fail(err)
	}
	return v
}
